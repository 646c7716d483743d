"""All pages as a steward sees them, in both colour schemes and two widths.

The tests walk the routes, so a new page is covered automatically. A page that cannot be opened with the ids of
``tests.fixtures.full_network`` fails.
"""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from tests.fixtures.browser import TIMEOUT_MS, accessibility_violations, console_errors, serve_in_thread
from tests.fixtures.full_network import FullNetwork, open_full_network, page_routes, save_full_network
from tests.fixtures.networks import CopiedHome

from patternmind.services.authentication import start_session
from patternmind.settings import DEFAULT_NETWORK
from patternmind.web.cookies import PLAIN_COOKIE

OTHER_STATES = (
    "/drafts/{draft_id}?edit=1",
    "/drafts/{draft_id}?claim=0",
    "/review?shelf=decided",
    "/review?shelf=second",
    "/review?words=zzzzz",
    "/library?words=pump",
    "/library?state=field_tested",
    "/cases?q=zzzzz",
    "/cases/new?full=1",
    "/themes?lens=nonsense",
    "/runs/compare?before={other_id}&after={run_id}",
    "/prereadings/jobs/{failed_id}",
    "/nowhere",
    "/drafts/none",
    "/library/none",
)
"""Pages that look different with a query, and missing pages."""

FILES = (
    "/static/{digest}/{name}",
    "/cases/import/{upload_id}/errors.csv",
    "/prereadings/{prereading_id}/file/{format}",
)
"""Responses that a browser downloads instead of showing."""

ON_PAPER = "/prereadings/{prereading_id}/print"
"""A stand-alone document without navigation, hence without a skip link."""

MISSING = {"/nowhere", "/drafts/none", "/library/none", "/sign-in/link/none"}

SIZES = (("dark", 320), ("light", 1280))
"""Each theme and each width once: colours do not depend on the width, nor the layout on the theme."""


@pytest.fixture(scope="module")
def whole(copied_home: CopiedHome) -> FullNetwork:
    return open_full_network(copied_home("whole", save_full_network))


@pytest.fixture(scope="module")
def address(whole: FullNetwork) -> Iterator[str]:
    with serve_in_thread(whole.ctx, whole.app) as address:
        yield address


@pytest.fixture
def page(browser: Browser, whole: FullNetwork, address: str) -> Iterator[Page]:
    started = start_session(whole.ctx.accounts, whole.ctx.clock, whole.member.id, network_id=DEFAULT_NETWORK)
    context = browser.new_context(base_url=address, reduced_motion="reduce")
    context.add_cookies([{"name": PLAIN_COOKIE, "value": started.secret, "url": address}])
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    yield page
    context.close()


def open_pages(whole: FullNetwork) -> list[str]:
    """Return the paths of anonymous pages, including a used sign-in link."""
    routes = [route for method, route in page_routes() if method == "GET" and route.path.startswith("/sign-in")]
    return [*(whole.fill(route.path) for route in routes), "/sign-in/link/none", "/nowhere"]


def the_pages(whole: FullNetwork) -> list[str]:
    paths = [route.path for method, route in page_routes() if method == "GET"]
    return [whole.fill(path) for path in (*paths, *OTHER_STATES) if path not in FILES]


def test_pages_pass_all_checks_in_both_colour_schemes_and_widths(whole: FullNetwork, page: Page, address: str) -> None:
    errors = console_errors(page, address)
    paper = whole.fill(ON_PAPER)
    wrong = [problem for at in the_pages(whole) for problem in found_on(page, at, errors, has_skip_link=at != paper)]
    assert not wrong, "\n".join(wrong)


def test_anonymous_pages_pass_all_checks(whole: FullNetwork, page: Page, address: str) -> None:
    page.context.clear_cookies()
    errors = console_errors(page, address)
    wrong = [problem for at in open_pages(whole) for problem in found_on(page, at, errors, has_skip_link=False)]
    assert not wrong, "\n".join(wrong)


def found_on(page: Page, at: str, errors: list[str], *, has_skip_link: bool) -> Iterator[str]:
    """Yield the problems of a page; of a redirect's target, only the structure is checked."""
    errors.clear()
    answer = page.goto(at)
    assert answer is not None
    expected = 404 if at in MISSING else 200
    if answer.status != expected:
        yield f"{at}: {answer.status}"
    yield from (f"{at}: {problem}" for problem in structural_problems(page, has_skip_link=has_skip_link))
    if expected != 404 and urlsplit(page.url).path != urlsplit(at).path:
        return
    for scheme, width in SIZES:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 800})
        where = f"{at} ({scheme}, {width})"
        yield from (f"{where}: {rule} {places}" for rule, places in accessibility_violations(page))
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"{where}: {wide} wide"
    yield from (f"{at}: {error}" for error in errors if expected != 404 or "404" not in error)


def structural_problems(page: Page, *, has_skip_link: bool) -> Iterator[str]:
    """Yield what a page lacks for people who hear it or use keys: landmarks, a title, a skip link, the tab order."""
    for selector in ("main", "h1", "html[lang]"):
        if (n := page.locator(selector).count()) != 1:
            yield f"{n} elements {selector}"
    if page.title().strip() in {"", "patternmind"}:
        yield "no title of its own"
    if not has_skip_link:
        return
    page.keyboard.press("Tab")
    if page.evaluate("document.activeElement.getAttribute('href')") != "#content":
        yield "the first Tab does not reach the skip link"
    page.evaluate("document.activeElement.blur()")
    if page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count():
        yield "an order of its own for the Tab key"


def test_forms_have_tokens_and_existing_targets(whole: FullNetwork) -> None:
    """Forms and links of all pages must lead to an existing route."""
    steward = whole.steward()
    targets = {(method, route.path_regex) for method, route in page_routes()}
    dead: list[str] = []
    pages_by_link: dict[str, str] = {}
    for at in the_pages(whole):
        html = steward.get(at).text
        for form in re.findall(r"<form\b.*?</form>", html, re.DOTALL):
            begun = form.partition(">")[0]
            method = "POST" if 'method="post"' in begun else "GET"
            action = re.search(r'action="([^"]*)"', begun)
            if action is None:
                continue
            path = urlsplit(action[1]).path
            if not any(kind == method and regex.fullmatch(path) for kind, regex in targets):
                dead.append(f"{at}: {method} {path}")
            if method == "POST" and "form_token" not in form:
                dead.append(f"{at}: no token in the form to {path}")
        for link in re.findall(r'<a\b[^>]*href="(/[^"#]*)', html):
            pages_by_link.setdefault(unescape(link), at)
    dead += [f"{at}: {link}" for link, at in pages_by_link.items() if steward.get(link).status_code >= 400]
    assert not dead, "\n".join(dead)
