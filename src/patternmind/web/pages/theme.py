"""The page of a theme: facts, cases, similar themes, drafts, history and edits."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import Case
from patternmind.domain.drafts import DraftKind
from patternmind.domain.edits import binding_edits, theme_owners
from patternmind.domain.permissions import Action
from patternmind.domain.read_models import DraftFilter, ThemeDetail
from patternmind.domain.themes import Lineage, Theme, stability_label
from patternmind.edits import MAX_LISTED_CASES, describe_edit, resolve_edits
from patternmind.lineage import explain_change
from patternmind.services.theme_edits import LoggedEdit, get_last_edit_seq, list_logged_edits
from patternmind.services.theme_queries import case_display_ids, find_theme_detail, list_lenses, list_theme_members
from patternmind.web import charts
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.routing import PageRouter
from patternmind.web.templating import render
from patternmind.web.theme_descriptions import LENS_LABELS, LINEAGE_LABELS
from patternmind.web.theme_edit_forms import RejectedThemeEdit, ThemeEditForm, handle_theme_edit, read_form

router = PageRouter()

PAGE_SIZE = 25
MAX_DRAFTS = 20
EXCERPT_LENGTH = 280
"""Characters of a case's text shown as an excerpt."""

StartQuery = Annotated[int, Query(ge=0, le=10_000_000)]


@router.get("/themes/{theme_id}", "read_theme", Action.SEE_THEMES)
def read_theme(request: Request, ctx: ContextDep, theme_id: str, start: StartQuery = 0) -> Response:
    return _page(request, ctx, theme_id, start)


@router.post("/themes/{theme_id}", "edit_theme", Action.EDIT_THEMES, proposing=True)
async def edit_theme(request: Request, ctx: ContextDep, caller: CallerDep, theme_id: str) -> Response:
    form = read_form(await request.form())
    return await run_in_threadpool(_edit, request, ctx, caller, theme_id, form)


def _edit(request: Request, ctx: AppContext, caller: CallerDep, theme_id: str, form: ThemeEditForm) -> Response:
    find_theme_detail(ctx.store, theme_id)
    result = handle_theme_edit(ctx, caller, form, return_path=f"/themes/{theme_id}")
    return result if isinstance(result, Response) else _page(request, ctx, theme_id, 0, result)


def _page(
    request: Request, ctx: AppContext, theme_id: str, start: int, rejected: RejectedThemeEdit | None = None
) -> Response:
    store = ctx.store
    detail, lens = find_theme_detail(store, theme_id)
    theme = detail.card.theme
    members, n_members = list_theme_members(store, theme_id, lens, start=start, limit=PAGE_SIZE)
    names = store.themes.names(lens)
    logged_edits = {logged.edit.seq: logged for logged in list_logged_edits(store, lens)}
    log = [logged.edit for logged in logged_edits.values()]
    resolved = resolve_edits(binding_edits(log))
    quarters = charts.quarter_range(theme.trend)
    path = f"/themes/{theme_id}"
    return render(
        request,
        "themes/theme.html",
        rejected.status if rejected else 200,
        theme=theme,
        detail=detail,
        lens=lens,
        lens_label=LENS_LABELS[lens],
        has_many_lenses=len(list_lenses(store)) > 1,
        badges=_badges(theme),
        lineage_label=LINEAGE_LABELS[theme.lineage],
        stability=stability_label(theme.stability, tentative=theme.tentative),
        owner=theme_owners(log).get(theme_id, ""),
        is_locked=theme_id in resolved.locked,
        merged_into=resolved.merge_targets.get(theme_id),
        nearest_theme_name=names.get(theme.nearest_theme_id or "", ""),
        members=members,
        n_members=n_members,
        page_range=f"{start + 1}–{start + len(members)} of {n_members}" if n_members > PAGE_SIZE else "",
        next_url=f"{path}?start={start + PAGE_SIZE}#cases" if start + PAGE_SIZE < n_members else "",
        first_url=f"{path}#cases" if start else "",
        excerpt=_excerpt,
        central_cases=[row.case for row in detail.exemplars if row.case.id != theme.edge_case],
        edge_case=next((row.case for row in detail.exemplars if row.case.id == theme.edge_case), None),
        quarters=quarters,
        chart=charts.bar_chart(theme.trend, quarters),
        theme_options=_theme_options(detail, names, theme_id),
        drafts=store.drafts.item_page(DraftFilter(kind=DraftKind.PATTERN, theme_id=theme_id), limit=MAX_DRAFTS).rows,
        run_changes=[(change, explain_change(change.change, names)) for change in detail.run_changes],
        edits=_described_edits(ctx, detail, names, logged_edits),
        last_seq=get_last_edit_seq(store),
        rejected=rejected,
        form=rejected.form if rejected else ThemeEditForm(),
        pages=request.app.state.pages,
    )


def _badges(theme: Theme) -> list[tuple[str, str]]:
    """Return text and kind of the theme's badges."""
    badges = [(theme.lineage.value, "good" if theme.lineage in {Lineage.NEW, Lineage.GREW, Lineage.RETURNED} else "")]
    if theme.tentative:
        badges.append(("tentative", "doubt"))
    if theme.one_contributor:
        badges.append(("one contributor", "doubt"))
    return badges


def _theme_options(detail: ThemeDetail, names: dict[str, str], theme_id: str) -> list[tuple[str, str]]:
    """Return the other themes as select options: similar ones first, then by name."""
    similar = [theme.theme_id for theme in detail.similar_themes]
    rest = sorted(
        (id for id in names if id not in similar and id != theme_id), key=lambda other: names[other].casefold()
    )
    return [(id, names[id]) for id in (*similar, *rest)]


def _described_edits(
    ctx: AppContext, detail: ThemeDetail, names: dict[str, str], logged_edits: Mapping[int, LoggedEdit]
) -> list[tuple[LoggedEdit, str]]:
    """Return the decisions about a theme with their descriptions, newest first."""
    cases = case_display_ids(ctx.store, detail.edits, MAX_LISTED_CASES)
    return [(logged_edits[edit.seq], describe_edit(edit, names, cases)) for edit in detail.edits]


def _excerpt(case: Case) -> str:
    """Return the beginning of a case's first text field other than the title."""
    text = next((value for name, value in case.text.items() if name != "title"), case.title)
    return text if len(text) <= EXCERPT_LENGTH else f"{text[:EXCERPT_LENGTH].rsplit(' ', 1)[0]} …"
