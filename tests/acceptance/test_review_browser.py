"""The review desk in a browser, by keyboard: decisions, undo, quotes, keys off, text that survives a dead server."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.fixtures.browser import TIMEOUT_MS, accessibility_violations, console_errors, serve_in_thread

from patternmind.bootstrap import AppContext
from patternmind.domain.drafts import DraftAction, DraftKind, DraftState, state_of
from patternmind.domain.permissions import Role
from patternmind.services.authentication import start_session
from patternmind.services.library import list_library
from patternmind.services.members import add_member
from patternmind.services.reviews import decide_draft, get_draft, list_all_drafts
from patternmind.settings import DEFAULT_NETWORK
from patternmind.web.cookies import PLAIN_COOKIE


@pytest.fixture(scope="module")
def ctx(grown_context: AppContext) -> AppContext:
    return grown_context


@pytest.fixture(scope="module")
def address(ctx: AppContext) -> Iterator[str]:
    with serve_in_thread(ctx) as address:
        yield address


@pytest.fixture(scope="module")
def secret(ctx: AppContext) -> str:
    member = add_member(ctx.accounts.members, ctx.clock, DEFAULT_NETWORK, "Ada Berg", (Role.FACILITATOR, Role.STEWARD))
    return start_session(ctx.accounts, ctx.clock, member.id, network_id=DEFAULT_NETWORK).secret


@pytest.fixture
def page(browser: Browser, address: str, secret: str) -> Iterator[Page]:
    """A signed-in page that fails the test over anything a browser complains about."""
    context = browser.new_context(base_url=address)
    context.add_cookies([{"name": PLAIN_COOKIE, "value": secret, "url": address}])
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    complaints = console_errors(page, address)
    yield page
    context.close()
    assert [complaint for complaint in complaints if "ERR_INTERNET_DISCONNECTED" not in complaint] == []


def a_draft(ctx: AppContext) -> str:
    drafts = [reviewed.grounded.draft for reviewed in list_all_drafts(ctx.store, kind=DraftKind.PATTERN)]
    return next(draft.id for draft in drafts if sum(claim.field == "solution" for claim in draft.claims) > 0)


def state(ctx: AppContext, draft_id: str) -> DraftState:
    return state_of(get_draft(ctx.store, draft_id).decisions)


def test_review_queue_works_by_shortcuts(ctx: AppContext, page: Page) -> None:
    draft_id = a_draft(ctx)
    page.goto(f"/drafts/{draft_id}")
    page.keyboard.press("a")
    page.wait_for_url(re.compile(r"/drafts/(?!" + draft_id + ")"))
    expect(page.get_by_role("status").first).to_contain_text("Accepted.")
    assert state(ctx, draft_id) is DraftState.ACCEPTED
    page.keyboard.press("z")
    page.wait_for_url(f"**/drafts/{draft_id}")
    assert state(ctx, draft_id) is DraftState.CANDIDATE
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Too abstract")).to_be_visible()
    page.keyboard.press("2")
    page.wait_for_url(re.compile(r"/drafts/(?!" + draft_id + ")"))
    assert state(ctx, draft_id) is DraftState.REJECTED
    page.keyboard.press("z")
    page.wait_for_url(f"**/drafts/{draft_id}")
    for key in ("Delete", "Backspace", "Enter"):
        page.keyboard.press(key)
    assert state(ctx, draft_id) is DraftState.CANDIDATE


def test_keys_j_and_k_move_between_sentences(ctx: AppContext, page: Page) -> None:
    page.goto(f"/drafts/{a_draft(ctx)}")
    page.keyboard.press("j")
    page.keyboard.press("j")
    chosen = page.locator("a.claim[aria-current]")
    expect(chosen).to_have_count(1)
    expect(chosen).to_be_focused()
    expect(page.locator("#evidence mark").first).to_have_text(chosen.inner_text())
    assert "claim=" in page.url
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_shortcuts_are_off_while_typing_and_configurable(ctx: AppContext, page: Page) -> None:
    draft_id = a_draft(ctx)
    page.goto("/settings/keys")
    page.get_by_label("Accept").fill("q")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved in this browser.")).to_be_visible()
    page.goto(f"/drafts/{draft_id}")
    page.keyboard.press("a")
    page.keyboard.press("x")
    page.get_by_label("Comment (optional)").fill("aeq")
    assert state(ctx, draft_id) is DraftState.CANDIDATE
    page.goto(f"/drafts/{draft_id}")
    page.keyboard.press("q")
    page.wait_for_url(re.compile(r"/drafts/(?!" + draft_id + ")"))
    assert state(ctx, draft_id) is DraftState.ACCEPTED
    decide_draft(ctx.store, ctx.clock, draft_id, DraftAction.UNDO, actor="Ada Berg")
    page.goto("/settings/keys")
    page.get_by_label("Turn off all shortcuts").check()
    page.get_by_role("button", name="Save").click()
    page.goto(f"/drafts/{draft_id}")
    page.keyboard.press("q")
    page.keyboard.press("e")
    assert page.url.endswith(draft_id)
    assert state(ctx, draft_id) is DraftState.CANDIDATE


def test_draft_autosave_survives_dead_server_and_closed_page(ctx: AppContext, page: Page) -> None:
    draft_id = a_draft(ctx)
    page.goto(f"/drafts/{draft_id}")
    page.keyboard.press("e")
    page.wait_for_url("**?edit=1")
    field = page.get_by_label("Name", exact=True)
    field.fill("A name from the train")
    page.context.set_offline(True)
    field.press("Control+Enter")
    expect(page.locator("[data-status]")).to_contain_text("Not saved yet: the server does not respond")
    page.context.set_offline(False)
    page.goto("/review")
    page.goto(f"/drafts/{draft_id}?edit=1")
    expect(field).to_have_value("A name from the train")
    expect(page.locator("[data-status]")).to_contain_text("Not saved yet")
    field.press("Control+Enter")
    page.wait_for_url(re.compile(draft_id + "$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("A name from the train")
    page.goto(f"/drafts/{draft_id}?edit=1")
    expect(page.locator("[data-status]")).to_have_text("")
    decide_draft(ctx.store, ctx.clock, draft_id, DraftAction.UNDO, actor="Ada Berg")


PAGES = (
    "/",
    "/review",
    "/review?shelf=decided",
    "/review/discuss",
    "/library",
    "/settings/keys",
    "DRAFT",
    "EDIT",
    "PATTERN",
)


def publish_one(ctx: AppContext) -> str:
    """Accept a draft with enough evidence to be published."""
    for reviewed in list_all_drafts(ctx.store, kind=DraftKind.PATTERN):
        draft_id = reviewed.grounded.draft.id
        decide_draft(ctx.store, ctx.clock, draft_id, DraftAction.ACCEPT, actor="Ada Berg")
        if list_library(ctx.store):
            return draft_id
        decide_draft(ctx.store, ctx.clock, draft_id, DraftAction.UNDO, actor="Ada Berg")
    raise AssertionError("none of the drafts can be published")


def the_pages(draft_id: str) -> Iterator[str]:
    pattern = draft_id.replace("d-", "p-")
    named = {"DRAFT": f"/drafts/{draft_id}", "EDIT": f"/drafts/{draft_id}?edit=1", "PATTERN": f"/library/{pattern}"}
    yield from (named.get(page_name, page_name) for page_name in PAGES)


def test_review_pages_are_accessible_and_fit_phones(ctx: AppContext, page: Page) -> None:
    """In both themes; at 320 pixels, which is also 1280 at 400 %."""
    draft_id = publish_one(ctx)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": 320, "height": 700})
        for address in the_pages(draft_id):
            page.goto(address)
            assert accessibility_violations(page) == [], (address, scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, address
    decide_draft(ctx.store, ctx.clock, draft_id, DraftAction.UNDO, actor="Ada Berg")
