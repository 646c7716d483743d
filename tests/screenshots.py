"""Screenshots of all pages of the sample network, taken by ``make pictures``.

Each page has pictures for two widths and two colour schemes, in ``reports/pictures``. The few that the documents show
are copied to ``docs/pictures``. Height and colours are limited to keep the files small.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page
from tests.fixtures.browser import chromium, serve_in_thread

from patternmind.bootstrap import AppContext
from patternmind.domain.drafts import DraftKind
from patternmind.domain.permissions import Role
from patternmind.services import prereading_builder
from patternmind.services.authentication import start_session
from patternmind.services.members import add_member
from patternmind.services.playbook import collect_playbook
from patternmind.services.reviews import list_all_drafts
from patternmind.settings import DEFAULT_NETWORK, Settings
from patternmind.web.cookies import PLAIN_COOKIE

ROOT = Path(__file__).parents[1]
OUT = ROOT / "reports" / "pictures"
DOCS = ROOT / "docs" / "pictures"
IN_DOCS = ("draft-desktop-light.png", "theme-desktop-light.png", "prereading-desktop-light.png")
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
MAX_HEIGHT = 1800
N_COLOURS = 64


def page_addresses(ctx: AppContext) -> Iterator[tuple[str, str]]:
    """Yield name and path of each page, with ids of the sample network."""
    store = ctx.store
    themes = store.themes.list_all()
    theme = max((candidate for candidate in themes if candidate.case_ids), key=lambda candidate: candidate.n_cases)
    draft = next(
        reviewed.grounded.draft
        for reviewed in list_all_drafts(store, kind=DraftKind.PATTERN)
        if not reviewed.decisions and reviewed.grounded
    )
    prereading = prereading_builder.build_prereading(
        store, ctx.clock, prereading_builder.subject_from_theme(store, theme.id)
    ).grounded.draft
    run, before = store.runs.list_all()[-1], store.runs.list_all()[-2]
    yield from {
        "home": "/",
        "cases": "/cases",
        "case": f"/cases/{theme.exemplars[0]}",
        "case-new": "/cases/new",
        "cases-import": "/cases/import",
        "themes": "/themes",
        "themes-map": "/themes/map",
        "themes-trend": "/themes/trend",
        "themes-unplaced": "/themes/unplaced",
        "theme": f"/themes/{theme.id}",
        "theme-changes": "/themes/changes",
        "review": "/review",
        "draft": f"/drafts/{draft.id}?claim=1",
        "draft-edit": f"/drafts/{draft.id}?edit=1",
        "discuss": "/review/discuss",
        "prereadings": "/prereadings",
        "prereading-new": "/prereadings/new",
        "prereading": f"/prereadings/{prereading.id}",
        "library": "/library",
        "pattern": f"/library/{collect_playbook(store).published[0].pattern.id}",
        "runs": "/runs",
        "run": f"/runs/{run.id}",
        "runs-compared": f"/runs/compare?before={before.id}&after={run.id}",
        "members": "/settings/members",
        "tokens": "/settings/tokens",
        "audit": "/settings/audit",
        "account": "/settings/account",
        "keys": "/settings/keys",
        "network": "/settings/network",
        "limits": "/settings/limits",
        "roster": "/settings/roster",
        "possible-names": "/settings/names",
        "status": "/settings/status",
    }.items()


def take_screenshot(page: Page, path: Path) -> None:
    height = min(MAX_HEIGHT, int(page.evaluate("document.documentElement.scrollHeight")))
    width = (page.viewport_size or {"width": SIZES["desktop"][0]})["width"]
    png = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    Image.open(io.BytesIO(png)).convert("RGB").quantize(N_COLOURS).save(path, optimize=True)


def take_all_screenshots(browser: Browser, address: str, secret: str, ctx: AppContext) -> None:
    pages = {"sign-in": "/sign-in"} | dict(page_addresses(ctx))
    for size, (width, height) in SIZES.items():
        context = browser.new_context(
            base_url=address, viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        page = context.new_page()
        for name, where in pages.items():
            if name != "sign-in":
                context.add_cookies([{"name": PLAIN_COOKIE, "value": secret, "url": address}])
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                answer = page.goto(where)
                if answer is None or not answer.ok:
                    sys.exit(f"{where} answered {answer.status if answer else 'nothing'}; no picture of it was taken.")
                take_screenshot(page, OUT / f"{name}-{size}-{scheme}.png")
        context.close()


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        program = [sys.executable, "-c", "from patternmind.cli import main; main()"]
        subprocess.run([*program, "demo", "--out", folder], check=True, capture_output=True)
        ctx = AppContext(Settings(home=Path(folder) / "home"))
        member = add_member(ctx.accounts.members, ctx.clock, DEFAULT_NETWORK, "Stella Ward", tuple(Role))
        secret = start_session(ctx.accounts, ctx.clock, member.id, network_id=DEFAULT_NETWORK).secret
        with serve_in_thread(ctx) as address, chromium() as browser:
            take_all_screenshots(browser, address, secret, ctx)
    for name in IN_DOCS:
        shutil.copy(OUT / name, DOCS / name)
    sys.stderr.write(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}\n")


if __name__ == "__main__":
    main()
