"""Submit, edit, withdraw and erase a case; read related cases, raw versions and possible names."""

from dataclasses import asdict

from fastapi import APIRouter, Response
from starlette.requests import Request
from starlette.responses import JSONResponse

from patternmind.domain.cases import FACT_FIELDS, Case, text_fields
from patternmind.domain.members import LOCAL_USER
from patternmind.domain.permissions import Action
from patternmind.errors import (
    NotFound,
    RuleViolated,
    UsageError,
)
from patternmind.services.case_submission import (
    CaseInput,
    CasePreview,
    InvalidCase,
    edit_case,
    is_own_case,
    is_own_withdrawn_case,
    preview_case,
    restore_case,
    submit_case,
)
from patternmind.services.case_view import (
    CaseView,
    find_quotations,
    find_similar_cases,
    get_case_view,
    list_versions,
    possible_names_in_case,
)
from patternmind.services.erasure import ErasureResult, find_withdrawal
from patternmind.services.possible_names import confirm_names
from patternmind.web.api import case_schemas, schemas
from patternmind.web.api.cases import case_response
from patternmind.web.audit import audit_target, skip_audit
from patternmind.web.caller import Caller
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.etags import IfMatchHeader, etag_responses, expected_version, format_etag
from patternmind.web.idempotency import ACCEPTS_IDEMPOTENCY_KEY
from patternmind.web.permissions import requires
from patternmind.web.problems import (
    INVALID,
    MEDIA_TYPE,
    FieldProblem,
    build_problem,
    problem_responses,
)
from patternmind.web.routing import ApiRoute
from patternmind.web.state import get_app_state

router = APIRouter(route_class=ApiRoute, tags=["cases"])

ETAG_RESPONSE = etag_responses("Version of the case.")


@router.post(
    "/cases/preview",
    name="preview_case",
    responses=problem_responses(400),
    dependencies=[requires(Action.SUBMIT_CASE)],
    response_model=case_schemas.CasePreviewResponse,
)
def create_case_preview(request: Request, ctx: ContextDep, caller: CallerDep, body: case_schemas.CaseRequest) -> object:
    """Preview a case as others would read it, without storing it."""
    skip_audit(request)
    try:
        return _preview_response(preview_case(ctx.store, _case_input(caller, body)))
    except InvalidCase as error:
        return _invalid_case_response(request, error)


@router.post(
    "/cases",
    name="submit_case",
    status_code=201,
    responses=problem_responses(400) | etag_responses("Version of the case.", status=201),
    dependencies=[requires(Action.SUBMIT_CASE), ACCEPTS_IDEMPOTENCY_KEY],
    response_model=case_schemas.CasePreviewResponse,
)
def create_case(
    request: Request, response: Response, ctx: ContextDep, caller: CallerDep, body: case_schemas.CaseRequest
) -> object:
    """Submit a case. The same text with the same id, or without one, is one case however often it is sent."""
    try:
        saved = submit_case(ctx.store, ctx.clock, _case_input(caller, body))
    except InvalidCase as error:
        return _invalid_case_response(request, error)
    response.headers["etag"] = format_etag(ctx.store.count_versions(saved.case.id))
    response.headers["location"] = f"/api/v1/cases/{saved.case.id}"
    return _preview_response(saved)


@router.put(
    "/cases/{case_id:path}",
    name="replace_case",
    responses=problem_responses(400, 404, 412) | ETAG_RESPONSE,
    dependencies=[requires(Action.EDIT_CASE, own=True)],
    response_model=case_schemas.CasePreviewResponse,
)
def replace_case(
    request: Request,
    response: Response,
    ctx: ContextDep,
    caller: CallerDep,
    *,
    case_id: str,
    body: case_schemas.CaseRequest,
    if_match: IfMatchHeader = None,
) -> object:
    """Replace the text and facts of a case. All earlier versions are kept."""
    case = _authorized_case(ctx, caller, case_id, Action.EDIT_CASE)
    audit_target(request, "case", case.id)
    if body.kind is not case.kind or body.external_id not in (None, case.external_id):
        raise UsageError("Kind and external id of a case cannot change. Leave them out.")
    expected = expected_version(if_match, ctx.store.n_versions(case.id), kind="case", id=case.id)
    try:
        saved = edit_case(ctx.store, ctx.clock, case.id, _case_input(caller, body), expected_version=expected)
    except InvalidCase as error:
        return _invalid_case_response(request, error)
    response.headers["etag"] = format_etag(ctx.store.count_versions(case.id))
    return _preview_response(saved)


@router.get(
    "/cases/{case_id:path}/surroundings",
    name="read_surroundings",
    responses=problem_responses(404) | ETAG_RESPONSE,
    dependencies=[requires(Action.SEARCH)],
)
def read_related(response: Response, ctx: ContextDep, caller: CallerDep, case_id: str) -> case_schemas.RelatedResponse:
    """Read the theme, similar cases and quotes of a case that you may see. The ETag is for edits."""
    view = get_case_view(ctx.store, case_id)
    response.headers["etag"] = view.etag
    return _related_response(ctx, caller, view)


def _related_response(ctx: ContextDep, caller: Caller, view: CaseView) -> case_schemas.RelatedResponse:
    assignment = view.assignment if caller.may(Action.SEE_THEMES, reading=True) else None
    quotes = find_quotations(ctx.store, view.case.id) if caller.may(Action.SEE_DRAFTS, reading=True) else []
    return case_schemas.RelatedResponse(
        n_versions=view.n_versions,
        theme_id=assignment.theme_id if assignment else None,
        theme=view.theme_names.get(assignment.theme_id or "") if assignment else None,
        strength=assignment.strength if assignment else None,
        second_theme_id=assignment.second_theme_id if assignment else None,
        nearest_theme_id=assignment.nearest_theme_id if assignment else None,
        reason=assignment.reason if assignment else "",
        repeats=view.duplicate_of.id if view.duplicate_of else None,
        repeated_by=[duplicate.id for duplicate in view.duplicates],
        linked=[linked.id for linked in view.linked_cases],
        linked_by=[recap.id for recap in view.linking_recaps],
        like=[
            case_schemas.SimilarCaseResponse(case_id=similar.case.id, title=similar.case.title, score=similar.score)
            for similar in find_similar_cases(ctx.store, ctx.live_index.neighbours, view.case)
        ],
        quotes=[case_schemas.CaseQuoteResponse(**asdict(quote)) for quote in quotes],
    )


@router.get(
    "/cases/{case_id:path}/raw",
    name="read_raw",
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_RAW_TEXT, own=True)],
)
def read_raw(ctx: ContextDep, caller: CallerDep, case_id: str) -> case_schemas.RawCaseResponse:
    """Read all submitted versions of a case, including names; for stewards and its submitter."""
    case = _authorized_case(ctx, caller, case_id, Action.SEE_RAW_TEXT)
    return case_schemas.RawCaseResponse(
        case_id=case.id,
        versions=[
            case_schemas.CaseVersionResponse(
                version=version.number,
                at=version.at,
                by=version.actor,
                file=version.submission.file,
                row=version.submission.row,
                text=dict(version.submission.text),
                facts=dict(version.submission.facts),
                extra=dict(version.submission.extra),
                linked_cases=list(version.submission.linked_cases),
            )
            for version in list_versions(ctx.store, case.id)
        ],
    )


@router.get(
    "/cases/{case_id:path}/possible-names",
    name="read_possible_names",
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_POSSIBLE_NAMES, own=True)],
)
def read_possible_names(
    ctx: ContextDep, caller: CallerDep, case_id: str
) -> schemas.ListResponse[case_schemas.CasePossibleNameResponse]:
    """List possible names in the redacted text of a case, most likely first."""
    possible_names = possible_names_in_case(_authorized_case(ctx, caller, case_id, Action.SEE_POSSIBLE_NAMES))
    return schemas.ListResponse(
        items=[
            case_schemas.CasePossibleNameResponse(
                name=candidate.name, n=candidate.n, why=list(candidate.why), contexts=list(candidate.contexts)
            )
            for candidate in possible_names
        ]
    )


@router.post(
    "/cases/{case_id:path}/possible-names",
    name="confirm_names_of_case",
    responses=problem_responses(400, 404),
    dependencies=[requires(Action.ROSTER), ACCEPTS_IDEMPOTENCY_KEY],
)
def confirm_names_of_case(
    ctx: ContextDep, case_id: str, body: schemas.PossibleNamesRequest
) -> case_schemas.NamesConfirmedResponse:
    """Add possible names of a case to the roster and redact them everywhere."""
    candidates = {candidate.name for candidate in possible_names_in_case(ctx.store.case(case_id))}
    if not set(body.names) <= candidates:
        raise UsageError('"names" contains a name that is not a possible name of this case.', field="names")
    return case_schemas.NamesConfirmedResponse(people_added=confirm_names(ctx.store, body.names))


@router.post(
    "/cases/{case_id:path}/withdrawal",
    name="withdraw_case",
    responses=problem_responses(400, 404, 409),
    dependencies=[requires(Action.EDIT_CASE, own=True), ACCEPTS_IDEMPOTENCY_KEY],
)
def withdraw_case(
    request: Request, ctx: ContextDep, caller: CallerDep, case_id: str, body: case_schemas.CaseRemovalRequest
) -> case_schemas.RemovedCaseResponse:
    """Withdraw a case from all lists, themes, drafts and searches. It can be restored."""
    case = _authorized_case(ctx, caller, case_id, Action.EDIT_CASE)
    audit_target(request, "case", case.id)
    return _removal_response(ctx.withdraw(case.id, actor=caller.actor_name(body.by)))


@router.delete(
    "/cases/{case_id:path}/withdrawal",
    name="put_case_back",
    responses=problem_responses(404),
    dependencies=[requires(Action.EDIT_CASE, own=True)],
)
def restore_withdrawn_case(ctx: ContextDep, caller: CallerDep, case_id: str) -> schemas.CaseResponse:
    """Restore a withdrawn case; the next run assigns it to a theme."""
    withdrawn_id = _withdrawn_case_id(ctx, caller, case_id, Action.EDIT_CASE)
    if withdrawn_id is None:
        raise NotFound("withdrawn case", case_id)
    case = restore_case(ctx.store, withdrawn_id)
    return case_response(case, ctx.store.find_assignment(case.id))


@router.delete(
    "/cases/{case_id:path}",
    name="erase_case",
    responses=problem_responses(404, 409),
    dependencies=[requires(Action.ERASE_CASE, own=True)],
)
def erase_case(
    request: Request, ctx: ContextDep, caller: CallerDep, case_id: str, by: str | None = None
) -> case_schemas.RemovedCaseResponse:
    """Erase a case permanently, also a withdrawn one. This cannot be undone."""
    target_id = _withdrawn_case_id(ctx, caller, case_id, Action.ERASE_CASE)
    if target_id is None:
        target_id = _authorized_case(ctx, caller, case_id, Action.ERASE_CASE).id
    audit_target(request, "case", target_id)
    result = ctx.erase(target_id, actor=caller.actor_name(by))
    get_app_state(request).clear_replay_caches()
    return _removal_response(result)


def _authorized_case(ctx: ContextDep, caller: Caller, case_id: str, action: Action) -> Case:
    case = ctx.store.case(case_id)
    caller.require(action, is_own_case(ctx.store, case, caller.member))
    return case


def _withdrawn_case_id(ctx: ContextDep, caller: Caller, case_id: str, action: Action) -> str | None:
    """Return the id of a withdrawn case, or None if the case is not withdrawn.

    Raises:
        NotFound: the case is withdrawn, and the caller may not access it.
    """
    withdrawal = find_withdrawal(ctx.store, case_id)
    if withdrawal is None:
        return None
    if not caller.may(action, is_own_withdrawn_case(ctx.store, withdrawal.case_id, caller.member)):
        raise NotFound("case", case_id)
    return withdrawal.case_id


def _case_input(caller: Caller, body: case_schemas.CaseRequest) -> CaseInput:
    unknown = [name for name in body.text if name not in text_fields(body.kind)]
    unknown += [name for name in body.facts if name not in FACT_FIELDS or name in {"consent", "submitter"}]
    if unknown:
        raise UsageError(
            f'A {body.kind} has no field "{unknown[0][:80]}". Use a field of `text` or `facts`.', field="text"
        )
    if body.submitter.strip() and not caller.may(Action.SEE_RAW_TEXT):
        raise RuleViolated('Leave "submitter" out: only a steward may submit a case for another person.')
    fields = {**body.text, **body.facts}
    fields |= {"consent": body.consent.value} if body.consent else {}
    fields |= {"linked_cases": "\n".join(body.linked_cases)} if body.linked_cases else {}
    return CaseInput(
        kind=body.kind,
        fields=fields,
        external_id=body.external_id,
        member=caller.member,
        submitter=body.submitter,
        actor=caller.name or LOCAL_USER,
    )


def _invalid_case_response(request: Request, error: InvalidCase) -> JSONResponse:
    fields = [
        FieldProblem(field=f"body.{field_error.field}" if field_error.field else "body", message=field_error.message)
        for field_error in error.field_errors
    ]
    problem = build_problem(INVALID, str(error), request_id=request.state.request_id, fields=fields)
    return JSONResponse(problem.model_dump(), problem.status, media_type=MEDIA_TYPE)


def _preview_response(preview: CasePreview) -> case_schemas.CasePreviewResponse:
    return case_schemas.CasePreviewResponse(
        case=case_response(preview.case, None),
        redacted=dict(preview.redaction_counts),
        possible_names=list(preview.possible_names),
        suspicions=list(preview.suspicions),
        missing=case_schemas.MissingFieldResponse(**asdict(preview.suggestion)) if preview.suggestion else None,
        is_new=preview.is_new,
    )


def _removal_response(removal: ErasureResult) -> case_schemas.RemovedCaseResponse:
    return case_schemas.RemovedCaseResponse(
        case_id=removal.case_id,
        n_quotes=removal.n_quotes,
        n_drafts=removal.n_drafts,
        same=list(removal.same),
        linked=list(removal.linked),
    )
