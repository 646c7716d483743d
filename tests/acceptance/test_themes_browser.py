"""Themes in a real browser: by keys and scripts, without any script, on a phone, and read aloud."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.fixtures.browser import accessibility_violations, console_errors, serve_in_thread
from tests.fixtures.builders import build_submission
from tests.fixtures.edit_histories import group_once, short_cases
from tests.fixtures.page_client import PageClient

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Role
from patternmind.embedding.hashing_encoder import HashingEncoder
from patternmind.ports import RunParameters
from patternmind.settings import Settings
from patternmind.web.app import make_app


@dataclass(frozen=True)
class Desk:
    """A server with its app context, and the cookies of a signed-in facilitator."""

    ctx: AppContext
    at: str
    cookies: list[dict[str, Any]]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A network after two runs, served to a facilitator."""
    ctx = AppContext(Settings(home=tmp_path_factory.mktemp("desk")), encoder=HashingEncoder())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("patternmind.pipeline.group_rows", group_once)
        for first, n, label in ((0, 52, "2026Q1"), (52, 6, "2026Q2")):
            cases = short_cases(0, first, n)
            ctx.store.cases.save_all(
                [(build_submission(case.text, external_id=case.external_id), case) for case in cases]
            )
            ctx.run(RunParameters(label=label, draft=False))
    app = make_app(ctx)
    ada = PageClient(ctx, Role.FACILITATOR, app=app)
    cookies = [{"name": cookie.name, "value": cookie.value} for cookie in ada.client.cookies.jar]
    with serve_in_thread(ctx, app) as address:
        yield Desk(ctx, address, cookies)


def opened(browser: Browser, desk: Desk, **how: Any) -> tuple[BrowserContext, Page, list[str]]:
    """A page of a context of its own, and what went wrong on it: errors, policy violations, requests elsewhere."""
    at = desk.at
    context = browser.new_context(base_url=at, **how)
    context.add_cookies([cast(Any, {**cookie, "url": at}) for cookie in desk.cookies])
    page = context.new_page()
    return context, page, console_errors(page, at)


def test_theme_edits_work_and_undo_by_keyboard(browser: Browser, desk: Desk) -> None:
    ctx = desk.ctx
    context, page, wrong = opened(browser, desk)
    theme = ctx.store.themes.list_all()[0]
    page.goto("/themes")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == theme.name
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/themes/{theme.id}")
    page.keyboard.press("r")
    page.get_by_label("Name (required)").fill("Yard at night")
    page.keyboard.press("Enter")
    page.get_by_text("Later runs keep the name.").wait_for()
    assert page.get_by_role("heading", level=1).inner_text() == "Yard at night"
    page.get_by_role("checkbox").first.check()
    page.keyboard.press("o")
    page.get_by_text("Moved out.").wait_for()
    for _ in range(2):
        page.get_by_role("button", name="Undo decision").first.click()
        page.get_by_text("Undone.").wait_for()
    assert page.get_by_role("heading", level=1).inner_text() == theme.name
    page.goto("/themes/changes")
    page.keyboard.press("a")
    page.get_by_text("Accepted.", exact=True).wait_for()
    assert ctx.store.themes.list_all()[0].case_ids == theme.case_ids
    assert wrong == []
    context.close()


def test_review_works_without_scripts_on_a_phone(browser: Browser, desk: Desk) -> None:
    ctx = desk.ctx
    context, page, wrong = opened(browser, desk, java_script_enabled=False, viewport={"width": 360, "height": 740})
    theme = ctx.store.themes.list_all()[1]
    page.goto("/themes")
    page.get_by_role("link", name=theme.name, exact=True).click()
    page.locator("summary", has_text="Rename").click()
    page.get_by_label("Name (required)").fill("!!!")
    page.get_by_role("button", name="Rename").click()
    assert page.get_by_label("Name (required)").input_value() == "!!!"
    page.get_by_label("Name (required)").fill("Gate at dawn")
    page.get_by_role("button", name="Rename").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Gate at dawn"
    page.get_by_role("button", name="Undo decision").first.click()
    assert page.get_by_role("heading", level=1).inner_text() == theme.name
    page.goto("/themes/map")
    page.locator("svg a text", has_text=theme.name.split()[0]).first.click()
    assert page.url.endswith(f"/themes/{theme.id}")
    assert [error for error in wrong if "422" not in error] == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_prereading_pages_are_accessible_and_fit_phones(browser: Browser, desk: Desk, scheme: str) -> None:
    ctx = desk.ctx
    context, page, wrong = opened(browser, desk, color_scheme=scheme, viewport={"width": 320, "height": 700})
    there = ("", "/map", "/trend", "/unplaced", "/changes", "/log", f"/{ctx.store.themes.list_all()[0].id}")
    for address in there:
        page.goto(f"/themes{address}")
        for box in page.locator("details").all():
            box.evaluate("one => { one.open = true; }")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, address
        assert accessibility_violations(page) == [], address
    assert wrong == []
    context.close()
