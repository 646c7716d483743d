"""Pre-reading, runs and settings in a browser: with scripts and without, and fit for everybody."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.fixtures.browser import TIMEOUT_MS, accessibility_violations, console_errors, serve_in_thread

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Role
from patternmind.ports import RunParameters
from patternmind.services import prereading_builder
from patternmind.services.authentication import start_session
from patternmind.services.members import add_member
from patternmind.services.prereadings import list_prereadings
from patternmind.services.roster import add_people
from patternmind.settings import DEFAULT_NETWORK
from patternmind.web.cookies import PLAIN_COOKIE


@pytest.fixture(scope="module")
def ctx(grown_context: AppContext) -> AppContext:
    ctx = grown_context
    ctx.run(RunParameters(label="2026Q4", seed=2, from_scratch=True))
    prereading_builder.build_prereading(
        ctx.store, ctx.clock, prereading_builder.subject_from_theme(ctx.store, ctx.store.themes.list_all()[0].id)
    )
    add_people(ctx.store, [("Lars Monsen", "lars@example.org", "Team 1")])
    return ctx


@pytest.fixture(scope="module")
def address(ctx: AppContext) -> Iterator[str]:
    with serve_in_thread(ctx) as address:
        yield address


@pytest.fixture(scope="module")
def secret(ctx: AppContext) -> str:
    member = add_member(ctx.accounts.members, ctx.clock, DEFAULT_NETWORK, "Sten Steward", (Role.STEWARD,))
    return start_session(ctx.accounts, ctx.clock, member.id, network_id=DEFAULT_NETWORK).secret


def open_page(browser: Browser, address: str, secret: str, **how: Any) -> tuple[Page, list[str]]:
    """A page, and what it complains of while it is used."""
    context = browser.new_context(base_url=address, **how)
    context.add_cookies([{"name": PLAIN_COOKIE, "value": secret, "url": address}])
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    return page, console_errors(page, address)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_steward_creates_and_approves_prereading(
    scripts: bool, browser: Browser, address: str, secret: str, ctx: AppContext
) -> None:
    page, complaints = open_page(browser, address, secret, java_script_enabled=scripts)
    session = f"Jam {'with' if scripts else 'without'} scripts"
    page.goto("/prereadings")
    page.get_by_role("link", name="Create a pre-reading").first.click()
    page.get_by_label("A topic in your own words").check()
    page.get_by_label("Topic", exact=True).fill("The scanner froze in the cold store")
    page.get_by_label("Session").fill(session)
    page.get_by_role("button", name="Create the pre-reading").click()
    page.wait_for_url(re.compile(r"/prereadings/d-"))  # the waiting page leads on by itself
    expect(page.get_by_text("draft, not reviewed", exact=True)).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("What we will leave with").fill("One rule for cold scanners.")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/prereadings/d-\w+$"))
    expect(page.get_by_text("One rule for cold scanners.")).to_be_visible()
    if scripts:
        page.keyboard.press("a")
    else:
        page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("approved by Sten Steward", exact=True)).to_be_visible()
    assert {prereading.session: prereading.approved_by for prereading in list_prereadings(ctx.store)}[
        session
    ] == "Sten Steward"
    page.reload()
    expect(page.get_by_text("Approved. Prints now show your name.")).to_have_count(0)
    page.get_by_role("link", name="Print view").click()
    expect(page.get_by_text("Draft, not reviewed")).to_have_count(0)
    page.go_back()
    page.get_by_role("button", name="Undo the approval").click()
    expect(page.get_by_text("draft, not reviewed", exact=True)).to_be_visible()
    page.context.close()
    assert complaints == []


def test_prereading_autosave_survives_closed_tab(browser: Browser, address: str, secret: str, ctx: AppContext) -> None:
    page, complaints = open_page(browser, address, secret)
    id = list_prereadings(ctx.store)[0].id
    page.goto(f"/prereadings/{id}/edit")
    page.get_by_label("What we will leave with").fill("Half a thought")
    expect(page.locator("[data-status]")).to_contain_text("Not saved yet")
    again = page.context.new_page()
    page.close()
    again.goto(f"/prereadings/{id}/edit")
    expect(again.get_by_label("What we will leave with")).to_have_value("Half a thought")
    again.context.close()
    assert complaints == []


def test_run_page_opens_when_the_run_is_finished(browser: Browser, address: str, secret: str) -> None:
    page, complaints = open_page(browser, address, secret)
    page.goto("/runs")
    page.get_by_text("Start a run").click()
    page.get_by_label("Period").fill("2027Q1")
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url(re.compile(r"/runs/run-\d+$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("2027Q1")
    page.context.close()
    assert complaints == []


PAGES = (
    *("/prereadings", "/prereadings/new", "/prereadings/{id}", "/prereadings/{id}/edit"),
    *("/runs", "/runs/run-0002", "/runs/compare?before=run-0001&after=run-0002"),
    *("/settings/network", "/settings/limits", "/settings/roster", "/settings/names", "/settings/status"),
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_pages_are_accessible_and_fit_narrow_screens(
    scheme: Any, browser: Browser, address: str, secret: str, ctx: AppContext
) -> None:
    page, complaints = open_page(browser, address, secret, color_scheme=scheme, viewport={"width": 320, "height": 700})
    id = list_prereadings(ctx.store)[0].id
    for path in PAGES:
        page.goto(path.format(id=id))
        assert accessibility_violations(page) == [], path
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), f"{path} is too wide"
    page.context.close()
    assert complaints == []
