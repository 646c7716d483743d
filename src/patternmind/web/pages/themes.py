"""Themes as a list, as a map, through the quarters; the cases in none; and the log of what people decided."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from patternmind.bootstrap import House
from patternmind.errors import UsageError
from patternmind.model.reading import ThemeCard
from patternmind.model.rights import Action
from patternmind.publish.map import DrawnMap, draw_map
from patternmind.verbs.editing import edit_log, newest_line
from patternmind.verbs.keeping import Keeping
from patternmind.verbs.mapping import collect_map
from patternmind.verbs.theme_changes import waiting_count
from patternmind.verbs.theme_reading import Standing, ThemesShown, names_of_cases, read_themes, read_unplaced
from patternmind.web import charts
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.paging import Cursor, read_cursor, write_cursor
from patternmind.web.rendering import render
from patternmind.web.rights import needs
from patternmind.web.theme_edits import Refused, Sent, answer_edit, read_form
from patternmind.web.theme_words import LENS_WORDS, LINEAGE_WORDS, MOST_CASES, edit_words

router = APIRouter(route_class=PageDoor)

ROWS = 25
MOST_THEMES = 50
"""Themes on a page."""

MOST_DOTS = 4_000
"""Dots on the map of a page: enough to see the islands, and half a megabyte less than all twenty thousand."""

SORTS: Mapping[str, tuple[str, Callable[[ThemeCard], Any]]] = {
    "size": ("Most cases", lambda card: -card.theme.n_cases),
    "new": ("Most new cases", lambda card: -card.theme.new_cases),
    "steady": ("Steadiest", lambda card: -card.theme.stability),
    "name": ("Name", lambda card: card.theme.name.casefold()),
}

Start = Annotated[int, Query(ge=0, le=1_000_000)]
LensOf = Annotated[str, Query(max_length=20)]


def known_lens(said: str) -> str | None:
    """A lens that there is; None for that of the last run."""
    return said if said in LENS_WORDS else None


@router.get("/themes", name="list_themes", dependencies=[needs(Action.SEE_THEMES)])
def list_themes(
    request: Request, house: TheHouse, lens: LensOf = "", sort: LensOf = "size", start: Start = 0
) -> Response:
    shown = read_themes(house.store, known_lens(lens))
    sort = sort if sort in SORTS else "size"
    groups = _by_area(sorted(shown.cards, key=SORTS[sort][1]), shown.areas, together=sort == "size")
    page = _page_of(groups, start)
    return render(
        request,
        "themes/list.html",
        **frame(house, shown, "/themes"),
        **pages_of("/themes", len(shown.cards), start, lens=shown.lens, sort=sort),
        groups=page,
        sort=sort,
        sorts=[(name, words) for name, (words, _) in SORTS.items()],
        quarters=charts.quarters_of(*(card.theme.trend for card in shown.cards)),
        sparkline=charts.sparkline,
        certain=any(not card.theme.tentative for card in shown.cards),
    )


def frame(house: House, shown: ThemesShown, here: str) -> dict[str, Any]:
    """What all pages about the themes of a lens show around their own."""
    said = f"?lens={shown.lens}" if len(shown.lenses) > 1 else ""
    waiting = waiting_count(house.store, shown.lens) if shown.run else 0
    return {
        "shown": shown,
        "standing": shown.standing.value,
        "here": f"{here}{said}",
        "lens_links": [(f"{here}?lens={lens}", LENS_WORDS[lens]) for lens in shown.lenses],
        "tabs": [
            (f"/themes{said}", "Themes", len(shown.cards)),
            (f"/themes/map{said}", "Map"),
            (f"/themes/trend{said}", "By quarter"),
            (f"/themes/unplaced{said}", "Not in a theme yet", shown.run.n_outliers if shown.run else None),
            (f"/themes/changes{said}", "Changes", waiting or None),
            (f"/themes/log{said}", "Decisions"),
        ],
        "lineage_words": LINEAGE_WORDS,
        "unplaced_at": f"/themes/unplaced{said}",
    }


Groups = list[tuple[str, list[ThemeCard]]]


def _by_area(cards: Sequence[ThemeCard], areas: Mapping[str, str], *, together: bool) -> Groups:
    """The areas, that of the first theme first; one group without a name where there is one area, or none is wanted."""
    groups: dict[str, list[ThemeCard]] = {}
    for card in cards:
        groups.setdefault(card.theme.area_id if together else "", []).append(card)
    named = [(areas.get(area_id, ""), inside) for area_id, inside in groups.items()]
    return named if len(named) > 1 else [("", inside) for _, inside in named]


def _page_of(groups: Groups, start: int) -> Groups:
    """What of the groups stands on the page that begins after so many themes."""
    page: Groups = []
    passed = 0
    for name, cards in groups:
        inside = cards[max(0, start - passed) : max(0, start + MOST_THEMES - passed)]
        passed += len(cards)
        if inside:
            page.append((name, inside))
    return page


def pages_of(address: str, n: int, start: int, **said: str) -> dict[str, Any]:
    """The way from page to page of so many themes."""
    at = f"{address}?{urlencode({name: value for name, value in said.items() if value})}"
    last = min(start + MOST_THEMES, n)
    return {
        "paged": f"{start + 1} to {last} of {n} themes" if n > MOST_THEMES else "",
        "following": f"{at}&start={last}" if last < n else "",
        "first": at if start else "",
    }


# The map -------------------------------------------------------------------------------------------------------------

_DRAWN: Keeping[DrawnMap] = Keeping()
"""The last pictures, by lens: drawing one of 100,000 cases takes a second."""


def drawn_map(house: House, shown: ThemesShown) -> DrawnMap:
    """The map of a lens as a page shows it.

    Raises:
        UsageError: no run placed its cases.
    """
    named = [card.theme for card in shown.cards]

    def draw() -> DrawnMap:
        return draw_map(collect_map(house.store, shown.lens, named=named), most_dots=MOST_DOTS, linked=True)

    return _DRAWN.of(house.store, draw, key=shown.lens)


@router.get("/themes/map", name="map_of_themes", dependencies=[needs(Action.SEE_THEMES)])
def map_of_themes(request: Request, house: TheHouse, lens: LensOf = "", start: Start = 0) -> Response:
    shown = read_themes(house.store, known_lens(lens))
    drawn: DrawnMap | None = None
    if shown.standing is Standing.THEMES:
        try:
            drawn = drawn_map(house, shown)
        except UsageError:
            drawn = None
    return render(
        request,
        "themes/map.html",
        **frame(house, shown, "/themes/map"),
        **pages_of("/themes/map", len(shown.cards), start, lens=shown.lens),
        cards=shown.cards[start : start + MOST_THEMES],
        drawn=drawn,
        svg=Markup(drawn.svg) if drawn else "",  # noqa: S704 - our own drawing, every name in it escaped
        n_all=shown.run.n_cases if shown.run else 0,
        near={card.theme.id: card.theme.name for card in shown.cards},
    )


# By quarter ----------------------------------------------------------------------------------------------------------


@router.get("/themes/trend", name="trend", dependencies=[needs(Action.SEE_THEMES)])
def trend(request: Request, house: TheHouse, lens: LensOf = "", start: Start = 0) -> Response:
    shown = read_themes(house.store, known_lens(lens))
    trends = [card.theme.trend for card in shown.cards]
    quarters = charts.quarters_of(*trends)
    total = {quarter: sum(one.get(quarter, 0) for one in trends) for quarter in quarters}
    return render(
        request,
        "themes/trend.html",
        **frame(house, shown, "/themes/trend"),
        **pages_of("/themes/trend", len(shown.cards), start, lens=shown.lens),
        cards=shown.cards[start : start + MOST_THEMES],
        quarters=quarters,
        total=total,
        chart=charts.bars(total, quarters),
        heads=[charts.quarter_words(quarter) for quarter in quarters],
        sparkline=charts.sparkline,
        most_bars=charts.MOST_BARS,
    )


# Not in a theme yet --------------------------------------------------------------------------------------------------


@router.get("/themes/unplaced", name="unplaced", dependencies=[needs(Action.SEE_THEMES)])
def unplaced(request: Request, house: TheHouse, lens: LensOf = "", cursor: Cursor = None) -> Response:
    return _unplaced_page(request, house, known_lens(lens), cursor)


def _unplaced_page(
    request: Request, house: House, lens: str | None, cursor: str | None, refused: Refused | None = None
) -> Response:
    shown = read_themes(house.store, lens)
    page = read_unplaced(house.store, shown.lens, limit=ROWS, after=read_cursor(cursor))
    following = write_cursor(page.following)
    at = f"/themes/unplaced?{urlencode({'lens': shown.lens})}"
    return render(
        request,
        "themes/unplaced.html",
        refused.status if refused else 200,
        **frame(house, shown, "/themes/unplaced"),
        rows=page.rows,
        names=house.store.theme_names(shown.lens),
        options=[(card.theme.id, card.theme.name) for card in shown.cards],
        following=f"{at}&cursor={following}" if following else "",
        first=at if cursor else "",
        seen=newest_line(house.store),
        refused=refused,
        sent=refused.sent if refused else Sent(),
    )


@router.post("/themes/unplaced", name="edit_unplaced", dependencies=[needs(Action.EDIT_THEMES, proposing=True)])
async def edit_unplaced(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    sent = read_form(await request.form())
    back = f"/themes/unplaced?{urlencode({'lens': sent.lens})}"
    answered = await run_in_threadpool(answer_edit, house, caller, sent, back=back)
    if isinstance(answered, Response):
        return answered
    return await run_in_threadpool(_unplaced_page, request, house, known_lens(sent.lens), None, answered)


# The log -------------------------------------------------------------------------------------------------------------


@router.get("/themes/log", name="log", dependencies=[needs(Action.SEE_THEMES)])
def log(request: Request, house: TheHouse, lens: LensOf = "", start: Start = 0) -> Response:
    return _log_page(request, house, known_lens(lens), start)


def _log_page(request: Request, house: House, lens: str | None, start: int, refused: Refused | None = None) -> Response:
    shown = read_themes(house.store, lens)
    lines = list(reversed(edit_log(house.store, shown.lens)))
    page = lines[start : start + ROWS]
    names = house.store.theme_names(shown.lens)
    cases = names_of_cases(house.store, [one.edit for one in page], MOST_CASES)
    at = f"/themes/log?lens={shown.lens}"
    more = start + ROWS < len(lines)
    return render(
        request,
        "themes/log.html",
        refused.status if refused else 200,
        **frame(house, shown, "/themes/log"),
        lines=[(one, edit_words(one.edit, names, cases)) for one in page],
        following=f"{at}&start={start + ROWS}" if more else "",
        first=at if start else "",
        seen=newest_line(house.store),
        refused=refused,
    )


@router.post("/themes/log", name="undo_from_log", dependencies=[needs(Action.EDIT_THEMES, proposing=True)])
async def undo_from_log(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    sent = read_form(await request.form())
    back = f"/themes/log?{urlencode({'lens': sent.lens})}"
    answered = await run_in_threadpool(answer_edit, house, caller, sent, back=back)
    if isinstance(answered, Response):
        return answered
    return await run_in_threadpool(_log_page, request, house, known_lens(sent.lens), 0, answered)
