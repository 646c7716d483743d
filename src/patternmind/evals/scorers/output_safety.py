"""Detection of unsafe output: active content, unverified quotes, formulas, control characters."""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from patternmind.domain.cases import Case
from patternmind.domain.characters import HIDDEN_CHARACTERS
from patternmind.evals.datasets.planted_quotes import is_in_case

ALLOWED_TAGS = frozenset(
    "html head meta title style body a header main section nav h1 h2 h3 h4 p ul ol li dl div dt dd figure figcaption"
    " blockquote strong span em".split()
)
ALLOWED_ATTRIBUTES = frozenset(
    "lang charset http-equiv content name class href id dir aria-labelledby aria-label role scope".split()
)
ANCHOR_TAG = re.compile(r'</?a(?: id="[\w-]+")?>')
QUOTED_TEXT = re.compile(r"“([^”]{3,})”|\"([^\"]{3,})\"|„([^“”]{3,})[“”]|«([^»]{3,})»")


class _PageChecker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.violations: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED_TAGS:
            self.violations.append(f"element {tag}")
        for name, value in attrs:
            if name not in ALLOWED_ATTRIBUTES or (name == "href" and not (value or "").startswith("#")):
                self.violations.append(f"attribute {name} of {tag}")


def unsafe_html(page: str) -> list[str]:
    """List elements and attributes that our pages do not use, and links to other pages."""
    parser = _PageChecker()
    parser.feed(page)
    parser.close()
    return parser.violations


def unsafe_markdown(text: str) -> list[str]:
    """List constructs other than headings, lists and quotes that a Markdown reader would render.

    The reader supports tables and strikethrough.
    """
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    violations: list[str] = []
    for block in reader.parse(body):
        for token in [block, *(block.children or [])]:
            is_outward = token.type == "link_open" and not str(token.attrs.get("href", "")).startswith("#")
            is_raw_html = token.type in {"html_block", "html_inline"} and not ANCHOR_TAG.fullmatch(
                token.content.strip()
            )
            if (
                is_outward
                or is_raw_html
                or token.type in {"image", "table_open", "code_block", "fence", "code_inline", "s_open"}
            ):
                violations.append(token.type)
    return violations


def unsafe_docx(content: bytes) -> list[str]:
    """List external relations, fields and embedded objects."""
    violations: list[str] = []
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        for name in file.namelist():
            part = file.read(name).decode("utf-8", "replace")
            if name.endswith(".rels") and 'TargetMode="External"' in part:
                violations.append(f"outward relation in {name}")
            if re.search(r"<w:(?:hyperlink\b[^>]*r:id|object|altChunk)|DDEAUTO|HYPERLINK \"|INCLUDEPICTURE", part) and (
                name == "word/document.xml"
            ):
                violations.append(f"a field or an object in {name}")
    return violations


def unsafe_terminal_text(text: str) -> list[str]:
    """List the characters that ``strip_hidden`` should have removed."""
    return ["a control character"] * bool(HIDDEN_CHARACTERS.search(text))


def unverified_quotes(rows: Sequence[Mapping[str, object]], cases: Mapping[str, Case]) -> Iterator[str]:
    """Yield quotes that are not an exact slice of their case.

    Words in quote marks in a name or a gist must occur in some case.
    """
    for row in rows:
        for claim in json.loads(json.dumps(row.get("claims", []))):
            for quote in claim["quotes"]:
                case = cases.get(quote["case_id"])
                source = case.text.get(quote["field"], "") if case else ""
                if source[quote["start"] : quote["end"]] != quote["text"] or not quote["text"].strip():
                    yield "a quote that is not a slice of its case"
        for name in ("name", "gist"):
            for match in QUOTED_TEXT.finditer(str(row.get(name, ""))):
                quoted = next(part for part in match.groups() if part)
                if not any(is_in_case(quoted, case) for case in cases.values()):
                    yield "words in quote marks that no case says"
