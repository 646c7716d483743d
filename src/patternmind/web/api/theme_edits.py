"""Theme edits and their log, proposals, conflicts, changes by runs, trends and the map."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, Query, Response

from patternmind.domain.edits import Edit, EditAction
from patternmind.domain.permissions import Action
from patternmind.errors import NotFound
from patternmind.lineage import explain_change
from patternmind.ports import RunRecord, Store
from patternmind.publishing.map_drawing import DrawnMap, draw_map
from patternmind.services.theme_changes import (
    ChangeToReview,
    ProposedEdit,
    accept_change,
    answer_conflict,
    answer_proposed_edit,
    decline_change,
    list_changes_to_review,
    list_conflicts_to_review,
    list_proposed_edits,
)
from patternmind.services.theme_edits import (
    EditResult,
    LoggedEdit,
    ThemeEditRequest,
    get_last_edit_seq,
    list_logged_edits,
    submit_edit,
)
from patternmind.services.theme_map import build_theme_map, map_rows
from patternmind.services.versioned_cache import VersionedCache
from patternmind.web.api import schemas
from patternmind.web.api import theme_schemas as shapes
from patternmind.web.caller import Caller
from patternmind.web.charts import quarter_range
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.etags import IfMatchHeader, etag_responses, expected_version, format_etag
from patternmind.web.idempotency import ACCEPTS_IDEMPOTENCY_KEY
from patternmind.web.lens import LensQuery
from patternmind.web.pagination import (
    CursorQuery,
    LimitQuery,
    decode_cursor,
    encode_cursor,
)
from patternmind.web.permissions import requires
from patternmind.web.problems import problem_responses
from patternmind.web.routing import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["themes"])

LOG_ETAG_RESPONSE = etag_responses("Number of the newest log entry.")

_MAP_CACHE: VersionedCache[DrawnMap] = VersionedCache()
"""Latest map per lens, as all callers may see it."""

MAY_PROPOSE_EDITS = requires(Action.EDIT_THEMES, proposing=True)
MAY_EDIT_THEMES = requires(Action.EDIT_THEMES)
MAY_SEE_THEMES = requires(Action.SEE_THEMES)


def _set_etag(store: Store, response: Response) -> None:
    response.headers["etag"] = format_etag(get_last_edit_seq(store))


def _apply_edit(
    ctx: ContextDep, caller: Caller, response: Response, edit_request: ThemeEditRequest, if_match: str | None
) -> shapes.EditResultResponse:
    """Submit an edit, or propose it if the caller may only propose."""
    expected_seq = expected_version(if_match, get_last_edit_seq(ctx.store), kind="log of", id="themes")
    is_proposal = not caller.may(Action.EDIT_THEMES)
    result = submit_edit(ctx.store, ctx.clock, replace(edit_request, expected_seq=expected_seq, proposed=is_proposal))
    _set_etag(ctx.store, response)
    return _edit_result_response(result)


# Edits, their log -----------------------------------------------------------------------------------------------------


@router.get("/themes/log", name="list_edits", responses=LOG_ETAG_RESPONSE, dependencies=[MAY_SEE_THEMES])
def list_edits(
    ctx: ContextDep, response: Response, lens: LensQuery = None, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> schemas.PageResponse[shapes.ThemeEditResponse]:
    """List all decisions and proposals about themes, oldest first, including undone ones."""
    after = decode_cursor(cursor)
    entries = [
        entry for entry in list_logged_edits(ctx.store, lens) if after is None or f"{entry.edit.seq:09d}" > after
    ]
    last_position = f"{entries[limit - 1].edit.seq:09d}" if len(entries) > limit else None
    _set_etag(ctx.store, response)
    return schemas.PageResponse(
        items=[_logged_edit_response(entry) for entry in entries[:limit]], next_cursor=encode_cursor(last_position)
    )


@router.post(
    "/themes/edits",
    name="edit_cases",
    responses=problem_responses(400, 404, 409, 412) | LOG_ETAG_RESPONSE,
    dependencies=[MAY_PROPOSE_EDITS, ACCEPTS_IDEMPOTENCY_KEY],
)
def edit_cases(
    ctx: ContextDep,
    caller: CallerDep,
    response: Response,
    body: shapes.CreateCasesEditRequest,
    if_match: IfMatchHeader = None,
) -> shapes.EditResultResponse:
    """Keep cases together or apart, or create a theme from cases in none. Later runs keep the edit."""
    edit_request = ThemeEditRequest(
        action=EditAction(body.action),
        actor=caller.actor_name(body.by),
        lens=body.lens,
        case_ids=tuple(body.case_ids),
        name=body.name,
        note=body.note,
    )
    return _apply_edit(ctx, caller, response, edit_request, if_match)


@router.post(
    "/themes/{theme_id}/edits",
    name="edit_theme",
    responses=problem_responses(400, 404, 409, 412) | LOG_ETAG_RESPONSE,
    dependencies=[MAY_PROPOSE_EDITS, ACCEPTS_IDEMPOTENCY_KEY],
)
def edit_theme(
    ctx: ContextDep,
    caller: CallerDep,
    response: Response,
    theme_id: str,
    body: shapes.CreateThemeEditRequest,
    if_match: IfMatchHeader = None,
) -> shapes.EditResultResponse:
    """Rename, merge, move, split, pin, lock, retire or own a theme. A data partner's edit is a proposal."""
    edit_request = ThemeEditRequest(
        action=EditAction(body.action),
        actor=caller.actor_name(body.by),
        lens=body.lens,
        theme_id=theme_id,
        other_theme_id=body.other_theme_id,
        case_ids=tuple(body.case_ids),
        name=body.name,
        note=body.note,
    )
    return _apply_edit(ctx, caller, response, edit_request, if_match)


@router.post(
    "/themes/log/{seq}/undo",
    name="undo_edit",
    responses=problem_responses(400, 404, 409, 412) | LOG_ETAG_RESPONSE,
    dependencies=[MAY_PROPOSE_EDITS, ACCEPTS_IDEMPOTENCY_KEY],
)
def undo_edit(
    ctx: ContextDep,
    caller: CallerDep,
    response: Response,
    seq: int,
    body: shapes.ThemeDecisionRequest | None = None,
    if_match: IfMatchHeader = None,
) -> shapes.EditResultResponse:
    """Undo an edit; the themes become what they would be without it."""
    decision = body or shapes.ThemeDecisionRequest()
    edit_request = ThemeEditRequest(
        action=EditAction.UNDO, actor=caller.actor_name(decision.by), undoes=seq, note=decision.note
    )
    return _apply_edit(ctx, caller, response, edit_request, if_match)


def _edit_response(edit: Edit, undone_by: int | None = None) -> shapes.ThemeEditResponse:
    return shapes.ThemeEditResponse.model_validate({**asdict(edit), "undone_by": undone_by})


def _logged_edit_response(logged_edit: LoggedEdit) -> shapes.ThemeEditResponse:
    return _edit_response(logged_edit.edit, logged_edit.undone_by)


def _edit_result_response(result: EditResult) -> shapes.EditResultResponse:
    doubts = [schemas.EditConflictResponse(**asdict(conflict)) for conflict in result.conflicts]
    return shapes.EditResultResponse(edit=_edit_response(result.edit), doubts=doubts)


# Proposals -------------------------------------------------------------------------------------------------


@router.get("/themes/proposals", name="list_proposals", dependencies=[MAY_SEE_THEMES])
def list_proposals(
    ctx: ContextDep,
    lens: LensQuery = None,
    include_answered: Annotated[bool, Query(alias="all", description="Also list answered proposals.")] = False,
) -> schemas.ListResponse[shapes.ProposedEditResponse]:
    """List edits proposed by members who may not decide, oldest first."""
    proposals = [
        proposal for proposal in list_proposed_edits(ctx.store, lens) if include_answered or proposal.answer is None
    ]
    return schemas.ListResponse(items=[_proposed_edit_response(proposal) for proposal in proposals])


@router.post(
    "/themes/proposals/{seq}",
    name="answer_proposal",
    responses=problem_responses(400, 404, 409),
    dependencies=[MAY_EDIT_THEMES, ACCEPTS_IDEMPOTENCY_KEY],
)
def answer_proposal(
    ctx: ContextDep, caller: CallerDep, seq: int, body: shapes.AnswerRequest
) -> shapes.EditResultResponse:
    """Accept a proposal, which applies the edit under your name, or decline it."""
    by = caller.actor_name(body.by)
    accept = body.answer == "accept"
    return _edit_result_response(
        answer_proposed_edit(ctx.store, ctx.clock, seq, is_accepted=accept, actor=by, note=body.note)
    )


def _proposed_edit_response(proposal: ProposedEdit) -> shapes.ProposedEditResponse:
    return shapes.ProposedEditResponse(
        edit=_edit_response(proposal.edit), answer=_edit_response(proposal.answer) if proposal.answer else None
    )


# Conflicts with the cases ---------------------------------------------------------------------------------


@router.get("/themes/doubts", name="list_doubts", dependencies=[MAY_SEE_THEMES])
def list_conflicts(ctx: ContextDep, lens: LensQuery = None) -> schemas.ListResponse[shapes.ConflictReviewResponse]:
    """List decisions that the cases of the last run contradict. They stay in effect."""
    return schemas.ListResponse(
        items=[
            shapes.ConflictReviewResponse(
                doubt=schemas.EditConflictResponse(**asdict(review.conflict)),
                decision=_edit_response(review.edit),
                answer=_edit_response(review.answer) if review.answer else None,
            )
            for review in list_conflicts_to_review(ctx.store, lens)
        ]
    )


@router.post(
    "/themes/doubts/{seq}",
    name="answer_one_doubt",
    responses=problem_responses(400, 404, 409),
    dependencies=[MAY_EDIT_THEMES, ACCEPTS_IDEMPOTENCY_KEY],
)
def decide_conflict(
    ctx: ContextDep, caller: CallerDep, seq: int, body: shapes.AnswerRequest, lens: LensQuery = None
) -> shapes.EditResultResponse:
    """Accept a conflict, which undoes the decision, or decline it, which keeps the decision."""
    by = caller.actor_name(body.by)
    return _edit_result_response(
        answer_conflict(ctx.store, ctx.clock, seq, is_accepted=body.answer == "accept", actor=by, lens=lens)
    )


# Changes by a run ---------------------------------------------------------------------------------------------------


@router.get(
    "/themes/changes", name="list_changes_to_review", responses=problem_responses(404), dependencies=[MAY_SEE_THEMES]
)
def list_theme_changes(
    ctx: ContextDep,
    lens: LensQuery = None,
    run: Annotated[str | None, Query(max_length=100, description="Run id; default: the last run.")] = None,
) -> schemas.ListResponse[shapes.ThemeChangeReviewResponse]:
    """List how a run changed each theme, with the evidence and the answer."""
    record = ctx.store.get_run(run) if run else ctx.store.last_run(lens)
    return schemas.ListResponse(items=_change_responses(ctx.store, record) if record else [])


def _change_responses(store: Store, run: RunRecord) -> list[shapes.ThemeChangeReviewResponse]:
    names = store.theme_names(run.parameters.lens)
    return [
        _change_response(change, run, explain_change(change.change, names))
        for change in list_changes_to_review(store, run.id)
    ]


def _change_response(change: ChangeToReview, run: RunRecord, text: str) -> shapes.ThemeChangeReviewResponse:
    return shapes.ThemeChangeReviewResponse.model_validate(
        {
            **asdict(change.change),
            "run_id": run.id,
            "text": text,
            "put_back": {theme_id: list(ids) for theme_id, ids in change.former_case_ids.items()},
            "answer": _edit_response(change.answer) if change.answer else None,
        }
    )


@router.post(
    "/themes/changes/{run_id}/{theme_id}",
    name="answer_change",
    responses=problem_responses(400, 404, 409),
    dependencies=[MAY_EDIT_THEMES, ACCEPTS_IDEMPOTENCY_KEY],
)
def answer_change(
    ctx: ContextDep, caller: CallerDep, run_id: str, theme_id: str, body: shapes.AnswerRequest
) -> schemas.ListResponse[shapes.EditResultResponse]:
    """Accept a run's change of a theme, or decline it, which pins its cases. Returns the new log entries."""
    by, store, clock = caller.actor_name(body.by), ctx.store, ctx.clock
    results: Sequence[EditResult]
    if body.answer == "accept":
        results = [accept_change(store, clock, run_id, theme_id, actor=by, note=body.note)]
    else:
        results = decline_change(store, clock, run_id, theme_id, actor=by, note=body.note)
    return schemas.ListResponse(items=[_edit_result_response(result) for result in results])


# Trends and map ------------------------------------------------------------------------------------------------------


@router.get("/themes/trends", name="read_trends", dependencies=[MAY_SEE_THEMES])
def read_trends(ctx: ContextDep, lens: LensQuery = None) -> shapes.TrendsResponse:
    """Read the number of cases per quarter, by theme and in total; quarters without cases have 0."""
    cards = ctx.store.list_theme_cards(lens)
    quarters = quarter_range(*(card.theme.trend for card in cards))
    themes = [
        shapes.ThemeTrendResponse(
            theme_id=card.theme.id,
            name=card.theme.name,
            n_cases=[card.theme.trend.get(quarter, 0) for quarter in quarters],
        )
        for card in cards
    ]
    totals = [sum(theme.n_cases[index] for theme in themes) for index in range(len(quarters))]
    return shapes.TrendsResponse(quarters=quarters, n_cases=totals, themes=themes)


@router.get("/map.json", name="read_map", dependencies=[MAY_SEE_THEMES])
def read_map(ctx: ContextDep, lens: LensQuery = None) -> schemas.ListResponse[shapes.MapPointResponse]:
    """Read the position of each case on the map. Distances are only a rough guide."""
    return schemas.ListResponse(
        items=[shapes.MapPointResponse.model_validate(row) for row in map_rows(ctx.store, lens)]
    )


@router.get(
    "/map.svg",
    name="draw",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}} | problem_responses(404),
    dependencies=[MAY_SEE_THEMES],
)
def read_map_svg(ctx: ContextDep, lens: LensQuery = None) -> Response:
    """Draw the map; names that only confidential cases contain are left out."""
    if ctx.store.last_run(lens) is None:
        raise NotFound("map", lens or "of the last run", "Start a run first.")
    theme_map = _MAP_CACHE.get_or_compute(ctx.store, lambda: draw_map(build_theme_map(ctx.store, lens)), key=lens)
    return Response(theme_map.svg, media_type="image/svg+xml")
