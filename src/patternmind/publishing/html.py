"""Render a document as one self-contained HTML file, without scripts or external requests."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape as escape_html

from patternmind.publishing.document import (
    Block,
    BulletList,
    ContentsEntry,
    ContentsList,
    Document,
    FactTable,
    Heading,
    Note,
    NumberedList,
    Paragraph,
    QuoteBlock,
    safe_link,
    to_visible_line,
)
from patternmind.publishing.stylesheet import DOCUMENT_CSS

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(DOCUMENT_CSS.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)
"""Policy that blocks all requests and scripts, and allows only this style sheet."""

PAGE_TEMPLATE = """\
<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="patternmind">
<title>{title}</title>
<style>{styles}</style>
</head>
<body class="{kind}">
<a class="skip" href="#content">Skip to the content</a>
<header>
<h1 dir="auto">{title}</h1>
</header>
<main id="content">
{content}
</main>
</body>
</html>
"""


def to_html(document: Document) -> str:
    """Return the file as text; document text cannot become an element, an attribute or an address."""
    return PAGE_TEMPLATE.format(
        lang=escape_html_text(document.lang),
        policy=escape_html_text(CONTENT_SECURITY_POLICY),
        title=escape_html_text(document.title),
        styles=DOCUMENT_CSS,
        kind=escape_html_text(document.kind),
        content="\n".join(_sections(document.blocks)),
    )


def escape_html_text(text: str) -> str:
    return escape_html(to_visible_line(text), quote=True)


def _sections(blocks: Iterable[Block]) -> list[str]:
    """Return the blocks as elements; each heading of level 2 opens a section with its name."""
    lines: list[str] = []
    n_sections = 0
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            if n_sections:
                lines.append("</section>")
            n_sections += 1
            lines.append(_open_section(block, n_sections))
        else:
            lines.append(_block(block))
    return [*lines, "</section>"] if n_sections else lines


def _open_section(heading: Heading, number: int) -> str:
    anchor = heading.anchor or f"section-{number}"
    page = ' class="page"' if heading.starts_page else ""
    return f'<section{page} aria-labelledby="{escape_html_text(anchor)}">\n{_heading(heading, anchor)}'


def _heading(heading: Heading, anchor: str) -> str:
    id_attribute = f' id="{escape_html_text(anchor)}"' if anchor else ""
    return f'<h{heading.level}{id_attribute} dir="auto">{escape_html_text(heading.text)}</h{heading.level}>'


def _block(block: Block) -> str:  # noqa: PLR0911 - a case for each block
    match block:
        case Heading():
            return _heading(block, block.anchor)
        case Paragraph():
            lead = ' class="lead"' if block.is_lead else ""
            return f'<p{lead} dir="auto">{escape_html_text(block.text)}</p>'
        case BulletList():
            return _list("ul", block.items)
        case NumberedList():
            return _list("ol", block.items)
        case QuoteBlock():
            return _quote(block)
        case FactTable():
            return _facts(block)
        case Note():
            label, text = escape_html_text(block.label), escape_html_text(block.text)
            return f'<p class="note" dir="auto"><strong>{label}.</strong> {text}</p>'
        case ContentsList():
            entries = "\n".join(_entry(entry) for entry in block.entries)
            return f'<nav aria-label="{escape_html_text(block.label)}">\n<ul>\n{entries}\n</ul>\n</nav>'


def _list(tag: str, items: Iterable[str]) -> str:
    lines = "\n".join(f'<li dir="auto">{escape_html_text(item)}</li>' for item in items)
    return f"<{tag}>\n{lines}\n</{tag}>"


def _quote(quote: QuoteBlock) -> str:
    blockquote = f'<blockquote><p dir="auto">{escape_html_text(quote.text)}</p></blockquote>'
    if not quote.source:
        return f"<figure>\n{blockquote}\n</figure>"
    link = safe_link(quote.link)
    source = (
        f'<a href="{escape_html_text(link)}">{escape_html_text(quote.source)}</a>'
        if link
        else escape_html_text(quote.source)
    )
    return f'<figure>\n{blockquote}\n<figcaption dir="auto">{source}</figcaption>\n</figure>'


def _facts(facts: FactTable) -> str:
    rows = "\n".join(
        f'<div><dt>{escape_html_text(label)}</dt><dd dir="auto">{escape_html_text(value)}</dd></div>'
        for label, value in facts.rows
    )
    return f"<dl>\n{rows}\n</dl>"


def _entry(entry: ContentsEntry) -> str:
    link = f'<a href="#{escape_html_text(entry.anchor)}">{escape_html_text(entry.target)}</a>'
    reason = f'<span class="reason" dir="auto">{escape_html_text(entry.text)}</span> ' if entry.text else ""
    return f"<li>{reason}{link}</li>"
