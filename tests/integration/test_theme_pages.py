"""Theme pages and theme API: reading, decisions, proposals, undo and refusals."""

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tests.fixtures.builders import build_submission
from tests.fixtures.edit_histories import group_once, short_cases
from tests.fixtures.page_client import BASE_URL, PageClient, form_token_on

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Role
from patternmind.domain.themes import Theme
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.ports import RunParameters
from patternmind.services.theme_queries import list_themes
from patternmind.settings import Settings
from patternmind.web.app import make_app
from patternmind.web.pages import themes
from patternmind.web.pages.themes import cached_map

LATER = "2026Q2"


class Place:
    """A network after two runs, and people who visit it, all of one app."""

    def __init__(self, home: Path) -> None:
        self.ctx = AppContext(Settings(home=home), encoder=HashingEncoder())
        self.take_in(0, 52)
        self.ctx.run(RunParameters(label="2026Q1", draft=False))
        self.take_in(52, 6)
        self.ctx.run(RunParameters(label=LATER, draft=False))
        self.app = make_app(self.ctx)
        self.visitors: dict[str, tuple[PageClient, Any]] = {}

    def take_in(self, first: int, n: int) -> None:
        cases = short_cases(0, first, n)
        rows = [(build_submission(case.text, external_id=case.external_id), case) for case in cases]
        self.ctx.store.cases.save_all(rows)

    def visit(self, role: Role, name: str = "Ada Berg") -> PageClient:
        """The same visitor each time, who asks from now on."""
        if name not in self.visitors:
            who = PageClient(self.ctx, role, name=name, app=self.app)
            self.visitors[name] = who, self.app.state.shared.identify_caller
        who, self.app.state.shared.identify_caller = self.visitors[name]
        return who

    def themes(self) -> list[Theme]:
        return [theme for theme in self.ctx.store.themes.list_all() if theme.case_ids]

    def theme(self, theme_id: str) -> Theme:
        return next(theme for theme in self.ctx.store.themes.list_all() if theme.id == theme_id)

    def newest(self) -> int:
        log = self.ctx.store.edits.list_all()
        return log[-1].seq if log else 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("patternmind.pipeline.group_rows", group_once)
        return Place(tmp_path_factory.mktemp("themes"))


@pytest.fixture
def ada(place: Place) -> PageClient:
    return place.visit(Role.FACILITATOR)


def field(html: str, name: str) -> str:
    """The value of a hidden field, the first of its name."""
    match = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert match, f"no field {name}"
    return match[1]


def edit(who: PageClient, address: str, **fields: Any) -> Any:
    """Send a form of a page, with all that its hidden fields hold."""
    page = who.get(address).text
    hidden = {name: field(page, name) for name in ("seen", "lens")}
    return who.send(address, {**hidden, **fields}, page=address)


def flash_message(answer: Any) -> str:
    """Return the flash message of a response."""
    return unquote(answer.cookies.get("patternmind_flash", ""))


# reading


def test_theme_list_shows_themes_and_unplaced_cases(place: Place, ada: PageClient) -> None:
    page = ada.get("/themes").text
    for theme in place.themes():
        assert f'href="/themes/{theme.id}"' in page
        assert theme.name in page
    run = place.ctx.store.runs.latest()
    assert run is not None
    assert f"{run.n_outliers} case" in page
    assert ada.get("/themes", params={"sort": "name", "lens": "nonsense"}).status_code == 200


def test_theme_page_shows_facts_cases_and_history(place: Place, ada: PageClient) -> None:
    theme = place.themes()[0]
    page = ada.get(f"/themes/{theme.id}").text
    for case_id in theme.case_ids[:20]:
        assert f'href="/cases/{case_id}"' in page
    assert page.count('aria-label="strength ') == min(len(theme.case_ids), 25)
    for words in ("Share of all cases", "Stability", "Lineage", "Similar themes", "Changes by runs", LATER):
        assert words in page
    assert ada.get("/themes/t-none").status_code == 404


def test_map_links_to_themes_and_cases_and_has_a_table(place: Place, ada: PageClient) -> None:
    page = ada.get("/themes/map").text
    theme = place.themes()[0]
    assert "Exact distances and the width of gaps mean little" in page
    assert page.count(f'href="/themes/{theme.id}"') >= 3
    assert f'href="/cases/{theme.case_ids[0]}"' in page
    assert "Map as a table" in page
    listed_themes = list_themes(place.ctx.store, "all")
    assert cached_map(place.ctx, listed_themes) is cached_map(place.ctx, listed_themes)


def test_trend_page_shows_chart_and_table(place: Place, ada: PageClient) -> None:
    page = ada.get("/themes/trend").text
    assert 'role="img" aria-label="Cases by quarter: ' in page
    assert "Q1 2026" in page
    assert sum(sum(theme.trend.values()) for theme in place.themes()) > 0


def test_theme_pages_explain_missing_run_and_too_few_cases(tmp_path: Path) -> None:
    ctx = AppContext(Settings(home=tmp_path), encoder=HashingEncoder())
    ada = PageClient(ctx, Role.STEWARD)
    for address in ("", "/map", "/trend", "/changes"):
        assert "No run yet" in ada.get(f"/themes{address}").text
    assert "Every case is in a theme" in ada.get("/themes/unplaced").text
    assert "No decisions yet" in ada.get("/themes/log").text
    cases = short_cases(0, 0, 8)
    ctx.store.cases.save_all([(build_submission(case.text, external_id=case.external_id), case) for case in cases])
    ctx.run(RunParameters(draft=False))
    for address in ("", "/map", "/trend"):
        page = ada.get(f"/themes{address}").text
        assert "Not enough cases to group" in page
        assert "8 cases" in page
    assert ada.get("/themes/unplaced").text.count('name="case"') == 8


# deciding


def test_rename_applies_once_and_can_be_undone(place: Place, ada: PageClient) -> None:
    theme = place.themes()[0]
    address = f"/themes/{theme.id}"
    page = ada.get(address).text
    form = {
        "seen": field(page, "seen"),
        "lens": "all",
        "action": "rename",
        "theme_id": theme.id,
        "name": "Yard at night",
    }
    first, again = ada.send(address, form, page=address), ada.send(address, form, page=address)
    assert (first.status_code, again.status_code) == (303, 303)
    assert flash_message(first).startswith("Renamed.")
    seq = place.newest()
    assert place.ctx.store.edits.list_all()[-1].by == "Ada Berg"
    assert [entry.name for entry in place.ctx.store.edits.list_all()].count("Yard at night") == 1
    page = ada.get(address).text
    assert "Ada Berg renamed" in page
    assert "named by a person" in page
    assert edit(ada, address, action="undo", undoes=str(seq)).status_code == 303
    assert place.theme(theme.id).name == theme.name
    assert f"undone by decision {seq + 1}" in ada.get(address).text
    assert f"undone by decision {seq + 1}" in ada.get("/themes/log").text


def test_invalid_theme_name_keeps_the_text_and_shows_an_error(place: Place, ada: PageClient) -> None:
    theme, before = place.themes()[0], place.newest()
    address = f"/themes/{theme.id}"
    for wrong, message in (
        ("!!!", "at least one word"),
        ("x" * 130, "at most 120"),
        ("Call 0047 22 33 44 55", "contains a person"),
    ):
        answer = edit(ada, address, action="rename", theme_id=theme.id, name=wrong, note="because")
        assert answer.status_code == 422
        assert f'value="{wrong}"' in answer.text
        assert 'value="because"' in answer.text
        assert re.search(rf'class="error" id="f-rename-error">[^<]*{message}', answer.text)
    assert place.newest() == before


def test_contradictory_edit_names_both_decisions_and_keeps_the_selection(place: Place, ada: PageClient) -> None:
    theme = place.themes()[0]
    address, (left, right) = f"/themes/{theme.id}", theme.case_ids[:2]
    assert edit(ada, address, action="pin", theme_id=theme.id, case=[left, right]).status_code == 303
    seq = place.newest()
    answer = edit(ada, address, action="apart", theme_id=theme.id, case=[left, right], name="kept words")
    assert answer.status_code == 409
    assert f"To keep {left.upper()}, {right.upper()} apart contradicts decision {seq}" in answer.text
    assert "Ada Berg pinned" in answer.text
    assert answer.text.count(" checked>") == 2
    edit(ada, address, action="undo", undoes=str(seq))


def test_case_moves_and_split_redirect_to_the_cases(place: Place, ada: PageClient) -> None:
    first, second, *_ = place.themes()
    moved = first.case_ids[0]
    answer = edit(ada, f"/themes/{first.id}", action="move_out", theme_id=first.id, case=[moved])
    assert answer.status_code == 303
    assert moved not in place.theme(first.id).case_ids
    edit(ada, f"/themes/{first.id}", action="undo", undoes=str(place.newest()))
    answer = edit(ada, f"/themes/{second.id}", action="move_in", theme_id=second.id, cases=f" {moved.upper()} \n")
    assert answer.status_code == 303
    assert moved in place.theme(second.id).case_ids
    edit(ada, f"/themes/{second.id}", action="undo", undoes=str(place.newest()))
    some = list(place.theme(first.id).case_ids[:2])
    answer = edit(ada, f"/themes/{first.id}", action="split_off", theme_id=first.id, case=some, name="Ramps")
    new = answer.headers["location"].rpartition("/")[2]
    assert set(place.theme(new).case_ids) == set(some)
    assert "Ramps" in ada.get(f"/themes/{new}").text
    edit(ada, "/themes/log", action="undo", undoes=str(place.newest()))
    assert "No case of the last run" in ada.get(f"/themes/{new}").text
    answer = edit(ada, f"/themes/{first.id}", action="move_in", theme_id=first.id, cases="nobody-knows")
    assert answer.status_code == 422
    assert "nobody-knows</textarea>" in answer.text


def test_merge_redirects_to_the_remaining_theme(place: Place, ada: PageClient) -> None:
    first, second, *_ = place.themes()
    address = f"/themes/{second.id}"
    assert edit(ada, address, action="merge", theme_id=second.id).status_code == 422
    answer = edit(ada, address, action="merge", theme_id=second.id, other_theme_id=first.id)
    assert answer.headers["location"] == f"/themes/{first.id}"
    assert "This theme was merged into" in ada.get(address).text
    edit(ada, f"/themes/{first.id}", action="undo", undoes=str(place.newest()))
    assert place.theme(second.id).case_ids == second.case_ids


def test_theme_page_shows_owner_and_lock(place: Place, ada: PageClient) -> None:
    theme = place.themes()[-1]
    address = f"/themes/{theme.id}"
    edit(ada, address, action="own", theme_id=theme.id)
    edit(ada, address, action="lock", theme_id=theme.id)
    page = ada.get(address).text
    assert re.search(r"<dt>Owner</dt><dd>Ada Berg</dd>", page)
    assert ">locked</span>" in page
    edit(ada, address, action="undo", undoes=str(place.newest()))


def test_theme_edit_conflict_shows_later_decisions_and_keeps_text(place: Place, ada: PageClient) -> None:
    theme = place.themes()[0]
    address = f"/themes/{theme.id}"
    seen = field(ada.get(address).text, "seen")
    bo = place.visit(Role.FACILITATOR, name="Bo Lind")
    edit(bo, address, action="rename", theme_id=theme.id, name="Gate at dawn")
    ada = place.visit(Role.FACILITATOR)
    form = {"seen": seen, "lens": "all", "action": "rename", "theme_id": theme.id, "name": "Yard"}
    answer = ada.send(address, form, page=address)
    assert answer.status_code == 412
    assert "Bo Lind renamed" in answer.text
    assert 'value="Yard"' in answer.text
    assert edit(ada, address, action="undo", undoes=str(place.newest())).status_code == 303


def test_unplaced_cases_can_be_moved_into_a_theme(place: Place, ada: PageClient) -> None:
    theme = place.themes()[0]
    page = ada.get("/themes/unplaced").text
    chosen = field(page, "case")
    answer = edit(ada, "/themes/unplaced", action="move_in", other_theme_id=theme.id, case=[chosen])
    assert answer.status_code == 303
    assert chosen in place.theme(theme.id).case_ids
    edit(ada, "/themes/log", action="undo", undoes=str(place.newest()))
    assert edit(ada, "/themes/unplaced", action="split_off").status_code == 422


# who may do what


def test_data_partner_proposes_edit_and_facilitator_decides(place: Place) -> None:
    theme = place.themes()[0]
    address = f"/themes/{theme.id}"
    partner = place.visit(Role.DATA_PARTNER, name="Data Partner")
    assert "Your edits are proposals" in partner.get(address).text
    answer = edit(partner, address, action="rename", theme_id=theme.id, name="Doors in frost", note="see the charts")
    assert flash_message(answer).startswith("Proposed.")
    assert place.theme(theme.id).name == theme.name
    seq = place.newest()
    assert "Data Partner proposed to rename" in partner.get("/themes/changes").text
    for refused in (f"/themes/proposals/{seq}", "/runs/run-0002/changes"):
        assert partner.send(refused, {"answer": "accept"}, page="/themes").status_code == 403
    ada = place.visit(Role.FACILITATOR)
    assert ada.send(f"/themes/proposals/{seq}", {"answer": "maybe"}, page="/themes").status_code == 422
    answer = ada.send(f"/themes/proposals/{seq}", {"answer": "accept"}, page="/themes")
    assert answer.status_code == 303
    assert place.theme(theme.id).name == "Doors in frost"
    again = ada.send(f"/themes/proposals/{seq}", {"answer": "accept"}, page="/themes")
    assert flash_message(again) == "You have already decided this."
    assert f"accepted by Ada Berg (decision {place.newest()})" in ada.get("/themes/changes").text
    edit(ada, address, action="undo", undoes=str(place.newest()))
    ada.send(f"/themes/proposals/{seq}", {"answer": "decline"}, page="/themes")
    assert "declined by Ada Berg" in ada.get("/themes/changes").text


@pytest.mark.parametrize("role", [Role.MEMBER, Role.SPONSOR])
def test_theme_pages_are_hidden_from_members_and_sponsors(place: Place, role: Role) -> None:
    visitor = place.visit(role, name=f"Some {role.label}")
    for address in ("/themes", "/themes/map", f"/themes/{place.themes()[0].id}", "/themes/log", "/themes/changes"):
        assert visitor.get(address).status_code == 403


# changes of a run


def test_changes_are_decided_singly_and_together(place: Place, ada: PageClient) -> None:
    page = ada.get("/runs/run-0001/changes").text
    assert "can only be accepted" in page
    theme_id = re.findall(r'name="theme_id" value="([^"]+)"', page)[0]
    answer = ada.send(
        "/runs/run-0001/changes", {"answer": "accept", "theme_id": theme_id, "note": "as I thought"}, page="/themes"
    )
    assert answer.headers["location"] == "/runs/run-0001/changes"
    page = ada.get(f"/runs/run-0001/changes?at={theme_id}").text
    assert re.search(r"Accepted by Ada Berg, .*: as I thought\.", page)
    again = ada.send("/runs/run-0001/changes", {"answer": "accept", "theme_id": theme_id}, page="/themes")
    assert (again.status_code, flash_message(again)) == (303, "You have already decided this.")
    bo = place.visit(Role.FACILITATOR, name="Bo Lind")
    other = bo.send("/runs/run-0001/changes", {"answer": "accept", "theme_id": theme_id}, page="/themes")
    assert other.status_code == 422
    assert "answered already, by decision" in other.text
    ada = place.visit(Role.FACILITATOR)
    undone = ada.send(
        "/runs/run-0001/changes",
        {"answer": "undo", "undoes": field(page, "undoes"), "theme_id": theme_id},
        page="/themes",
    )
    assert undone.status_code == 303
    ada.send("/runs/run-0001/changes", {"answer": "accept_rest"}, page="/themes")
    page = ada.get("/runs/run-0001/changes").text
    n = page.count("data-focusable-row")
    assert f"{n} of {n} decided" in page
    wrong = ada.send(
        "/runs/run-0001/changes", {"answer": "decline", "theme_id": theme_id, "note": "my words"}, page="/themes"
    )
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text
    assert ada.get("/runs/run-9999/changes").status_code == 404


# the API


def ask(who: PageClient, method: str, path: str, **options: Any) -> Any:
    who.client.headers["x-form-token"] = form_token_on(who.get("/themes").text)
    return who.client.request(method, f"{BASE_URL}/api/v1/{path}", **options)


def test_theme_edit_api_edits_proposes_answers_and_undoes(place: Place, ada: PageClient) -> None:
    theme = place.themes()[0]
    tag = ask(ada, "GET", "themes/log").headers["etag"]
    assert tag == f'"{place.newest()}"'
    path, body = f"themes/{theme.id}/edits", {"action": "rename", "name": "Ferry at noon"}
    key = {"idempotency-key": "once", "if-match": tag}
    first, again = ask(ada, "POST", path, json=body, headers=key), ask(ada, "POST", path, json=body, headers=key)
    assert (first.status_code, again.json()) == (200, first.json())
    seq = first.json()["edit"]["seq"]
    assert place.newest() == seq
    assert place.theme(theme.id).name == "Ferry at noon"
    assert ask(ada, "POST", path, json=body, headers={"if-match": tag}).status_code == 412
    assert ask(ada, "POST", f"themes/log/{seq}/undo").json()["edit"]["undoes"] == seq
    assert ask(ada, "POST", path, json={"action": "fly"}).status_code == 422
    assert ask(ada, "POST", "themes/t-none/edits", json=body).status_code == 404
    pair = {"action": "together", "case_ids": [id.upper() for id in theme.case_ids[:2]]}
    together = ask(ada, "POST", "themes/edits", json=pair).json()["edit"]
    apart = ask(ada, "POST", "themes/edits", json={**pair, "action": "apart"})
    assert (apart.status_code, apart.json()["type"]) == (409, "/api/v1/docs#problem-contradiction")
    ask(ada, "POST", f"themes/log/{together['seq']}/undo")
    page = ask(ada, "GET", "themes/log", params={"limit": 2}).json()
    after = ask(ada, "GET", "themes/log", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [entry["seq"] for entry in page["items"] + after["items"]] == [1, 2, 3, 4]


def test_theme_api_lists_proposals_changes_trends_and_map(place: Place, ada: PageClient) -> None:
    theme = place.themes()[0]
    partner = place.visit(Role.DATA_PARTNER, name="Data Partner")
    wish = ask(partner, "POST", f"themes/{theme.id}/edits", json={"action": "retire"}).json()["edit"]
    assert wish["proposed"]
    assert ask(partner, "POST", f"themes/proposals/{wish['seq']}", json={"answer": "accept"}).status_code == 403
    ada = place.visit(Role.FACILITATOR)
    assert [item["edit"]["seq"] for item in ask(ada, "GET", "themes/proposals").json()["items"]] == [wish["seq"]]
    ask(ada, "POST", f"themes/proposals/{wish['seq']}", json={"answer": "decline", "note": "still comes"})
    assert ask(ada, "GET", "themes/proposals").json()["items"] == []
    changes = ask(ada, "GET", "themes/changes", params={"run": "run-0001"}).json()["items"]
    assert {change["lineage"] for change in changes} == {"new"}
    declined = ask(ada, "POST", f"themes/changes/run-0001/{changes[0]['theme_id']}", json={"answer": "decline"})
    assert declined.status_code == 422
    trends = ask(ada, "GET", "themes/trends").json()
    assert [sum(row["n_cases"]) for row in trends["themes"]] == [sum(item.trend.values()) for item in place.themes()]
    assert len(ask(ada, "GET", "map.json").json()["items"]) == 58
    picture = ask(ada, "GET", "map.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert ask(ada, "GET", "themes/doubts").json() == {"items": []}
    assert ask(ada, "GET", "runs/run-0002").json()["doubts"] == []


def test_theme_list_is_paginated(place: Place, ada: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(themes, "THEMES_PAGE_SIZE", 2)
    every = {theme.id for theme in place.themes()}
    for address in ("/themes?sort=name", "/themes", "/themes/trend", "/themes/map"):
        seen, at, n_pages = set[str](), address, 0
        while at:
            page = ada.get(at).text
            links = re.findall(r'<(?:h3|th scope="row")><a href="/themes/(t-[^"]+)"', page)
            assert len(links) <= 2
            assert not seen & set(links)
            seen |= set(links)
            following = re.search(r'rel="next" href="([^"]+)"', page)
            at, n_pages = html.unescape(following[1]) if following else "", n_pages + 1
        assert (seen, n_pages) == (every, -(-len(every) // 2)), address


def test_conflict_is_shown_with_names_and_can_be_kept(place: Place, ada: PageClient) -> None:
    first, second, *_ = place.themes()
    sure = first.case_ids[0]
    edit(ada, f"/themes/{second.id}", action="move_in", theme_id=second.id, cases=sure)
    seq = place.newest()
    page = ada.get("/themes/changes").text
    assert f"{sure.upper()} is held in “{second.name}”, but the data clearly assigns it to “{first.name}”" in page
    for _ in range(2):
        assert ada.send(f"/themes/doubts/{seq}", {"answer": "decline"}, page="/themes").status_code == 303
    assert "Kept by Ada Berg" in ada.get("/themes/changes").text
    assert place.newest() == seq + 1
    edit(ada, "/themes/log", action="undo", undoes=str(seq))


def test_map_omits_withdrawn_case(place: Place, ada: PageClient) -> None:
    gone = place.ctx.store.themes.list_all()[0].case_ids[1]
    assert f'href="/cases/{gone}"' in ada.get("/themes/map").text
    place.ctx.withdraw(gone, actor="Ada Berg")
    assert f'href="/cases/{gone}"' not in ada.get("/themes/map").text
