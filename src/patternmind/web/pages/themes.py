"""Themes as a list, as a map, through the quarters; the cases in none; and the log of what people decided."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Action
from patternmind.domain.read_models import ThemeCard
from patternmind.errors import UsageError
from patternmind.publishing.map_drawing import DrawnMap, draw_map
from patternmind.services.theme_changes import count_pending_reviews
from patternmind.services.theme_edits import get_last_edit_seq, list_logged_edits
from patternmind.services.theme_map import build_theme_map
from patternmind.services.theme_queries import (
    ThemeList,
    ThemeStatus,
    case_display_ids,
    list_themes,
    list_unplaced_cases,
)
from patternmind.services.versioned_cache import VersionedCache
from patternmind.web import charts
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.pagination import CursorQuery, decode_cursor, encode_cursor
from patternmind.web.permissions import requires
from patternmind.web.routing import PageRoute
from patternmind.web.templating import render
from patternmind.web.theme_descriptions import (
    LENS_LABELS,
    LINEAGE_LABELS,
    MAX_LISTED_CASES,
    describe_edit,
)
from patternmind.web.theme_edit_forms import (
    RejectedThemeEdit,
    ThemeEditForm,
    handle_theme_edit,
    read_form,
)

router = APIRouter(route_class=PageRoute)

PAGE_SIZE = 25
THEMES_PAGE_SIZE = 50
"""Themes on a page."""

MAX_DOTS = 4_000
"""Dots on the map of a page: enough to see the islands, and half a megabyte less than all twenty thousand."""

SORT_OPTIONS: Mapping[str, tuple[str, Callable[[ThemeCard], Any]]] = {
    "size": ("Most cases", lambda card: -card.theme.n_cases),
    "new": ("Most new cases", lambda card: -card.theme.new_cases),
    "steady": ("Steadiest", lambda card: -card.theme.stability),
    "name": ("Name", lambda card: card.theme.name.casefold()),
}

StartQuery = Annotated[int, Query(ge=0, le=1_000_000)]
ShortTextQuery = Annotated[str, Query(max_length=20)]


def parse_lens(text: str) -> str | None:
    """A lens that there is; None for that of the last run."""
    return text if text in LENS_LABELS else None


@router.get("/themes", name="list_themes", dependencies=[requires(Action.SEE_THEMES)])
def themes_page(
    request: Request, ctx: ContextDep, lens: ShortTextQuery = "", sort: ShortTextQuery = "size", start: StartQuery = 0
) -> Response:
    shown = list_themes(ctx.store, parse_lens(lens))
    sort = sort if sort in SORT_OPTIONS else "size"
    groups = _group_by_area(sorted(shown.cards, key=SORT_OPTIONS[sort][1]), shown.area_names, is_grouped=sort == "size")
    page = _slice_groups(groups, start)
    return render(
        request,
        "themes/list.html",
        **common_context(ctx, shown, "/themes"),
        **page_links("/themes", len(shown.cards), start, lens=shown.lens, sort=sort),
        groups=page,
        sort=sort,
        sorts=[(name, words) for name, (words, _) in SORT_OPTIONS.items()],
        quarters=charts.quarter_range(*(card.theme.trend for card in shown.cards)),
        sparkline=charts.sparkline,
        certain=any(not card.theme.tentative for card in shown.cards),
    )


def common_context(ctx: AppContext, themes: ThemeList, path: str) -> dict[str, Any]:
    """What all pages about the themes of a lens show around their own."""
    said = f"?lens={themes.lens}" if len(themes.lenses) > 1 else ""
    waiting = count_pending_reviews(ctx.store, themes.lens) if themes.run else 0
    return {
        "shown": themes,
        "standing": themes.status.value,
        "here": f"{path}{said}",
        "lens_links": [(f"{path}?lens={lens}", LENS_LABELS[lens]) for lens in themes.lenses],
        "tabs": [
            (f"/themes{said}", "Themes", len(themes.cards)),
            (f"/themes/map{said}", "Map"),
            (f"/themes/trend{said}", "By quarter"),
            (f"/themes/unplaced{said}", "Not in a theme yet", themes.run.n_outliers if themes.run else None),
            (f"/themes/changes{said}", "Changes", waiting or None),
            (f"/themes/log{said}", "Decisions"),
        ],
        "lineage_words": LINEAGE_LABELS,
        "unplaced_at": f"/themes/unplaced{said}",
    }


AreaGroups = list[tuple[str, list[ThemeCard]]]


def _group_by_area(cards: Sequence[ThemeCard], areas: Mapping[str, str], *, is_grouped: bool) -> AreaGroups:
    """The areas, that of the first theme first; one group without a name where there is one area, or none is wanted."""
    groups: dict[str, list[ThemeCard]] = {}
    for card in cards:
        groups.setdefault(card.theme.area_id if is_grouped else "", []).append(card)
    named = [(areas.get(area_id, ""), inside) for area_id, inside in groups.items()]
    return named if len(named) > 1 else [("", inside) for _, inside in named]


def _slice_groups(groups: AreaGroups, start: int) -> AreaGroups:
    """What of the groups stands on the page that begins after so many themes."""
    page: AreaGroups = []
    passed = 0
    for name, cards in groups:
        inside = cards[max(0, start - passed) : max(0, start + THEMES_PAGE_SIZE - passed)]
        passed += len(cards)
        if inside:
            page.append((name, inside))
    return page


def page_links(address: str, n: int, start: int, **said: str) -> dict[str, Any]:
    """The way from page to page of so many themes."""
    at = f"{address}?{urlencode({name: value for name, value in said.items() if value})}"
    last = min(start + THEMES_PAGE_SIZE, n)
    return {
        "paged": f"{start + 1} to {last} of {n} themes" if n > THEMES_PAGE_SIZE else "",
        "following": f"{at}&start={last}" if last < n else "",
        "first": at if start else "",
    }


# The map -------------------------------------------------------------------------------------------------------------

_MAP_CACHE: VersionedCache[DrawnMap] = VersionedCache()
"""The last pictures, by lens: drawing one of 100,000 cases takes a second."""


def cached_map(ctx: AppContext, themes: ThemeList) -> DrawnMap:
    """The map of a lens as a page shows it.

    Raises:
        UsageError: no run placed its cases.
    """
    named = [card.theme for card in themes.cards]

    def draw() -> DrawnMap:
        return draw_map(build_theme_map(ctx.store, themes.lens, named_themes=named), max_dots=MAX_DOTS, with_links=True)

    return _MAP_CACHE.get_or_compute(ctx.store, draw, key=themes.lens)


@router.get("/themes/map", name="map_of_themes", dependencies=[requires(Action.SEE_THEMES)])
def map_page(request: Request, ctx: ContextDep, lens: ShortTextQuery = "", start: StartQuery = 0) -> Response:
    shown = list_themes(ctx.store, parse_lens(lens))
    drawn: DrawnMap | None = None
    if shown.status is ThemeStatus.THEMES:
        try:
            drawn = cached_map(ctx, shown)
        except UsageError:
            drawn = None
    return render(
        request,
        "themes/map.html",
        **common_context(ctx, shown, "/themes/map"),
        **page_links("/themes/map", len(shown.cards), start, lens=shown.lens),
        cards=shown.cards[start : start + THEMES_PAGE_SIZE],
        drawn=drawn,
        svg=Markup(drawn.svg) if drawn else "",  # noqa: S704 - our own drawing, every name in it escaped
        n_all=shown.run.n_cases if shown.run else 0,
        near={card.theme.id: card.theme.name for card in shown.cards},
    )


# By quarter ----------------------------------------------------------------------------------------------------------


@router.get("/themes/trend", name="trend", dependencies=[requires(Action.SEE_THEMES)])
def trend_page(request: Request, ctx: ContextDep, lens: ShortTextQuery = "", start: StartQuery = 0) -> Response:
    shown = list_themes(ctx.store, parse_lens(lens))
    trends = [card.theme.trend for card in shown.cards]
    quarters = charts.quarter_range(*trends)
    total = {quarter: sum(one.get(quarter, 0) for one in trends) for quarter in quarters}
    return render(
        request,
        "themes/trend.html",
        **common_context(ctx, shown, "/themes/trend"),
        **page_links("/themes/trend", len(shown.cards), start, lens=shown.lens),
        cards=shown.cards[start : start + THEMES_PAGE_SIZE],
        quarters=quarters,
        total=total,
        chart=charts.bar_chart(total, quarters),
        heads=[charts.quarter_label(quarter) for quarter in quarters],
        sparkline=charts.sparkline,
        most_bars=charts.MAX_BARS,
    )


# Not in a theme yet --------------------------------------------------------------------------------------------------


@router.get("/themes/unplaced", name="unplaced", dependencies=[requires(Action.SEE_THEMES)])
def unplaced_page(request: Request, ctx: ContextDep, lens: ShortTextQuery = "", cursor: CursorQuery = None) -> Response:
    return _render_unplaced(request, ctx, parse_lens(lens), cursor)


def _render_unplaced(
    request: Request, ctx: AppContext, lens: str | None, cursor: str | None, rejected: RejectedThemeEdit | None = None
) -> Response:
    shown = list_themes(ctx.store, lens)
    page = list_unplaced_cases(ctx.store, shown.lens, limit=PAGE_SIZE, after=decode_cursor(cursor))
    following = encode_cursor(page.next_cursor)
    at = f"/themes/unplaced?{urlencode({'lens': shown.lens})}"
    return render(
        request,
        "themes/unplaced.html",
        rejected.status if rejected else 200,
        **common_context(ctx, shown, "/themes/unplaced"),
        rows=page.rows,
        names=ctx.store.theme_names(shown.lens),
        options=[(card.theme.id, card.theme.name) for card in shown.cards],
        following=f"{at}&cursor={following}" if following else "",
        first=at if cursor else "",
        seen=get_last_edit_seq(ctx.store),
        refused=rejected,
        sent=rejected.form if rejected else ThemeEditForm(),
    )


@router.post("/themes/unplaced", name="edit_unplaced", dependencies=[requires(Action.EDIT_THEMES, proposing=True)])
async def edit_unplaced(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    sent = read_form(await request.form())
    back = f"/themes/unplaced?{urlencode({'lens': sent.lens})}"
    answered = await run_in_threadpool(handle_theme_edit, ctx, caller, sent, return_path=back)
    if isinstance(answered, Response):
        return answered
    return await run_in_threadpool(_render_unplaced, request, ctx, parse_lens(sent.lens), None, answered)


# The log -------------------------------------------------------------------------------------------------------------


@router.get("/themes/log", name="log", dependencies=[requires(Action.SEE_THEMES)])
def log_page(request: Request, ctx: ContextDep, lens: ShortTextQuery = "", start: StartQuery = 0) -> Response:
    return _render_log(request, ctx, parse_lens(lens), start)


def _render_log(
    request: Request, ctx: AppContext, lens: str | None, start: int, rejected: RejectedThemeEdit | None = None
) -> Response:
    shown = list_themes(ctx.store, lens)
    lines = list(reversed(list_logged_edits(ctx.store, shown.lens)))
    page = lines[start : start + PAGE_SIZE]
    names = ctx.store.theme_names(shown.lens)
    cases = case_display_ids(ctx.store, [one.edit for one in page], MAX_LISTED_CASES)
    at = f"/themes/log?lens={shown.lens}"
    more = start + PAGE_SIZE < len(lines)
    return render(
        request,
        "themes/log.html",
        rejected.status if rejected else 200,
        **common_context(ctx, shown, "/themes/log"),
        lines=[(one, describe_edit(one.edit, names, cases)) for one in page],
        following=f"{at}&start={start + PAGE_SIZE}" if more else "",
        first=at if start else "",
        seen=get_last_edit_seq(ctx.store),
        refused=rejected,
    )


@router.post("/themes/log", name="undo_from_log", dependencies=[requires(Action.EDIT_THEMES, proposing=True)])
async def undo_from_log(request: Request, ctx: ContextDep, caller: CallerDep) -> Response:
    sent = read_form(await request.form())
    back = f"/themes/log?{urlencode({'lens': sent.lens})}"
    answered = await run_in_threadpool(handle_theme_edit, ctx, caller, sent, return_path=back)
    if isinstance(answered, Response):
        return answered
    return await run_in_threadpool(_render_log, request, ctx, parse_lens(sent.lens), 0, answered)
