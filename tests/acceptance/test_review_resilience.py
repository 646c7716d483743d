"""Review under back buttons, double clicks, two tabs, restarts, expired sessions and slow networks.

The tests use a real browser, with and without scripts. No text is lost and no decision is applied twice.
"""

import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from tests.fixtures.browser import TIMEOUT_MS, console_errors, serve_in_thread

from patternmind.bootstrap import AppContext
from patternmind.domain.drafts import (
    DraftAction,
    DraftKind,
    DraftState,
    RejectionReason,
    active_decisions,
    fields_of,
    state_of,
)
from patternmind.domain.members import Member
from patternmind.domain.permissions import Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.services.authentication import create_sign_in_link, set_password, start_session
from patternmind.services.members import add_member
from patternmind.services.reviews import decide_draft, get_draft, list_all_drafts
from patternmind.settings import DEFAULT_NETWORK
from patternmind.storage.passwords import Argon2PasswordHasher
from patternmind.web.cookies import PLAIN_COOKIE

PASSWORD = "eleven bright lanterns"
NAME = "Red cards at every handover"
SLOW_SECONDS = 0.4


class Desk:
    """An app context whose server can be stopped and restarted on the same port."""

    def __init__(self, home: AppContext) -> None:
        self.ctx = home
        self.port = 0
        self.before: dict[str, int] = {}
        self._running = ExitStack()

    def start(self) -> None:
        """Start the server with a new app context, as after a restart."""
        again = AppContext(self.ctx.settings, encoder=HashingEncoder())
        self.address = self._running.enter_context(serve_in_thread(again, port=self.port))
        self.port = urlsplit(self.address).port or 0

    def stop(self) -> None:
        self._running.close()

    def state(self, draft_id: str) -> DraftState:
        return state_of(get_draft(self.ctx.store, draft_id).decisions)

    def decided(self, draft_id: str) -> list[tuple[str, str]]:
        """Return the decisions of this test as (person, action)."""
        log = get_draft(self.ctx.store, draft_id).decisions
        return [(decision.by, decision.action.value) for decision in log[self.before.get(draft_id, 0) :]]

    def take_back(self) -> None:
        """All drafts wait again; their logs keep what was done."""
        store, clock = self.ctx.store, self.ctx.clock
        for summary in store.drafts.summaries():
            while active_decisions(get_draft(store, summary.id).decisions):
                decide_draft(store, clock, summary.id, DraftAction.UNDO, actor="Zed")
            self.before[summary.id] = get_draft(store, summary.id).version
        for held in store.drafts.reservations(clock.now()):
            store.drafts.release(held.draft_id, held.by)

    def name_of(self, draft_id: str) -> str:
        return str(fields_of(get_draft(self.ctx.store, draft_id))["name"])


@pytest.fixture(scope="module")
def desk(grown_context: AppContext) -> Iterator[Desk]:
    desk = Desk(grown_context)
    desk.start()
    yield desk
    desk.stop()


@pytest.fixture(scope="module")
def ada(desk: Desk) -> Member:
    return add_member(desk.ctx.accounts.members, desk.ctx.clock, DEFAULT_NETWORK, "Ada Berg", [Role.FACILITATOR])


@pytest.fixture
def draft_id(desk: Desk) -> str:
    """One that waits, as all of them do, and can be accepted."""
    desk.take_back()
    drafts = [reviewed.grounded.draft for reviewed in list_all_drafts(desk.ctx.store, kind=DraftKind.PATTERN)]
    return next(draft.id for draft in drafts if any(claim.field == "solution" for claim in draft.claims))


WITH_AND_WITHOUT = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])


@contextmanager
def browsing(browser: Browser, desk: Desk, *, scripts: bool) -> Generator[BrowserContext]:
    context = browser.new_context(base_url=desk.address, java_script_enabled=scripts)
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@contextmanager
def signed_in(browser: Browser, desk: Desk, member: Member, *, scripts: bool) -> Generator[BrowserContext]:
    started = start_session(desk.ctx.accounts, desk.ctx.clock, member.id, network_id=DEFAULT_NETWORK)
    with browsing(browser, desk, scripts=scripts) as context:
        context.add_cookies([{"name": PLAIN_COOKIE, "value": started.secret, "url": desk.address}])
        yield context


def accept(page: Page) -> None:
    page.get_by_role("button", name="Accept").click()


def write_a_name(page: Page, draft_id: str, name: str = NAME) -> None:
    page.goto(f"/drafts/{draft_id}?edit=1")
    page.get_by_label("Name", exact=True).fill(name)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()


def slowly(route: Route) -> None:
    time.sleep(SLOW_SECONDS)
    route.continue_()


def elsewhere(draft_id: str) -> re.Pattern[str]:
    return re.compile(rf"/(drafts/(?!{draft_id})|review$)")


# The back button, and twice -------------------------------------------------------------------------------------------


@WITH_AND_WITHOUT
def test_back_button_and_reload_repeat_no_decision(
    browser: Browser, desk: Desk, ada: Member, draft_id: str, scripts: bool
) -> None:
    with signed_in(browser, desk, ada, scripts=scripts) as context:
        page = context.new_page()
        page.goto(f"/drafts/{draft_id}")
        accept(page)
        page.wait_for_url(elsewhere(draft_id))
        page.reload()
        page.go_back()
        expect(page).to_have_url(re.compile(draft_id))
        if page.get_by_role("button", name="Accept").is_visible():  # the page as it was before: sent once more
            accept(page)
            page.wait_for_url(elsewhere(draft_id))
        else:
            expect(page.locator(".state")).to_contain_text("accepted")
        page.reload()
    assert desk.decided(draft_id) == [("Ada Berg", "accept")]


@WITH_AND_WITHOUT
def test_double_click_is_one_decision(browser: Browser, desk: Desk, ada: Member, draft_id: str, scripts: bool) -> None:
    with signed_in(browser, desk, ada, scripts=scripts) as context:
        page = context.new_page()
        page.goto(f"/drafts/{draft_id}")
        page.get_by_role("button", name="Accept").dblclick()
        page.wait_for_url(elsewhere(draft_id))
        following = page.url.rpartition("/")[2]
        assert desk.decided(draft_id) == [("Ada Berg", "accept")]
        assert following == "review" or desk.decided(following) == []
        write_a_name(page, draft_id)
        page.get_by_role("button", name="Save").dblclick()
        page.wait_for_url(re.compile(draft_id + "$"))
    assert desk.decided(draft_id) == [("Ada Berg", "accept"), ("Ada Berg", "edit")]


# A slow and a broken network ------------------------------------------------------------------------------------------


@WITH_AND_WITHOUT
def test_repeated_click_on_slow_network_is_one_decision(
    browser: Browser, desk: Desk, ada: Member, draft_id: str, scripts: bool
) -> None:
    with signed_in(browser, desk, ada, scripts=scripts) as context:
        page = context.new_page()
        page.goto(f"/drafts/{draft_id}")
        context.route("**/decide", slowly)
        button = page.get_by_role("button", name="Accept")
        button.click(no_wait_after=True)
        button.click(no_wait_after=True, timeout=2_000)
        page.wait_for_url(elsewhere(draft_id))
    assert desk.decided(draft_id) == [("Ada Berg", "accept")]


def test_edit_is_kept_when_the_connection_fails(browser: Browser, desk: Desk, ada: Member, draft_id: str) -> None:
    with signed_in(browser, desk, ada, scripts=True) as context:
        page = context.new_page()
        write_a_name(page, draft_id)
        context.route("**/decide", lambda route: route.abort())
        with page.expect_event("requestfailed"):
            save(page)
        context.unroute("**/decide")
        page.goto(f"/drafts/{draft_id}?edit=1")
        expect(page.get_by_label("Name", exact=True)).to_have_value(NAME)
        expect(page.locator("[data-status]")).to_contain_text("Not saved yet")
        save(page)
        page.wait_for_url(re.compile(draft_id + "$"))
    assert desk.name_of(draft_id) == NAME
    assert desk.decided(draft_id) == [("Ada Berg", "edit")]


# Two tabs -------------------------------------------------------------------------------------------------------------


@WITH_AND_WITHOUT
def test_draft_conflict_shows_difference_to_second_tab(
    browser: Browser, desk: Desk, ada: Member, draft_id: str, scripts: bool
) -> None:
    with signed_in(browser, desk, ada, scripts=scripts) as context:
        first, second = context.new_page(), context.new_page()
        write_a_name(first, draft_id, "Handover in person")
        write_a_name(second, draft_id, "Handover with a red card")
        second.get_by_label("Reason (optional)").fill("seen on the floor")
        save(first)
        first.wait_for_url(re.compile(draft_id + "$"))
        save(second)
        expect(second.get_by_role("alert")).to_contain_text("Ada Berg decided in the meantime: edit")
        expect(second.get_by_role("alert").locator("ins")).to_have_text("with a red card")
        expect(second.get_by_label("Name", exact=True)).to_have_value("Handover with a red card")
        expect(second.get_by_label("Reason (optional)")).to_have_value("seen on the floor")
        assert desk.name_of(draft_id) == "Handover in person"
        save(second)
        second.wait_for_url(re.compile(draft_id + "$"))
        expect(second.get_by_role("heading", level=1)).to_have_text("Handover with a red card")
    assert desk.name_of(draft_id) == "Handover with a red card"


@WITH_AND_WITHOUT
def test_decision_is_refused_when_its_tab_is_outdated(
    browser: Browser, desk: Desk, ada: Member, draft_id: str, scripts: bool
) -> None:
    with signed_in(browser, desk, ada, scripts=scripts) as context:
        first, second = context.new_page(), context.new_page()
        first.goto(f"/drafts/{draft_id}")
        second.goto(f"/drafts/{draft_id}")
        accept(first)
        first.wait_for_url(elsewhere(draft_id))
        second.get_by_text("Reject", exact=False).first.click()
        second.get_by_role("button", name=RejectionReason.TOO_ABSTRACT.value.capitalize()).click()
        expect(second.get_by_role("alert")).to_contain_text("Ada Berg decided in the meantime: accept")
        assert desk.state(draft_id) is DraftState.ACCEPTED
        second.get_by_role("button", name="Undo this decision").click()
        expect(second.get_by_role("status").first).to_contain_text("Undone")
    assert desk.state(draft_id) is DraftState.CANDIDATE


# A restart, and a sign-in that ended ----------------------------------------------------------------------------------


@WITH_AND_WITHOUT
def test_form_works_after_server_restart(
    browser: Browser, desk: Desk, ada: Member, draft_id: str, scripts: bool
) -> None:
    with signed_in(browser, desk, ada, scripts=scripts) as context:
        page = context.new_page()
        write_a_name(page, draft_id)
        desk.stop()
        if scripts:
            save(page)
            expect(page.locator("[data-status]")).to_contain_text("Not saved yet: the server does not respond")
        desk.start()
        save(page)
        page.wait_for_url(re.compile(draft_id + "$"))
        assert desk.name_of(draft_id) == NAME
        desk.stop()
        desk.start()
        accept(page)
        page.wait_for_url(elsewhere(draft_id))
    assert desk.decided(draft_id) == [("Ada Berg", "edit"), ("Ada Berg", "accept")]


@pytest.fixture(scope="module")
def bo(desk: Desk) -> Member:
    """A facilitator with a password that is cheap to verify."""
    ctx = desk.ctx
    bo = add_member(ctx.accounts.members, ctx.clock, DEFAULT_NETWORK, "Bo Lind", [Role.FACILITATOR])
    session = start_session(ctx.accounts, ctx.clock, bo.id, network_id=DEFAULT_NETWORK).session
    set_password(ctx.accounts, Argon2PasswordHasher(time_cost=1, memory_kib=64), session, PASSWORD)
    return bo


@WITH_AND_WITHOUT
def test_review_text_is_restored_after_sign_in(
    browser: Browser, desk: Desk, bo: Member, draft_id: str, scripts: bool
) -> None:
    with signed_in(browser, desk, bo, scripts=scripts) as context:
        page = context.new_page()
        write_a_name(page, draft_id)
        page.get_by_label("Reason (optional)").fill('seen on the floor, twice, with <angle> & quote"s')
        sessions = desk.ctx.accounts.sessions.list_all(bo.id)
        desk.ctx.accounts.sessions.delete_all([session.sha256 for session in sessions])
        save(page)
        expect(page.get_by_text("Your text is saved on this page")).to_be_visible()
        page.get_by_label("Sign-in name").fill(bo.id)
        page.get_by_label("Password").fill("not it, surely not")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_text("Wrong name or password")).to_be_visible()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("button", name="Submit again").click()
        page.wait_for_url(re.compile(draft_id + "$"))
        expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
        expect(page.locator(".log")).to_contain_text('seen on the floor, twice, with <angle> & quote"s')
    assert desk.decided(draft_id) == [("Bo Lind", "edit")]


def test_autosaved_text_is_private_and_deleted_at_sign_out(
    browser: Browser, desk: Desk, ada: Member, bo: Member, draft_id: str
) -> None:
    def sign_in(context: BrowserContext, member: Member) -> None:
        started = start_session(desk.ctx.accounts, desk.ctx.clock, member.id, network_id=DEFAULT_NETWORK)
        context.add_cookies([{"name": PLAIN_COOKIE, "value": started.secret, "url": desk.address}])

    def name_shown(page: Page) -> str:
        page.goto(f"/drafts/{draft_id}?edit=1")
        return page.get_by_label("Name", exact=True).input_value()

    with browsing(browser, desk, scripts=True) as context:
        page = context.new_page()
        sign_in(context, ada)
        before = name_shown(page)
        page.get_by_label("Name", exact=True).fill(NAME)
        expect(page.locator("[data-status]")).to_contain_text("kept in this browser")
        sign_in(context, bo)
        assert name_shown(page) == before
        sign_in(context, ada)
        assert name_shown(page) == NAME
        page.goto("/settings/account")
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.wait_for_url("**/sign-in*")
        sign_in(context, ada)
        assert name_shown(page) == before
        assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('text'))") == []


# From the first link to four decisions --------------------------------------------------------------------------------


def test_review_works_without_scripts(browser: Browser, desk: Desk, draft_id: str) -> None:
    link = a_link(desk, "Cleo Marsh")
    with browsing(browser, desk, scripts=False) as context:
        page = context.new_page()
        errors = console_errors(page, desk.address)
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/settings/account")
        page.get_by_role("link", name="Review").first.click()
        page.get_by_role("button", name="Start reviewing").click()
        accepted = at_a_draft(page)
        accept(page)
        page.wait_for_url(elsewhere(accepted))
        edited = at_a_draft(page)
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Name", exact=True).fill(NAME)
        save(page)
        expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
        page.get_by_role("link", name="Next", exact=True).click()
        rejected = at_a_draft(page)
        reject(page, RejectionReason.TOO_ABSTRACT)
        page.wait_for_url(elsewhere(rejected))
        if at_a_draft(page) == edited:  # the draft is still pending: an edit does not decide it
            page.get_by_role("link", name="Next", exact=True).click()
            page.wait_for_url(elsewhere(edited))
        undone = at_a_draft(page)
        reject(page, RejectionReason.NOT_USEFUL)
        page.wait_for_url(elsewhere(undone))
        assert desk.state(undone) is DraftState.REJECTED
        page.get_by_role("button", name="Undo my last decision").click()
        expect(page.get_by_role("status").first).to_contain_text("Undone")
        assert errors == []
    assert_the_four(desk, accepted, edited, rejected, undone)


def test_review_works_by_keyboard_alone(browser: Browser, desk: Desk, draft_id: str) -> None:
    """Use only Tab, Enter and the keyboard shortcuts, no mouse."""
    link = a_link(desk, "Dina Holt")
    with browsing(browser, desk, scripts=True) as context:
        page = context.new_page()
        errors = console_errors(page, desk.address)
        page.goto(link)
        tab_to(page, "Sign in")
        leaving(page, lambda: page.keyboard.press("Enter"))
        tab_to(page, "Review queue")
        leaving(page, lambda: page.keyboard.press("Enter"))
        tab_to(page, "Start reviewing")
        leaving(page, lambda: page.keyboard.press("Enter"))
        accepted = at_a_draft(page)
        leaving(page, lambda: page.keyboard.press("a"))
        edited = at_a_draft(page)
        leaving(page, lambda: page.keyboard.press("e"))
        tab_to(page, "Name")
        page.keyboard.press("Control+a")
        page.keyboard.type(NAME)
        leaving(page, lambda: page.keyboard.press("Control+Enter"))
        expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
        leaving(page, lambda: page.keyboard.press("]"))
        rejected = at_a_draft(page)
        page.keyboard.press("x")
        leaving(page, lambda: page.keyboard.press("2"))
        if at_a_draft(page) == edited:
            leaving(page, lambda: page.keyboard.press("]"))
        undone = at_a_draft(page)
        page.keyboard.press("x")
        leaving(page, lambda: page.keyboard.press("7"))
        assert desk.state(undone) is DraftState.REJECTED
        leaving(page, lambda: page.keyboard.press("z"))
        expect(page.get_by_role("status").first).to_contain_text("Undone")
        assert errors == []
    assert_the_four(desk, accepted, edited, rejected, undone)


def a_link(desk: Desk, name: str) -> str:
    ctx = desk.ctx
    member = add_member(ctx.accounts.members, ctx.clock, DEFAULT_NETWORK, name, [Role.FACILITATOR])
    return f"/sign-in/link/{create_sign_in_link(ctx.accounts.sign_in_links, ctx.clock, member, is_confined=True)}"


def at_a_draft(page: Page) -> str:
    expect(page).to_have_url(re.compile(r"/drafts/d-[0-9a-f]+"))
    return urlsplit(page.url).path.rpartition("/")[2]


def reject(page: Page, reason: RejectionReason) -> None:
    page.locator("details[data-reasons] summary").click()
    page.get_by_role("button", name=reason.value.capitalize()).click()


def leaving(page: Page, does: Callable[[], None]) -> None:
    """Do something that leads to another page, and wait for that page."""
    with page.expect_navigation():
        does()


FOCUSED = """() => {
  const at = document.activeElement;
  const named = at.labels && at.labels.length ? at.labels[0] : at;
  return [...named.childNodes].filter((one) => one.nodeName !== "KBD").map((one) => one.textContent).join("").trim();
}"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called that."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == name:
            return
    raise AssertionError(f"{name} cannot be reached with the Tab key on {page.url}")


def assert_the_four(desk: Desk, accepted: str, edited: str, rejected: str, undone: str) -> None:
    assert len({accepted, edited, rejected, undone}) == 4
    assert desk.state(accepted) is DraftState.ACCEPTED
    assert desk.name_of(edited) == NAME
    assert desk.state(rejected) is DraftState.REJECTED
    assert desk.state(undone) is DraftState.CANDIDATE
