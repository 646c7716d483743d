"""One theme: its card, its cases, what is closest to it, its drafts and history, and what may be done about it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from patternmind.bootstrap import House
from patternmind.carry import explain
from patternmind.model.cases import Case
from patternmind.model.drafts import DraftKind
from patternmind.model.edits import EditAction, in_force, owners
from patternmind.model.reading import DraftsWanted, ThemeStory
from patternmind.model.rights import Action
from patternmind.model.themes import Lineage, Theme, steadiness
from patternmind.verbs.editing import edit_log, newest_line
from patternmind.verbs.theme_reading import find_story, lenses_seen, names_of_cases, read_members
from patternmind.web import charts
from patternmind.web.door import PageDoor, TheCaller, TheHouse
from patternmind.web.rendering import render
from patternmind.web.rights import needs
from patternmind.web.theme_edits import Refused, Sent, answer_edit, read_form
from patternmind.web.theme_words import LENS_WORDS, LINEAGE_WORDS, MOST_CASES, edit_words

router = APIRouter(route_class=PageDoor)

ROWS = 25
MOST_DRAFTS = 20
GLIMPSE = 280
"""Letters of a case's text that a list shows."""

Start = Annotated[int, Query(ge=0, le=10_000_000)]


@router.get("/themes/{theme_id}", name="read_theme", dependencies=[needs(Action.SEE_THEMES)])
def read_theme(request: Request, house: TheHouse, theme_id: str, start: Start = 0) -> Response:
    return _page(request, house, theme_id, start)


@router.post("/themes/{theme_id}", name="edit_theme", dependencies=[needs(Action.EDIT_THEMES, proposing=True)])
async def edit_theme(request: Request, house: TheHouse, caller: TheCaller, theme_id: str) -> Response:
    sent = read_form(await request.form())
    return await run_in_threadpool(_edit, request, house, caller, theme_id, sent)


def _edit(request: Request, house: House, caller: TheCaller, theme_id: str, sent: Sent) -> Response:
    find_story(house.store, theme_id)
    answered = answer_edit(house, caller, sent, back=f"/themes/{theme_id}")
    return answered if isinstance(answered, Response) else _page(request, house, theme_id, 0, answered)


def _page(request: Request, house: House, theme_id: str, start: int, refused: Refused | None = None) -> Response:
    store = house.store
    story, lens = find_story(store, theme_id)
    theme = story.card.theme
    members, n_members = read_members(store, theme_id, lens, start=start, limit=ROWS)
    names = store.theme_names(lens)
    log = edit_log(store, lens)
    quarters = charts.quarters_of(theme.trend)
    at = f"/themes/{theme_id}"
    return render(
        request,
        "themes/theme.html",
        refused.status if refused else 200,
        theme=theme,
        story=story,
        lens=lens,
        lens_words=LENS_WORDS[lens],
        many_lenses=len(lenses_seen(store)) > 1,
        badges=_badges(theme),
        lineage_words=LINEAGE_WORDS[theme.lineage],
        steady=steadiness(theme.stability, tentative=theme.tentative),
        owner=owners(line.edit for line in log).get(theme_id, ""),
        locked=_is_locked(house, theme_id, lens),
        merged_into=_merged_into(house, theme_id, lens),
        nearest=names.get(theme.nearest_theme_id or "", ""),
        members=members,
        n_members=n_members,
        shown=f"{start + 1} to {start + len(members)} of {n_members}" if n_members > ROWS else "",
        following=f"{at}?start={start + ROWS}#cases" if start + ROWS < n_members else "",
        first=f"{at}#cases" if start else "",
        glimpse=_glimpse,
        central=[one.case for one in story.exemplars if one.case.id != theme.edge_case],
        edge=next((one.case for one in story.exemplars if one.case.id == theme.edge_case), None),
        quarters=quarters,
        chart=charts.bars(theme.trend, quarters),
        quarter_words=charts.quarter_words,
        others=_others(story, names, theme_id),
        drafts=store.draft_lines(DraftsWanted(kind=DraftKind.PATTERN, theme_id=theme_id), limit=MOST_DRAFTS).rows,
        turns=[(turn, explain(turn.change, names)) for turn in story.turns],
        edits=_edits(house, story, names, {one.edit.seq: one.undone_by for one in log}),
        seen=newest_line(store),
        refused=refused,
        sent=refused.sent if refused else Sent(),
        pages=request.app.state.pages,
    )


def _badges(theme: Theme) -> list[tuple[str, str]]:
    """What marks the theme, each with the kind of its badge."""
    told = [(theme.lineage.value, "good" if theme.lineage in {Lineage.NEW, Lineage.GREW, Lineage.RETURNED} else "")]
    if theme.tentative:
        told.append(("tentative", "doubt"))
    if theme.one_contributor:
        told.append(("one contributor", "doubt"))
    return told


def _is_locked(house: House, theme_id: str, lens: str) -> bool:
    lines = in_force(house.store.edits(lens))
    return any(one.action is EditAction.LOCK and one.theme_id == theme_id and not one.proposed for one in lines)


def _merged_into(house: House, theme_id: str, lens: str) -> str | None:
    """The theme that took this one in by a person's decision."""
    lines = in_force(house.store.edits(lens))
    return next(
        (
            one.other_theme_id
            for one in reversed(lines)
            if one.action is EditAction.MERGE and one.theme_id == theme_id and not one.proposed
        ),
        None,
    )


def _others(story: ThemeStory, names: dict[str, str], theme_id: str) -> list[tuple[str, str]]:
    """The other themes to choose from, the closest first, then by name."""
    close = [one.theme_id for one in story.closest]
    rest = sorted((id for id in names if id not in close and id != theme_id), key=lambda one: names[one].casefold())
    return [(id, names[id]) for id in (*close, *rest)]


def _edits(
    house: House, story: ThemeStory, names: dict[str, str], undone_by: dict[int, int | None]
) -> list[dict[str, Any]]:
    """What people decided about it, newest first, as the history shows it."""
    cases = names_of_cases(house.store, story.edits, MOST_CASES)
    return [
        {
            "edit": one,
            "words": edit_words(one, names, cases),
            "undone_by": undone_by.get(one.seq),
            "may_undo": one.action is not EditAction.UNDO and undone_by.get(one.seq) is None and one.because is None,
        }
        for one in story.edits
    ]


def _glimpse(case: Case) -> str:
    """The beginning of the first thing that a case tells beside its title, word for word."""
    text = next((value for name, value in case.text.items() if name != "title"), case.title)
    return text if len(text) <= GLIMPSE else f"{text[:GLIMPSE].rsplit(' ', 1)[0]} …"
