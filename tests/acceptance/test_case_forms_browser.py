"""Telling a case in a real browser, with scripts and without: looked over, saved, edited; no word lost on the way."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.fixtures.browser import TIMEOUT_MS, accessibility_violations, console_errors, serve_in_thread

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Role
from patternmind.services.authentication import start_session
from patternmind.services.members import add_member
from patternmind.settings import DEFAULT_NETWORK
from patternmind.web.cookies import PLAIN_COOKIE

PROBLEM = "The scanner of Kjetil Moe froze in the cold store and nobody could label a pallet."


class Desk:
    """A server with a signed-in steward."""

    def __init__(self, ctx: AppContext, at: str) -> None:
        self.ctx = ctx
        self.at = at
        member = add_member(ctx.accounts.members, ctx.clock, DEFAULT_NETWORK, "Ada Berg", (Role.MEMBER, Role.STEWARD))
        self.secret = start_session(ctx.accounts, ctx.clock, member.id, network_id=DEFAULT_NETWORK).secret

    def context(self, browser: Browser, **options: Any) -> BrowserContext:
        context = browser.new_context(base_url=self.at, **options)
        context.add_cookies([{"name": PLAIN_COOKIE, "value": self.secret, "url": self.at}])
        context.set_default_timeout(TIMEOUT_MS)
        return context


@pytest.fixture(scope="module")
def desk(grown_context: AppContext) -> Iterator[Desk]:
    with serve_in_thread(grown_context) as address:
        yield Desk(grown_context, address)


@pytest.fixture
def page(desk: Desk, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """With scripts unless the test says otherwise; it fails on anything that the console or the policy complains of."""
    context = desk.context(browser, java_script_enabled=getattr(request, "param", True))
    made = context.new_page()
    complaints = console_errors(made, desk.at)
    yield made
    context.close()
    assert [complaint for complaint in complaints if "ERR_INTERNET_DISCONNECTED" not in complaint] == []


@pytest.mark.parametrize("page", [True, False], indirect=True, ids=["with scripts", "without scripts"])
def test_case_form_previews_saves_and_edits(desk: Desk, page: Page) -> None:
    page.goto("/cases")
    page.get_by_role("link", name="Submit a case").click()
    page.get_by_label("What is the problem").fill(f"{PROBLEM} Call 415-555-2671.")
    page.get_by_label("Only this network").check()
    page.get_by_role("button", name="Preview", exact=True).click()
    preview = page.get_by_role("region", name="How others will see it")
    assert "Call phone." in preview.inner_text()
    assert "415-555" not in preview.inner_text()
    assert page.get_by_label("Only this network").is_checked()
    assert page.get_by_label("What is the problem").input_value() == f"{PROBLEM} Call 415-555-2671."
    preview.get_by_role("button", name="Save").click()
    page.wait_for_url("**/saved")
    assert "Suggested theme" in page.get_by_role("main").inner_text()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("What is the problem").fill("Told anew: the scanner froze in the cold store once more.")
    page.get_by_role("button", name="Save without preview").click()
    page.wait_for_url("**/saved")
    page.get_by_role("link", name="View the case").click()
    assert "Told anew" in page.get_by_role("main").inner_text()
    assert "Version 2" in page.get_by_role("main").inner_text()


def test_case_autosave_survives_lost_server_and_closed_tab(desk: Desk, page: Page) -> None:
    page.goto("/cases/new")
    page.get_by_label("What is the problem").fill(PROBLEM)
    page.get_by_label("Everyone, without my name").check()
    page.context.set_offline(True)
    page.get_by_role("button", name="Save without preview").click()
    page.get_by_text("Not saved yet: the server does not respond.").wait_for()
    page.context.set_offline(False)
    page.goto("/cases")
    page.goto("/cases/new")
    page.get_by_text("Not saved yet: this is your last text").wait_for()
    assert page.get_by_label("What is the problem").input_value() == PROBLEM
    assert page.get_by_label("Everyone, without my name").is_checked()
    page.get_by_role("button", name="Save without preview").click()
    page.wait_for_url("**/saved")
    page.goto("/cases/new")
    assert page.get_by_label("What is the problem").input_value() == ""


def test_file_is_previewed_and_imported(desk: Desk, page: Page) -> None:
    page.goto("/cases/import")
    rows = b"nr,Beskrivelse\n91,The hatch leaked oil on the belt.\n92,\n"
    page.get_by_label("File").set_input_files([{"name": "rows.csv", "mimeType": "text/csv", "buffer": rows}])
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("Field of Beskrivelse").select_option("problem")
    page.get_by_role("button", name="Apply").click()
    page.get_by_text("1 row to import, 1 rejected.").wait_for()
    page.get_by_role("button", name="Import 1 row").click()
    page.get_by_text("1 row imported, 1 rejected.").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_case_pages_are_accessible_and_fit_narrow_screens(desk: Desk, browser: Browser, scheme: Any) -> None:
    case_id = desk.ctx.store.cases.list_all()[0].id
    context = desk.context(browser, color_scheme=scheme, viewport={"width": 320, "height": 800})
    page = context.new_page()
    for path in (
        "/cases",
        f"/cases/{case_id}",
        "/cases/new?full=1",
        f"/cases/{case_id}/raw",
        f"/cases/{case_id}/erase",
    ):
        page.goto(path)
        assert path.partition("?")[0] in page.url
        assert accessibility_violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    context.close()
