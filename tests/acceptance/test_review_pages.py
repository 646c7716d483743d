"""The review desk as a person uses it without scripts: queue, evidence, decisions, undo, two at once, the library."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.page_client import PageClient

from patternmind.bootstrap import AppContext
from patternmind.domain.drafts import DraftAction, DraftKind, DraftState, RejectionReason, state_of
from patternmind.domain.permissions import Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.services.review_queue import list_own_decisions
from patternmind.services.reviews import decide_draft, get_draft, list_all_drafts
from patternmind.settings import Settings
from patternmind.web.cookies import PLAIN_COOKIE


@pytest.fixture(scope="module")
def ctx(grown_context: AppContext) -> AppContext:
    """A network whose run left drafts to review."""
    return grown_context


@pytest.fixture(scope="module")
def ada(ctx: AppContext) -> PageClient:
    return PageClient(ctx, Role.FACILITATOR, name="Ada Berg")


@pytest.fixture(scope="module")
def bo(ctx: AppContext) -> PageClient:
    return PageClient(ctx, Role.FACILITATOR, name="Bo Lind")


@pytest.fixture(autouse=True)
def _as_it_was(ctx: AppContext) -> Iterator[None]:
    """Every test leaves all drafts undecided; the log keeps what was done."""
    yield
    for summary in ctx.store.drafts.summaries():
        while state(ctx, summary.id) is not DraftState.CANDIDATE:
            decide_draft(ctx.store, ctx.clock, summary.id, DraftAction.UNDO, actor="Zed")
    for held in ctx.store.drafts.reservations(ctx.clock.now()):
        ctx.store.drafts.release(held.draft_id, held.by)


def a_draft(ctx: AppContext) -> str:
    """One that can be accepted, with claims of several cases."""
    drafts = [reviewed.grounded.draft for reviewed in list_all_drafts(ctx.store, kind=DraftKind.PATTERN)]
    return next(draft.id for draft in drafts if any(claim.field == "solution" for claim in draft.claims))


def decide(visitor: PageClient, draft_id: str, **fields: str):
    page = f"/drafts/{draft_id}"
    version = re.search(r'name="version" value="(\d+)"', visitor.get(page).text)
    assert version
    return visitor.send(f"{page}/decide", {"version": version[1], **fields}, page=page)


def state(ctx: AppContext, draft_id: str) -> DraftState:
    return state_of(get_draft(ctx.store, draft_id).decisions)


def test_review_queue_explains_order_and_progress(ctx: AppContext, ada: PageClient) -> None:
    n = len(list_all_drafts(ctx.store))
    page = unescape(ada.get("/review").text)
    assert f"0 of {n} decided" in page
    assert "Most uncertain first. One draft in ten is picked at random" in page
    assert page.count("data-focusable-row") == n
    assert "All drafts are decided" not in page
    assert "No matching drafts" in ada.get("/review?words=zzzzz").text
    assert "No draft needs a second view" in ada.get("/review?shelf=second").text
    assert "Nothing to discuss" in ada.get("/review/discuss").text


def test_sentence_links_to_its_highlighted_quote(ctx: AppContext, ada: PageClient) -> None:
    draft = get_draft(ctx.store, a_draft(ctx)).grounded.draft
    number = next(n for n, claim in enumerate(draft.claims) if claim.field == "solution")
    page = unescape(ada.get(f"/drafts/{draft.id}?claim={number}").text)
    quote = draft.claims[number].quotes[0]
    case = ctx.store.cases.get(quote.case_id)
    assert f"<mark>{quote.text}</mark>" in page
    for text in case.text.values():
        assert text in re.sub(r"</?mark>", "", page)
    assert "Counter-evidence" in page
    assert "No AI used" in page
    assert "published" in page


def test_accepting_opens_next_draft_and_can_be_undone(ctx: AppContext, ada: PageClient) -> None:
    draft_id = a_draft(ctx)
    answer = decide(ada, draft_id, decision="accept")
    assert answer.status_code == 303
    following = answer.headers["location"]
    assert re.fullmatch(r"/drafts/d-[0-9a-f]+", following)
    assert following != f"/drafts/{draft_id}"
    assert "Accepted." in ada.get(following).text
    assert state(ctx, draft_id) is DraftState.ACCEPTED
    assert "1 of" in ada.get("/review").text
    back = ada.send("/review/undo", page="/review")
    assert back.headers["location"] == f"/drafts/{draft_id}"
    assert state(ctx, draft_id) is DraftState.CANDIDATE


def test_rejecting_needs_one_reason_button(ctx: AppContext, ada: PageClient) -> None:
    draft_id = a_draft(ctx)
    decide(ada, draft_id, reason=RejectionReason.TOO_ABSTRACT.value)
    assert state(ctx, draft_id) is DraftState.REJECTED
    last = list_own_decisions(ctx.store, "Ada Berg")[0].decision
    assert (last.action, last.reason) == (DraftAction.REJECT, RejectionReason.TOO_ABSTRACT)
    without = decide(ada, next(item.grounded.draft.id for item in list_all_drafts(ctx.store)), decision="reject")
    assert without.status_code in {409, 422}


def test_repeated_decision_is_ignored(ctx: AppContext, ada: PageClient) -> None:
    draft_id = a_draft(ctx)
    before = get_draft(ctx.store, draft_id).version
    for _ in range(3):
        page = f"/drafts/{draft_id}"
        answer = ada.send(f"{page}/decide", {"version": str(before), "decision": "accept"}, page=page)
        assert answer.status_code == 303
    assert get_draft(ctx.store, draft_id).version == before + 1


@pytest.mark.parametrize("fields", [{"decision": "accept"}, {"decision": "edit", "f.name": "Red cards at every door"}])
def test_simultaneous_clicks_are_one_decision(
    ctx: AppContext, ada: PageClient, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
) -> None:
    """The other one gets there after this one has looked and before it writes."""
    draft_id = a_draft(ctx)
    before = get_draft(ctx.store, draft_id).version

    def after_the_other(*args: Any, **how: Any) -> object:
        decide_draft(*args, **how)
        return decide_draft(*args, **how)

    monkeypatch.setattr("patternmind.web.pages.draft.decide_draft", after_the_other)
    page = f"/drafts/{draft_id}"
    answer = ada.send(f"{page}/decide", {"version": str(before), **fields}, page=page)
    assert answer.status_code == 303
    assert get_draft(ctx.store, draft_id).version == before + 1


def test_draft_edit_is_shown_as_word_diff(ctx: AppContext, ada: PageClient) -> None:
    draft_id = a_draft(ctx)
    form = ada.get(f"/drafts/{draft_id}?edit=1").text
    assert 'name="f.solution"' in form
    decide(ada, draft_id, decision="edit", **{"f.name": "Red cards at handover", "note": "clearer"})
    page = unescape(ada.get(f"/drafts/{draft_id}").text)
    assert "<h1>Red cards at handover</h1>" in page
    assert "<ins>" in page
    assert "<del>" in page
    assert "clearer" in page


def test_review_conflict_shows_difference_and_keeps_text(ctx: AppContext, ada: PageClient, bo: PageClient) -> None:
    draft_id = a_draft(ctx)
    seen = str(get_draft(ctx.store, draft_id).version)
    decide(ada, draft_id, decision="edit", **{"f.name": "Handover in person"})
    mine = {"f.name": "Handover with a red card", "f.context": "At night, <in the yard>.", "note": "my reason"}
    page = f"/drafts/{draft_id}"
    answer = bo.send(f"{page}/decide", {"version": seen, "decision": "edit", **mine}, page=page)
    assert answer.status_code == 412
    text = unescape(answer.text)
    assert "Ada Berg decided in the meantime: edit" in text
    assert all(words in text for words in mine.values())
    assert "<del>in person</del><ins>with a red card</ins>" in text
    assert get_draft(ctx.store, draft_id).decisions[-1].by == "Ada Berg"
    again = re.search(r'name="version" value="(\d+)"', answer.text)
    assert again
    bo.send(f"{page}/decide", {"version": again[1], "decision": "edit", **mine}, page=page)
    assert "Handover with a red card" in unescape(bo.get(page).text)


def test_edit_with_a_name_is_refused_and_kept(ctx: AppContext, ada: PageClient) -> None:
    draft_id = a_draft(ctx)
    answer = decide(ada, draft_id, decision="edit", **{"f.context": "Ask ada.berg@example.com about it."})
    assert answer.status_code == 422
    assert "ada.berg@example.com" in answer.text
    assert "contains a person's name or contact details" in unescape(answer.text)


def test_second_view_hides_first_decision_until_given(ctx: AppContext, ada: PageClient, bo: PageClient) -> None:
    draft_id = a_draft(ctx)
    decide(ada, draft_id, decision="not_sure", note="I doubt the cause")
    page = bo.get(f"/drafts/{draft_id}").text
    assert "Yours is the second view" in page
    assert "Ada Berg" not in page
    assert "doubt the cause" not in page
    assert bo.get(f"/api/v1/drafts/{draft_id}").json()["decisions"] == []
    assert "waiting for another reviewer" in ada.get("/review?shelf=second").text
    assert "1 need" in ada.get("/review").text
    begun = bo.send("/review/next", page="/review")
    assert begun.headers["location"] == f"/drafts/{draft_id}"
    decide(bo, draft_id, reason=RejectionReason.WRONG_CAUSE.value)
    assert "doubt the cause" in bo.get(f"/drafts/{draft_id}").text


def test_disagreements_are_listed_for_discussion(ctx: AppContext, ada: PageClient, bo: PageClient) -> None:
    draft_id = a_draft(ctx)
    decide(ada, draft_id, decision="accept")
    decide(bo, draft_id, decision="undo")
    decide(bo, draft_id, reason=RejectionReason.WRONG_CAUSE.value)
    page = ada.get("/review/discuss").text
    assert draft_id in page
    assert "Ada Berg: accept" in page
    assert "Bo Lind: reject" in page


def test_open_draft_is_reserved_for_its_reviewer(ctx: AppContext, ada: PageClient, bo: PageClient) -> None:
    hers = ada.send("/review/next", page="/review").headers["location"]
    his = bo.send("/review/next", page="/review").headers["location"]
    assert hers != his
    assert "Being reviewed by Ada Berg" in bo.get(hers).text


def test_jam_flag_moves_draft_from_queue_to_jam_list(ctx: AppContext, ada: PageClient) -> None:
    draft_id = a_draft(ctx)
    decide(ada, draft_id, decision="flag")
    assert draft_id not in ada.get("/review").text.partition("Your last decisions")[0]
    assert draft_id in ada.get("/review/discuss").text
    assert draft_id in ada.get("/review?shelf=jam").text.partition("Your last decisions")[0]


def test_last_decisions_survive_server_restart(ctx: AppContext, ada: PageClient) -> None:
    draft_id = a_draft(ctx)
    decide(ada, draft_id, decision="accept")
    again = PageClient(AppContext(ctx.settings, encoder=HashingEncoder()))
    again.client.cookies.set(PLAIN_COOKIE, ada.secret, domain="127.0.0.1")
    aside = again.get("/review").text.partition("Your last decisions")[2]
    assert draft_id in aside
    again.send("/review/undo", page="/review")
    assert state(ctx, draft_id) is DraftState.CANDIDATE


def test_decisions_need_reviewer_and_retiring_needs_steward(ctx: AppContext, ada: PageClient) -> None:
    draft_id = a_draft(ctx)
    for role, may_read in ((Role.MEMBER, 403), (Role.SPONSOR, 403), (Role.DATA_PARTNER, 200)):
        visitor = PageClient(ctx, role, name="Cy")
        assert visitor.get(f"/drafts/{draft_id}").status_code == may_read
        sent = visitor.send(f"/drafts/{draft_id}/decide", {"version": "0", "decision": "accept"}, page="/")
        assert sent.status_code == 403
    decide(ada, draft_id, decision="accept")
    assert decide(ada, draft_id, decision="retire").status_code == 403
    assert ada.get("/drafts/d-nothing").status_code == 404


def test_member_finds_pattern_and_records_use(ctx: AppContext, ada: PageClient) -> None:
    member = PageClient(ctx, Role.MEMBER, name="Mia")
    assert "No pattern is published yet" in member.get("/library").text
    pattern_id = None
    for reviewed in list_all_drafts(ctx.store, kind=DraftKind.PATTERN):
        decide_draft(ctx.store, ctx.clock, reviewed.grounded.draft.id, DraftAction.ACCEPT, actor="Ada Berg")
        if (link := re.search(r"/library/(p-[0-9a-f]+)", member.get("/library").text)) is not None:
            pattern_id = link[1]
            break
        decide_draft(ctx.store, ctx.clock, reviewed.grounded.draft.id, DraftAction.UNDO, actor="Ada Berg")
    assert pattern_id, "one of the drafts can be published"
    page = f"/library/{pattern_id}"
    assert "Counter-evidence" in member.get(page).text
    assert f"/library/{pattern_id}" in member.get("/library?words=frozen+scanner").text
    wrong = member.send(f"{page}/uses", {"on": "soon", "team": "Hall 3", "note": "It <helped>."}, page=page)
    assert wrong.status_code == 422
    assert "YYYY-MM-DD" in wrong.text
    assert "It <helped>." in unescape(wrong.text)
    for team, day in (("Hall 3", "2026-01-05"), ("Hall 3", "2026-01-06"), ("Yard", "2026-01-07")):
        sent = member.send(f"{page}/uses", {"on": day, "team": team, "note": "It helped."}, page=page)
        assert sent.status_code == 303
        member.send(f"{page}/uses", {"on": day, "team": team, "note": "It helped."}, page=page)
    assert len(ctx.store.drafts.pattern_uses(pattern_id)) == 3
    assert "field-tested" in member.get(page).text
    assert state(ctx, pattern_id.replace("p-", "d-")) is DraftState.FIELD_TESTED
    assert "Mia" not in member.get(page).text.partition("<main")[2]


def test_home_page_shows_pending_reviews_by_role(ctx: AppContext, ada: PageClient) -> None:
    assert "to review" in ada.get("/").text
    assert "to review" not in PageClient(ctx, Role.MEMBER, name="Mia").get("/").text


def test_pages_of_empty_network_explain_first_steps(tmp_path: Path) -> None:
    steward = PageClient(AppContext(Settings(home=tmp_path), encoder=HashingEncoder()), Role.STEWARD)
    assert "No drafts yet" in steward.get("/review").text
    assert "No run yet" in steward.get("/").text
    assert "No pattern is published yet" in steward.get("/library").text
