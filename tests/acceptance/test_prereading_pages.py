"""Pre-reading as a facilitator meets it, in a browser without scripts."""

import html
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.networks import open_context as make_house
from tests.fixtures.page_client import PageClient

from patternmind.bootstrap import AppContext
from patternmind.domain.drafts import DraftKind
from patternmind.domain.permissions import Role
from patternmind.services.roster import add_people
from patternmind.web.app import make_app


@pytest.fixture(scope="module")
def app(grown_context: AppContext) -> Iterator[tuple[AppContext, Any]]:
    ctx = grown_context
    add_people(ctx.store, [("Zebulon Quast", None, None)])
    made = make_app(ctx)
    yield ctx, made
    made.state.shared.stop()


@pytest.fixture(scope="module")
def ada(app: tuple[AppContext, Any]) -> PageClient:
    return PageClient(app[0], Role.FACILITATOR, app=app[1])


def words_of(page: Any) -> str:
    """Return the text of a page without markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def ask_for(visitor: PageClient, **fields: str) -> str:
    """The address of a new pre-reading."""
    form = {"about": "topic", "topic": "the scanner froze in the cold", **fields}
    sent = visitor.send("/prereadings", form, page="/prereadings/new")
    assert sent.status_code == 303, words_of(sent)
    for _ in range(400):
        page = visitor.get(sent.headers["location"])
        link = re.search(r'data-do="redirect" href="(/prereadings/d-\w+)"', page.text)
        if link:
            assert f'content="0; url={link[1]}"' in page.text, "without scripts the page leads on by itself"
            return link[1]
        assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page.text
        time.sleep(0.05)
    raise AssertionError("it was never ready")


def fields_on(page: Any) -> dict[str, str]:
    """Return the form fields of a page as a browser would submit them."""
    areas = re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
    inputs = re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in [*inputs, *areas] if name != "form_token"}


def test_prereading_list_explains_first_step(tmp_path: Path) -> None:
    early = PageClient(make_house(tmp_path), Role.FACILITATOR)
    page = early.get("/prereadings")
    assert "No pre-reading yet" in words_of(page)
    assert 'href="/prereadings/new"' in page.text
    assert "A topic in your own words" in words_of(early.get("/prereadings/new"))


def test_invalid_prereading_request_shows_errors_and_keeps_text(ada: PageClient) -> None:
    wrong = {
        "about": {"session": "Jam in <May>"},
        "topic": {"about": "topic", "topic": "  ", "session": "Jam in <May>"},
        "case": {"about": "case", "case": "none such", "session": "Jam in <May>"},
        "theme": {"about": "theme", "theme": "t-none", "session": "Jam in <May>"},
        "date": {"about": "topic", "topic": "pumps", "date": "3 May", "session": "Jam in <May>"},
    }
    for field, form in wrong.items():
        page = ada.send("/prereadings", form, page="/prereadings/new")
        assert page.status_code == 422
        assert f'id="f-{field}-error"' in page.text, field
        assert 'value="Jam in &lt;May&gt;"' in page.text


def test_facilitator_creates_edits_approves_and_undoes_prereading(ada: PageClient) -> None:
    here = ask_for(ada, session="Cold store jam", date="2026-12-03", leave_with="One rule.")
    page = ada.get(here)
    assert "draft, not reviewed" in words_of(page)
    assert "One rule." in words_of(page)
    assert '<figure class="quote">' in page.text
    edit = fields_on(ada.get(f"{here}/edit"))
    saved = ada.send(f"{here}/edit", {**edit, "session": "Cold store jam, moved"}, page=f"{here}/edit")
    assert (saved.status_code, saved.headers["location"]) == (303, here)
    assert "Saved." in words_of(ada.get(here))
    assert ada.get(here).text.count('<figure class="quote">') == page.text.count('<figure class="quote">')
    done = ada.send(f"{here}/approve", {"version": "1"}, page=here)
    assert done.status_code == 303
    page = ada.get(here)
    assert "approved by Ada Berg" in words_of(page)
    assert "Approved by Ada Berg" in words_of(page)
    assert "Draft, not reviewed" not in ada.get(f"{here}/print").text
    assert ada.send(f"{here}/undo", {"version": "2"}, page=here).status_code == 303
    assert "Draft, not reviewed" in ada.get(f"{here}/print").text
    assert "Ada Berg undid a decision" in words_of(ada.get(here))


def test_edit_of_one_line_keeps_other_quotes(ada: PageClient) -> None:
    here = ask_for(ada, session="Lines")
    edit = fields_on(ada.get(f"{here}/edit"))
    lines = edit["case"].split("\n")
    assert len(lines) > 1
    edit["case"] = "\r\n".join(["In our own words.", *lines[1:]])
    ada.send(f"{here}/edit", edit, page=f"{here}/edit")
    after = ada.get(here)
    assert ">In our own words.</p>" in after.text.replace("<p>", ">")
    quoted = " ".join(re.findall(r"<blockquote>(.*?)</blockquote>", after.text, re.DOTALL))
    assert all(html.escape(line, quote=False) in html.unescape(quoted).replace("’", "'") for line in lines[1:])
    assert lines[0] not in quoted


def test_prereading_edit_conflict_shows_both_texts(ada: PageClient, app: tuple[AppContext, Any]) -> None:
    bo = PageClient(app[0], Role.STEWARD, name="Bo Lind", app=app[1])
    here = ask_for(ada, session="Two hands")
    of_bo = fields_on(bo.get(f"{here}/edit"))
    of_ada = fields_on(ada.get(f"{here}/edit"))
    ada.send(f"{here}/edit", {**of_ada, "leave_with": "Ada's sentence."}, page=f"{here}/edit")
    late = bo.send(f"{here}/edit", {**of_bo, "leave_with": "Bo's sentence."}, page=f"{here}/edit")
    assert late.status_code == 412
    text = words_of(late)
    assert "Ada Berg changed this pre-reading in the meantime." in text
    assert "Bo's sentence." in text
    assert "Current text Ada's sentence." in text
    again = bo.send(f"{here}/edit", fields_on(late), page=f"{here}/edit")
    assert again.status_code == 303
    assert "Bo's sentence." in words_of(bo.get(here))
    stale = bo.send(f"{here}/approve", {"version": "0"}, page=here)
    assert stale.status_code == 412
    assert "Someone else changed this in the meantime" in words_of(stale)


def test_invalid_prereading_edit_shows_errors_and_keeps_text(ada: PageClient) -> None:
    here = ask_for(ada, session="Names")
    edit = fields_on(ada.get(f"{here}/edit"))
    sent = {**edit, "questions": "Ask Zebulon Quast?", "date": "soon", "name": ""}
    page = ada.send(f"{here}/edit", sent, page=f"{here}/edit")
    assert page.status_code == 422
    for field in ("questions", "date", "name"):
        assert f'id="f-{field}-error"' in page.text
    assert "Ask Zebulon Quast?" in page.text


@pytest.mark.parametrize("format", ["md", "html", "pdf", "docx"])
def test_prereading_downloads_in_all_formats(ada: PageClient, format: str) -> None:
    file = ada.get(f"{ask_for(ada, session='Files')}/file/{format}")
    assert file.status_code == 200
    assert file.headers["content-disposition"] == f'attachment; filename="pre-reading.{format}"'


def test_prereading_pages_check_permission_and_existence(app: tuple[AppContext, Any]) -> None:
    member = PageClient(app[0], Role.MEMBER, app=app[1])
    assert member.get("/prereadings").status_code == 403
    steward = PageClient(app[0], Role.STEWARD, app=app[1])
    pattern = next(draft.id for draft, _, _ in app[0].store.drafts.list_all() if draft.kind is DraftKind.PATTERN)
    for address in ("/prereadings/d-none", f"/prereadings/{pattern}", "/prereadings/jobs/none"):
        assert steward.get(address).status_code == 404, address


def test_failed_job_shows_reason_and_restarts(
    ada: PageClient, app: tuple[AppContext, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("words of a case")

    with monkeypatch.context() as patched:
        patched.setattr("patternmind.services.prereadings.build_prereading", fail)
        sent = ada.send("/prereadings", {"about": "topic", "topic": "pumps"}, page="/prereadings/new")
        here = sent.headers["location"]
        page = ada.get(here)
        for _ in range(200):
            if "Start again" in page.text:
                break
            time.sleep(0.02)
            page = ada.get(here)
    assert "Unexpected error" in words_of(page)
    assert "words of a case" not in page.text
    again = ada.send(f"{here}/restart", page=here)
    assert again.status_code == 303
    assert again.headers["location"] != here
