"""What must not get out, looked for in everything that a network gives out: four kinds of escape."""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from patternmind.domain.cases import Case
from patternmind.domain.spreadsheet import is_formula
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
CONTROL_CHARS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class _PageChecker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED_TAGS:
            self.wrong.append(f"element {tag}")
        for name, value in attrs:
            if name not in ALLOWED_ATTRIBUTES or (name == "href" and not (value or "").startswith("#")):
                self.wrong.append(f"attribute {name} of {tag}")


def unsafe_html(page: str) -> list[str]:
    """Elements and attributes that our own pages do not have, and links that lead out of the page."""
    parser = _PageChecker()
    parser.feed(page)
    parser.close()
    return parser.wrong


def unsafe_markdown(text: str) -> list[str]:
    """What a Markdown reader with tables and bare links would render beside headings, lists and quotes."""
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    wrong: list[str] = []
    for block in reader.parse(body):
        for token in [block, *(block.children or [])]:
            outward = token.type == "link_open" and not str(token.attrs.get("href", "")).startswith("#")
            raw = token.type in {"html_block", "html_inline"} and not ANCHOR_TAG.fullmatch(token.content.strip())
            if outward or raw or token.type in {"image", "table_open", "code_block", "fence", "code_inline", "s_open"}:
                wrong.append(token.type)
    return wrong


def unsafe_docx(content: bytes) -> list[str]:
    """Relations that lead out of the file, fields, and embedded objects."""
    wrong: list[str] = []
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        for name in file.namelist():
            part = file.read(name).decode("utf-8", "replace")
            if name.endswith(".rels") and 'TargetMode="External"' in part:
                wrong.append(f"outward relation in {name}")
            if re.search(r"<w:(?:hyperlink\b[^>]*r:id|object|altChunk)|DDEAUTO|HYPERLINK \"|INCLUDEPICTURE", part) and (
                name == "word/document.xml"
            ):
                wrong.append(f"a field or an object in {name}")
    return wrong


def unsafe_pdf(content: bytes) -> list[str]:
    """Actions of a PDF, its compressed parts opened."""
    parts = [content]
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            parts.append(zlib.decompress(match[1]))
        except zlib.error:
            continue
    actions = (b"/URI", b"/JavaScript", b"/Launch", b"/SubmitForm", b"/GoToR", b"/EmbeddedFile")
    whole = b"\n".join(parts)
    return [action.decode() for action in actions if re.search(action + rb"\b", whole)]


def unsafe_csv(text: str) -> list[str]:
    """Cells that a spreadsheet would calculate."""
    import csv

    cells = (cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row)
    return ["a formula" for cell in cells if is_formula(cell)]


def unsafe_terminal_text(text: str) -> list[str]:
    return ["a control character"] * bool(CONTROL_CHARS.search(text))


def unverified_quotes(rows: Sequence[Mapping[str, object]], cases: Mapping[str, Case]) -> Iterator[str]:
    """Quotes of drafts that are no slice of their case, and words in quote marks of a name or a gist that none says."""
    for row in rows:
        for claim in json.loads(json.dumps(row.get("claims", []))):
            for quote in claim["quotes"]:
                case = cases.get(quote["case_id"])
                source = case.text.get(quote["field"], "") if case else ""
                if source[quote["start"] : quote["end"]] != quote["text"] or not quote["text"].strip():
                    yield "a quote that is no slice of its case"
        for name in ("name", "gist"):
            for match in QUOTED_TEXT.finditer(str(row.get(name, ""))):
                said = next(part for part in match.groups() if part)
                if not any(is_in_case(said, case) for case in cases.values()):
                    yield "words in quote marks that no case says"
