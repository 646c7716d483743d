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
    """One of each block, with the same text in every place."""
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
    """Tags with the attributes that act, in order; ``texts`` what a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, ...]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = (f"{name}={value}" if name in {"href", "src", "id", "class"} else name for name, value in attrs)
        self.tags.append((tag, *told))

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


def folded(text: str) -> str:
    return "".join(text.split())


HTML_WHEN_HARMLESS, MARKDOWN_WHEN_HARMLESS = html_of("word").tags, read_markdown("word").tags


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_no_text_becomes_an_element_an_attribute_or_an_address_in_html(text: str) -> None:
    assert html_of(text).tags == HTML_WHEN_HARMLESS


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_no_text_becomes_markup_in_markdown(text: str) -> None:
    assert read_markdown(text).tags == MARKDOWN_WHEN_HARMLESS


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_was_written(text: str) -> None:
    assert html_of(text).tags == HTML_WHEN_HARMLESS
    assert read_markdown(text).tags == MARKDOWN_WHEN_HARMLESS
    assert folded(to_visible_line(text)) in folded(html_of(text).text)
    assert folded(to_visible_line(text)) in folded(read_markdown(text).text)


def test_a_bare_address_has_an_escape_in_its_middle_so_that_no_reader_makes_a_link_of_it() -> None:
    assert escape_markdown("see https://a.example or www.b.example or c@d.example, at 10:30") == (
        r"see https\://a\.example or www\.b\.example or c\@d\.example, at 10:30"
    )


@given(st.text())
def test_a_quote_read_back_from_markdown_has_its_words(text: str) -> None:
    rendered = MarkdownIt("commonmark").render(f"> {escape_markdown(text)}")
    assert Elements(rendered).text.split() == to_visible_line(text).split()


@given(TEXTS)
def test_front_matter_is_yaml_that_holds_the_text(text: str) -> None:
    front = render_document(document_of(text), ".md").decode().split("\n---\n", 1)[0].removeprefix("---\n")
    shown = to_visible_line(text)
    assert yaml.safe_load(front) == {
        "title": shown,
        "kind": "playbook",
        "network": shown,
        "patterns": [shown, shown],
        "withheld": 1,
    }


@given(st.text())
def test_plain_text_is_one_line_without_hidden_marks(text: str) -> None:
    shown = to_visible_line(text)
    assert shown == to_visible_line(shown)
    assert not re.search(r"[\n\r\x00-\x1f\u200b\u202a-\u202e\u2060-\u2069\ufeff]", shown)


def test_joiners_that_a_script_needs_are_kept() -> None:
    assert to_visible_line("می\u200cخواهم") == "می\u200cخواهم"


def test_the_html_file_loads_and_runs_nothing() -> None:
    page = render_document(document_of("word"), ".html").decode()
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|style=", page)
    assert set(re.findall(r'href="([^"]*)"', page)) == {"#content", "#p-1"}


def test_the_policy_names_the_style_sheet_by_its_hash() -> None:
    import base64
    import hashlib

    page = render_document(document_of("word"), ".html").decode()
    styles = page.split("<style>")[1].split("</style>")[0]
    assert base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode() in page


def test_the_html_has_a_language_landmarks_and_a_way_past_them() -> None:
    page = render_document(document_of("word"), ".html").decode()
    for part in ('<html lang="en">', "<header>", '<main id="content">', 'class="skip" href="#content"', "<nav aria"):
        assert part in page


def test_a_link_of_a_quote_is_kept_only_where_it_is_a_web_address() -> None:
    def linked(link: str) -> str:
        document = Document(kind="pre-reading", title="t", front_matter={}, blocks=(QuoteBlock("said", "C-1", link),))
        return render_document(document, ".html").decode() + render_document(document, ".md").decode()

    assert linked("https://intranet.example/cases/1").count("https://intranet.example/cases/1") == 2
    assert "javascript" not in linked("javascript:alert(1)")


def test_a_word_file_holds_the_text_and_no_link() -> None:
    for text in HOSTILE[::5]:
        written = render_document(document_of(text), ".docx")
        word = docx.Document(io.BytesIO(written))
        assert to_visible_line(text) in [paragraph.text for paragraph in word.paragraphs]
        relations = zipfile.ZipFile(io.BytesIO(written)).read("word/_rels/document.xml.rels").decode()
        assert 'TargetMode="External"' not in relations


def test_each_numbered_list_of_a_word_file_counts_from_one() -> None:
    document = Document(
        kind="playbook", title="t", front_matter={}, blocks=(NumberedList(("a", "b")), NumberedList(("c",)))
    )
    body = zipfile.ZipFile(io.BytesIO(render_document(document, ".docx"))).read("word/document.xml").decode()
    a, b, c = re.findall(r'<w:numId w:val="(\d+)"', body)
    assert a == b != c


def test_a_word_file_sets_right_to_left_text_from_the_right() -> None:
    document = Document(
        kind="playbook", title="t", front_matter={}, blocks=(Paragraph("(1) שלום"), Paragraph("hello שלום"))
    )
    body = zipfile.ZipFile(io.BytesIO(render_document(document, ".docx"))).read("word/document.xml").decode()
    assert body.count("<w:bidi/>") == 1


def test_a_pdf_is_drawn_from_hostile_text_without_loading_anything() -> None:
    pytest.importorskip("weasyprint")
    written = render_document(document_of(" ".join(HOSTILE[:6])), ".pdf")
    assert written.startswith(b"%PDF-")
    assert b"evil.example" not in written


def test_whatever_a_pdf_would_load_is_refused() -> None:
    with pytest.raises(ValueError, match="loads nothing"):
        refuse_fetch("https://evil.example", timeout=1)


def test_without_pango_a_pdf_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(UsageError, match=r"install libpango.*or write \.html"):
        render_document(document_of("word"), ".pdf")


def test_a_format_nobody_knows_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"\.md, \.html, \.pdf, \.docx"):
        render_document(document_of("word"), ".odt")


def test_the_suffix_may_be_written_as_people_do() -> None:
    assert render_document(document_of("word"), "MD") == render_document(document_of("word"), ".md")


def test_length_is_measured_in_every_script() -> None:
    assert count_words("came on at 22") == 4
    assert count_words("棚" * 100) == 50
    assert count_words("x" * 700) == 100
    assert (
        count_document_words(
            Document(kind="k", title="one two", front_matter={}, blocks=(Note("a", "b c"), BulletList(("d",))))
        )
        == 6
    )
