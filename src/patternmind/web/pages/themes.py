"""Theme pages: list, map, quarters, cases without a theme, and the log of decisions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from markupsafe import Markup
from starlette.responses import Response

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Action
from patternmind.domain.read_models import ThemeCard
from patternmind.edits import MAX_LISTED_CASES, describe_edit
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
from patternmind.web.forms import FormDataDep
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.pagination import CursorQuery, cursor_links, decode_cursor, offset_links
from patternmind.web.routing import PageRouter
from patternmind.web.theme_descriptions import LENS_LABELS, LINEAGE_LABELS
from patternmind.web.theme_edit_forms import RejectedThemeEdit, ThemeEditForm, handle_theme_edit, read_form

router = PageRouter()

PAGE_SIZE = 25
THEMES_PAGE_SIZE = 50

MAX_DOTS = 4_000
"""Maximum dots on the map page: enough to show the islands, and 0.5 MB less than all 20,000."""

SORT_OPTIONS: Mapping[str, tuple[str, Callable[[ThemeCard], Any]]] = {
    "size": ("Most cases", lambda card: -card.theme.n_cases),
    "new": ("Most new cases", lambda card: -card.theme.new_cases),
    "steady": ("Most stable", lambda card: -card.theme.stability),
    "name": ("Name", lambda card: card.theme.name.casefold()),
}

StartQuery = Annotated[int, Query(ge=0, le=1_000_000)]
ShortTextQuery = Annotated[str, Query(max_length=20)]


def parse_lens(text: str) -> str | None:
    """Return the lens, or None (the lens of the last run) if it is unknown."""
    return text if text in LENS_LABELS else None


@router.get("/themes", "list_themes", Action.SEE_THEMES)
def themes_page(
    page: PageDep, lens: ShortTextQuery = "", sort: ShortTextQuery = "size", start: StartQuery = 0
) -> Response:
    theme_list = list_themes(page.store, parse_lens(lens))
    sort = sort if sort in SORT_OPTIONS else "size"
    groups = _group_by_area(
        sorted(theme_list.cards, key=SORT_OPTIONS[sort][1]), theme_list.area_names, is_grouped=sort == "size"
    )
    return page.render(
        "themes/list.html",
        **common_context(page.ctx, theme_list, "/themes"),
        **_page_links("/themes", theme_list, start, sort=sort),
        groups=_slice_groups(groups, start),
        sort=sort,
        sort_options=[(name, label) for name, (label, _) in SORT_OPTIONS.items()],
        quarters=charts.quarter_range(*(card.theme.trend for card in theme_list.cards)),
        sparkline=charts.sparkline,
        has_certain_theme=any(not card.theme.tentative for card in theme_list.cards),
    )


def common_context(ctx: AppContext, themes: ThemeList, path: str) -> dict[str, Any]:
    """Return the template values that all theme pages share."""
    query = f"?lens={themes.lens}" if len(themes.lenses) > 1 else ""
    n_pending = count_pending_reviews(ctx.store, themes.lens) if themes.run else 0
    return {
        "theme_list": themes,
        "list_status": themes.status.value,
        "here": f"{path}{query}",
        "lens_links": [(f"{path}?lens={lens}", LENS_LABELS[lens]) for lens in themes.lenses],
        "tabs": [
            (f"/themes{query}", "Themes", len(themes.cards)),
            (f"/themes/map{query}", "Map"),
            (f"/themes/trend{query}", "By quarter"),
            (f"/themes/unplaced{query}", "Not in a theme yet", themes.run.n_outliers if themes.run else None),
            (f"/themes/changes{query}", "Changes", n_pending or None),
            (f"/themes/log{query}", "Decisions"),
        ],
        "lineage_labels": LINEAGE_LABELS,
        "unplaced_path": f"/themes/unplaced{query}",
    }


def _page_links(path: str, themes: ThemeList, start: int, sort: str = "") -> dict[str, Any]:
    links = offset_links(path, len(themes.cards), start, THEMES_PAGE_SIZE, lens=themes.lens, sort=sort)
    return {**links, "page_range": links["page_range"] and f"{links['page_range']} themes"}


AreaGroups = list[tuple[str, list[ThemeCard]]]


def _group_by_area(cards: Sequence[ThemeCard], areas: Mapping[str, str], *, is_grouped: bool) -> AreaGroups:
    """Group cards by area, in the order of their first theme; a single group has no name."""
    groups: dict[str, list[ThemeCard]] = {}
    for card in cards:
        groups.setdefault(card.theme.area_id if is_grouped else "", []).append(card)
    named = [(areas.get(area_id, ""), group) for area_id, group in groups.items()]
    return named if len(named) > 1 else [("", group) for _, group in named]


def _slice_groups(groups: AreaGroups, start: int) -> AreaGroups:
    """Return the part of the groups on the page that starts after ``start`` themes."""
    page: AreaGroups = []
    n_before = 0
    for name, cards in groups:
        on_page = cards[max(0, start - n_before) : max(0, start + THEMES_PAGE_SIZE - n_before)]
        n_before += len(cards)
        if on_page:
            page.append((name, on_page))
    return page


# The map -------------------------------------------------------------------------------------------------------------

_MAP_CACHE: VersionedCache[DrawnMap] = VersionedCache()
"""The last drawings by lens: drawing a map of 100,000 cases takes a second."""


def cached_map(ctx: AppContext, themes: ThemeList) -> DrawnMap:
    """Return the map of a lens, drawn or from the cache.

    Raises:
        UsageError: no run computed a map.
    """
    named = [card.theme for card in themes.cards]

    def draw() -> DrawnMap:
        return draw_map(build_theme_map(ctx.store, themes.lens, named_themes=named), max_dots=MAX_DOTS, with_links=True)

    return _MAP_CACHE.get_or_compute(ctx.store, draw, key=themes.lens)


@router.get("/themes/map", "map_of_themes", Action.SEE_THEMES)
def map_page(page: PageDep, lens: ShortTextQuery = "", start: StartQuery = 0) -> Response:
    theme_list = list_themes(page.store, parse_lens(lens))
    drawn_map: DrawnMap | None = None
    if theme_list.status is ThemeStatus.THEMES:
        try:
            drawn_map = cached_map(page.ctx, theme_list)
        except UsageError:
            drawn_map = None
    return page.render(
        "themes/map.html",
        **common_context(page.ctx, theme_list, "/themes/map"),
        **_page_links("/themes/map", theme_list, start),
        cards=theme_list.cards[start : start + THEMES_PAGE_SIZE],
        drawn_map=drawn_map,
        svg=Markup(drawn_map.svg) if drawn_map else "",  # noqa: S704 - draw_map escapes all names
        n_cases=theme_list.run.n_cases if theme_list.run else 0,
        theme_names={card.theme.id: card.theme.name for card in theme_list.cards},
    )


# By quarter ----------------------------------------------------------------------------------------------------------


@router.get("/themes/trend", "trend", Action.SEE_THEMES)
def trend_page(page: PageDep, lens: ShortTextQuery = "", start: StartQuery = 0) -> Response:
    theme_list = list_themes(page.store, parse_lens(lens))
    trends = [card.theme.trend for card in theme_list.cards]
    quarters = charts.quarter_range(*trends)
    totals = {quarter: sum(trend.get(quarter, 0) for trend in trends) for quarter in quarters}
    return page.render(
        "themes/trend.html",
        **common_context(page.ctx, theme_list, "/themes/trend"),
        **_page_links("/themes/trend", theme_list, start),
        cards=theme_list.cards[start : start + THEMES_PAGE_SIZE],
        quarters=quarters,
        totals=totals,
        chart=charts.bar_chart(totals, quarters),
        quarter_labels=[charts.quarter_label(quarter) for quarter in quarters],
        sparkline=charts.sparkline,
        max_bars=charts.MAX_BARS,
    )


# Not in a theme yet --------------------------------------------------------------------------------------------------


@router.get("/themes/unplaced", "unplaced", Action.SEE_THEMES)
def unplaced_page(page: PageDep, lens: ShortTextQuery = "", cursor: CursorQuery = None) -> Response:
    return _render_unplaced(page, parse_lens(lens), cursor)


def _render_unplaced(
    page: PageRequest, lens: str | None, cursor: str | None, rejected: RejectedThemeEdit | None = None
) -> Response:
    theme_list = list_themes(page.store, lens)
    current_page = list_unplaced_cases(page.store, theme_list.lens, limit=PAGE_SIZE, after=decode_cursor(cursor))
    url = f"/themes/unplaced?{urlencode({'lens': theme_list.lens})}"
    return page.render(
        "themes/unplaced.html",
        rejected.status if rejected else 200,
        **common_context(page.ctx, theme_list, "/themes/unplaced"),
        rows=current_page.rows,
        theme_names=page.store.themes.names(theme_list.lens),
        theme_options=[(card.theme.id, card.theme.name) for card in theme_list.cards],
        **cursor_links(url, current_page, cursor),
        last_seq=get_last_edit_seq(page.store),
        rejected=rejected,
        form=rejected.form if rejected else ThemeEditForm(),
    )


@router.post("/themes/unplaced", "edit_unplaced", Action.EDIT_THEMES, proposing=True)
def edit_unplaced(page: PageDep, form_data: FormDataDep) -> Response:
    form = read_form(form_data)
    return_path = f"/themes/unplaced?{urlencode({'lens': form.lens})}"
    result = handle_theme_edit(page.ctx, page.caller, form, return_path=return_path)
    if isinstance(result, Response):
        return result
    return _render_unplaced(page, parse_lens(form.lens), None, result)


# The log -------------------------------------------------------------------------------------------------------------


@router.get("/themes/log", "log", Action.SEE_THEMES)
def log_page(page: PageDep, lens: ShortTextQuery = "", start: StartQuery = 0) -> Response:
    return _render_log(page, parse_lens(lens), start)


def _render_log(page: PageRequest, lens: str | None, start: int, rejected: RejectedThemeEdit | None = None) -> Response:
    theme_list = list_themes(page.store, lens)
    logged_edits = list(reversed(list_logged_edits(page.store, theme_list.lens)))
    current_page = logged_edits[start : start + PAGE_SIZE]
    names = page.store.themes.names(theme_list.lens)
    cases = case_display_ids(page.store, [logged.edit for logged in current_page], MAX_LISTED_CASES)
    return page.render(
        "themes/log.html",
        rejected.status if rejected else 200,
        **common_context(page.ctx, theme_list, "/themes/log"),
        rows=[(logged, describe_edit(logged.edit, names, cases)) for logged in current_page],
        **offset_links("/themes/log", len(logged_edits), start, PAGE_SIZE, lens=theme_list.lens),
        last_seq=get_last_edit_seq(page.store),
        rejected=rejected,
    )


@router.post("/themes/log", "undo_from_log", Action.EDIT_THEMES, proposing=True)
def undo_from_log(page: PageDep, form_data: FormDataDep) -> Response:
    form = read_form(form_data)
    return_path = f"/themes/log?{urlencode({'lens': form.lens})}"
    result = handle_theme_edit(page.ctx, page.caller, form, return_path=return_path)
    return result if isinstance(result, Response) else _render_log(page, parse_lens(form.lens), 0, result)
