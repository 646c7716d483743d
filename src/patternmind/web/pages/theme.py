"""One theme: its card, its cases, what is closest to it, its drafts and history, and what may be done about it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import Case
from patternmind.domain.drafts import DraftKind
from patternmind.domain.edits import EditAction, active_edits, theme_owners
from patternmind.domain.permissions import Action
from patternmind.domain.read_models import DraftFilter, ThemeDetail
from patternmind.domain.themes import Lineage, Theme, stability_label
from patternmind.lineage import explain_change
from patternmind.services.theme_edits import get_last_edit_seq, list_logged_edits
from patternmind.services.theme_queries import (
    case_display_ids,
    find_theme_detail,
    list_lenses,
    list_theme_members,
)
from patternmind.web import charts
from patternmind.web.dependencies import CallerDep, ContextDep
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
MAX_DRAFTS = 20
EXCERPT_LENGTH = 280
"""Letters of a case's text that a list shows."""

StartQuery = Annotated[int, Query(ge=0, le=10_000_000)]


@router.get("/themes/{theme_id}", name="read_theme", dependencies=[requires(Action.SEE_THEMES)])
def read_theme(request: Request, ctx: ContextDep, theme_id: str, start: StartQuery = 0) -> Response:
    return _page(request, ctx, theme_id, start)


@router.post("/themes/{theme_id}", name="edit_theme", dependencies=[requires(Action.EDIT_THEMES, proposing=True)])
async def edit_theme(request: Request, ctx: ContextDep, caller: CallerDep, theme_id: str) -> Response:
    sent = read_form(await request.form())
    return await run_in_threadpool(_edit, request, ctx, caller, theme_id, sent)


def _edit(request: Request, ctx: AppContext, caller: CallerDep, theme_id: str, form: ThemeEditForm) -> Response:
    find_theme_detail(ctx.store, theme_id)
    answered = handle_theme_edit(ctx, caller, form, return_path=f"/themes/{theme_id}")
    return answered if isinstance(answered, Response) else _page(request, ctx, theme_id, 0, answered)


def _page(
    request: Request, ctx: AppContext, theme_id: str, start: int, rejected: RejectedThemeEdit | None = None
) -> Response:
    store = ctx.store
    story, lens = find_theme_detail(store, theme_id)
    theme = story.card.theme
    members, n_members = list_theme_members(store, theme_id, lens, start=start, limit=PAGE_SIZE)
    names = store.theme_names(lens)
    log = list_logged_edits(store, lens)
    quarters = charts.quarter_range(theme.trend)
    at = f"/themes/{theme_id}"
    return render(
        request,
        "themes/theme.html",
        rejected.status if rejected else 200,
        theme=theme,
        story=story,
        lens=lens,
        lens_words=LENS_LABELS[lens],
        many_lenses=len(list_lenses(store)) > 1,
        badges=_badges(theme),
        lineage_words=LINEAGE_LABELS[theme.lineage],
        steady=stability_label(theme.stability, tentative=theme.tentative),
        owner=theme_owners(line.edit for line in log).get(theme_id, ""),
        locked=_is_locked(ctx, theme_id, lens),
        merged_into=_merged_into(ctx, theme_id, lens),
        nearest=names.get(theme.nearest_theme_id or "", ""),
        members=members,
        n_members=n_members,
        shown=f"{start + 1} to {start + len(members)} of {n_members}" if n_members > PAGE_SIZE else "",
        following=f"{at}?start={start + PAGE_SIZE}#cases" if start + PAGE_SIZE < n_members else "",
        first=f"{at}#cases" if start else "",
        glimpse=_excerpt,
        central=[one.case for one in story.exemplars if one.case.id != theme.edge_case],
        edge=next((one.case for one in story.exemplars if one.case.id == theme.edge_case), None),
        quarters=quarters,
        chart=charts.bar_chart(theme.trend, quarters),
        quarter_words=charts.quarter_label,
        others=_theme_options(story, names, theme_id),
        drafts=store.list_draft_items(DraftFilter(kind=DraftKind.PATTERN, theme_id=theme_id), limit=MAX_DRAFTS).rows,
        turns=[(turn, explain_change(turn.change, names)) for turn in story.run_changes],
        edits=_edit_rows(ctx, story, names, {one.edit.seq: one.undone_by for one in log}),
        seen=get_last_edit_seq(store),
        refused=rejected,
        sent=rejected.form if rejected else ThemeEditForm(),
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


def _is_locked(ctx: AppContext, theme_id: str, lens: str) -> bool:
    lines = active_edits(ctx.store.edits(lens))
    return any(one.action is EditAction.LOCK and one.theme_id == theme_id and not one.proposed for one in lines)


def _merged_into(ctx: AppContext, theme_id: str, lens: str) -> str | None:
    """The theme that took this one in by a person's decision."""
    lines = active_edits(ctx.store.edits(lens))
    return next(
        (
            one.other_theme_id
            for one in reversed(lines)
            if one.action is EditAction.MERGE and one.theme_id == theme_id and not one.proposed
        ),
        None,
    )


def _theme_options(detail: ThemeDetail, names: dict[str, str], theme_id: str) -> list[tuple[str, str]]:
    """The other themes to choose from, the closest first, then by name."""
    close = [one.theme_id for one in detail.similar_themes]
    rest = sorted((id for id in names if id not in close and id != theme_id), key=lambda one: names[one].casefold())
    return [(id, names[id]) for id in (*close, *rest)]


def _edit_rows(
    ctx: AppContext, detail: ThemeDetail, names: dict[str, str], undone_by: dict[int, int | None]
) -> list[dict[str, Any]]:
    """What people decided about it, newest first, as the history shows it."""
    cases = case_display_ids(ctx.store, detail.edits, MAX_LISTED_CASES)
    return [
        {
            "edit": one,
            "words": describe_edit(one, names, cases),
            "undone_by": undone_by.get(one.seq),
            "may_undo": one.action is not EditAction.UNDO and undone_by.get(one.seq) is None and one.because is None,
        }
        for one in detail.edits
    ]


def _excerpt(case: Case) -> str:
    """The beginning of the first thing that a case tells beside its title, word for word."""
    text = next((value for name, value in case.text.items() if name != "title"), case.title)
    return text if len(text) <= EXCERPT_LENGTH else f"{text[:EXCERPT_LENGTH].rsplit(' ', 1)[0]} …"
