import io
import re
import sys
import zipfile
from html.parser import HTMLParser

import docx
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from patternmind.errors import UsageError
from patternmind.publishing.document import (
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
    count_document_words,
    count_words,
    to_visible_line,
)
from patternmind.publishing.markdown import escape_markdown
from patternmind.publishing.pdf import refuse_fetch
from patternmind.publishing.render import render_document

HOSTILE = [
    "![x](http://evil.example/a.png)",
    "[click](javascript:alert(1))",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<http://evil.example>",
    "https://evil.example/path?q=1 www.evil.example evil.example a@evil.example",
    "javascript:alert(1)",
    "`code` ``more`` ~~~ ```",
    "a | b | c",
    "| --- | --- |",
    "# heading",
    "- item",
    "-----",
    "===",
    "=HYPERLINK(1)",
    "+1",
    "@name",
    "1. first",
    "2) second",
    "> quote",
    "*a* _b_ __c__ **d** ~~e~~ ==f== $x^2$",
    "[^1]: note",
    "[a]: http://evil.example",
    "&lt;b&gt; &amp; &#60;",
    "\\*not\\*",
    "<!-- gone -->",
    "]]> --> ?>",
    "{{ variable }} {% tag %} ${x}",
    "---\ntitle: other\n---",
    "one\n\n# two\n\n- three",
    "zero\u200bwidth\u2060and\u202eesrever\u2066and\ufeffmark",
    "</style><style>*{display:none}</style>",
    "</title><base href=//evil.example>",
    "\x00\x1b[31mred\ud800\ufffe",
    ": definition",
    "::: warning",
    "    indented code",
    "\tindented code",
    "ends with a backslash \\",
    "קרא אותי (now) 123",
]

MARKS = "`*_[]()<>!#|-=+@:/\\&;.~$^{}%\n 1aw"
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(), st.text(alphabet=MARKS)).filter(to_visible_line)


def document_of(text: str) -> Document:
    """Return a document with one block of each kind and the same text everywhere."""
    return Document(
        kind="playbook",
        title=text,
        front_matter={"network": text, "patterns": (text, text), "withheld": 1},
        blocks=(
            Paragraph(text, is_lead=True),
            ContentsList("Patterns", (ContentsEntry(text, "p-1"), ContentsEntry(text, "p-1", text))),
            Heading(2, text, "p-1", starts_page=True),
            Heading(3, text),
            Paragraph(text),
            BulletList((text, text)),
            NumberedList((text, text)),
            QuoteBlock(text, text),
            QuoteBlock(text),
            FactTable(((text, text),)),
            Note(text, text),
        ),
    )


class Elements(HTMLParser):
    """Tags of a page with their relevant attributes, in order, and its visible text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, ...]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = (f"{name}={value}" if name in {"href", "src", "id", "class"} else name for name, value in attrs)
        self.tags.append((tag, *attributes))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment",))

    def handle_data(self, data: str) -> None:
        self.text += data


def html_of(text: str) -> Elements:
    return Elements(render_document(document_of(text), ".html").decode())


def read_markdown(text: str) -> Elements:
    source = render_document(document_of(text), ".md").decode()
    body = source.split("\n---\n", 1)[1]
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return Elements(reader.render(body))


def without_spaces(text: str) -> str:
    return "".join(text.split())


HTML_WHEN_HARMLESS, MARKDOWN_WHEN_HARMLESS = html_of("word").tags, read_markdown("word").tags


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_html_contains_no_element_attribute_or_address_from_a_text(text: str) -> None:
    assert html_of(text).tags == HTML_WHEN_HARMLESS


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_markdown_contains_no_markup_from_a_text(text: str) -> None:
    assert read_markdown(text).tags == MARKDOWN_WHEN_HARMLESS


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_displayed_literally(text: str) -> None:
    assert html_of(text).tags == HTML_WHEN_HARMLESS
    assert read_markdown(text).tags == MARKDOWN_WHEN_HARMLESS
    assert without_spaces(to_visible_line(text)) in without_spaces(html_of(text).text)
    assert without_spaces(to_visible_line(text)) in without_spaces(read_markdown(text).text)


def test_markdown_escapes_bare_addresses_so_that_they_are_not_linked() -> None:
    assert escape_markdown("see https://a.example or www.b.example or c@d.example, at 10:30") == (
        r"see https\://a\.example or www\.b\.example or c\@d\.example, at 10:30"
    )


@given(st.text())
def test_markdown_quotes_keep_their_words_when_parsed(text: str) -> None:
    rendered = MarkdownIt("commonmark").render(f"> {escape_markdown(text)}")
    assert Elements(rendered).text.split() == to_visible_line(text).split()


@given(TEXTS)
def test_front_matter_is_valid_yaml_with_the_text(text: str) -> None:
    front = render_document(document_of(text), ".md").decode().split("\n---\n", 1)[0].removeprefix("---\n")
    visible = to_visible_line(text)
    assert yaml.safe_load(front) == {
        "title": visible,
        "kind": "playbook",
        "network": visible,
        "patterns": [visible, visible],
        "withheld": 1,
    }


@given(st.text())
def test_visible_line_has_no_line_breaks_or_hidden_characters(text: str) -> None:
    visible = to_visible_line(text)
    assert visible == to_visible_line(visible)
    assert not re.search(r"[\n\r\x00-\x1f\u200b\u202a-\u202e\u2060-\u2069\ufeff]", visible)


def test_visible_line_keeps_joiners_that_a_script_needs() -> None:
    assert to_visible_line("می\u200cخواهم") == "می\u200cخواهم"


def test_html_file_loads_and_runs_nothing() -> None:
    page = render_document(document_of("word"), ".html").decode()
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|style=", page)
    assert set(re.findall(r'href="([^"]*)"', page)) == {"#content", "#p-1"}


def test_html_policy_allows_the_style_sheet_by_its_hash() -> None:
    import base64
    import hashlib

    page = render_document(document_of("word"), ".html").decode()
    styles = page.split("<style>")[1].split("</style>")[0]
    assert base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode() in page


def test_html_has_a_language_landmarks_and_a_skip_link() -> None:
    page = render_document(document_of("word"), ".html").decode()
    for part in ('<html lang="en">', "<header>", '<main id="content">', 'class="skip" href="#content"', "<nav aria"):
        assert part in page


def test_quote_link_is_rendered_only_for_a_web_address() -> None:
    def render_with_link(link: str) -> str:
        document = Document(kind="pre-reading", title="t", front_matter={}, blocks=(QuoteBlock("said", "C-1", link),))
        return render_document(document, ".html").decode() + render_document(document, ".md").decode()

    assert render_with_link("https://intranet.example/cases/1").count("https://intranet.example/cases/1") == 2
    assert "javascript" not in render_with_link("javascript:alert(1)")


def test_word_file_contains_the_text_and_no_link() -> None:
    for text in HOSTILE[::5]:
        content = render_document(document_of(text), ".docx")
        word_document = docx.Document(io.BytesIO(content))
        assert to_visible_line(text) in [paragraph.text for paragraph in word_document.paragraphs]
        relations = zipfile.ZipFile(io.BytesIO(content)).read("word/_rels/document.xml.rels").decode()
        assert 'TargetMode="External"' not in relations


def test_word_file_numbers_each_list_from_one() -> None:
    document = Document(
        kind="playbook", title="t", front_matter={}, blocks=(NumberedList(("a", "b")), NumberedList(("c",)))
    )
    body = zipfile.ZipFile(io.BytesIO(render_document(document, ".docx"))).read("word/document.xml").decode()
    a, b, c = re.findall(r'<w:numId w:val="(\d+)"', body)
    assert a == b != c


def test_word_file_aligns_right_to_left_text_to_the_right() -> None:
    document = Document(
        kind="playbook", title="t", front_matter={}, blocks=(Paragraph("(1) שלום"), Paragraph("hello שלום"))
    )
    body = zipfile.ZipFile(io.BytesIO(render_document(document, ".docx"))).read("word/document.xml").decode()
    assert body.count("<w:bidi/>") == 1


def test_pdf_of_hostile_text_loads_nothing() -> None:
    pytest.importorskip("weasyprint")
    content = render_document(document_of(" ".join(HOSTILE[:6])), ".pdf")
    assert content.startswith(b"%PDF-")
    assert b"evil.example" not in content


def test_pdf_refuses_every_fetch() -> None:
    with pytest.raises(ValueError, match="loads nothing"):
        refuse_fetch("https://evil.example", timeout=1)


def test_pdf_error_states_the_remedy_when_pango_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(UsageError, match=r"install libpango.*or write \.html"):
        render_document(document_of("word"), ".pdf")


def test_unknown_format_is_rejected_with_a_list_of_valid_formats() -> None:
    with pytest.raises(UsageError, match=r"\.md, \.html, \.pdf, \.docx"):
        render_document(document_of("word"), ".odt")


def test_format_suffix_may_be_upper_case_without_a_dot() -> None:
    assert render_document(document_of("word"), "MD") == render_document(document_of("word"), ".md")


def test_word_count_works_for_every_script() -> None:
    assert count_words("came on at 22") == 4
    assert count_words("棚" * 100) == 50
    assert count_words("x" * 700) == 100
    assert (
        count_document_words(
            Document(kind="k", title="one two", front_matter={}, blocks=(Note("a", "b c"), BulletList(("d",))))
        )
        == 6
    )
