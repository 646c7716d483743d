"""Handing in one case, editing it, and letting it go; what is around it, and for those who may, what it was."""

import re
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Header, Response
from starlette.requests import Request
from starlette.responses import JSONResponse

from patternmind.domain.cases import FACT_FIELDS, Case, text_fields
from patternmind.domain.permissions import Action
from patternmind.errors import (
    NotFound,
    RuleViolated,
    UsageError,
    VersionConflict,
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
from patternmind.web.auth import Caller
from patternmind.web.permissions import requires
from patternmind.web.problems import (
    INVALID,
    MEDIA_TYPE,
    FieldProblem,
    build_problem,
)
from patternmind.web.routing import (
    ACCEPTS_IDEMPOTENCY_KEY,
    ApiRoute,
    CallerDep,
    ContextDep,
    problem_responses,
)

router = APIRouter(route_class=ApiRoute, tags=["cases"])

ETAG_RESPONSE = {"headers": {"ETag": {"description": "The case's version.", "schema": {"type": "string"}}}}

IfMatchHeader = Annotated[
    str | None, Header(max_length=200, description="The ETag you saw; without it, whatever stands now is replaced.")
]


@router.post(
    "/cases/preview",
    name="preview_case",
    responses=problem_responses(400),
    dependencies=[requires(Action.SUBMIT_CASE)],
    response_model=case_schemas.CasePreviewResponse,
)
def create_case_preview(request: Request, ctx: ContextDep, caller: CallerDep, body: case_schemas.CaseRequest) -> object:
    """How others would read a case; nothing is stored."""
    skip_audit(request)
    try:
        return _preview_response(preview_case(ctx.store, _case_input(caller, body)))
    except InvalidCase as error:
        return _invalid_case_response(request, error)


@router.post(
    "/cases",
    name="submit_case",
    status_code=201,
    responses=problem_responses(400) | {201: ETAG_RESPONSE},
    dependencies=[requires(Action.SUBMIT_CASE), ACCEPTS_IDEMPOTENCY_KEY],
    response_model=case_schemas.CasePreviewResponse,
)
def create_case(
    request: Request, response: Response, ctx: ContextDep, caller: CallerDep, body: case_schemas.CaseRequest
) -> object:
    """Hand in a case. The same text under the same id, or under none, is the same case however often it is sent."""
    try:
        seen = submit_case(ctx.store, ctx.clock, _case_input(caller, body))
    except InvalidCase as error:
        return _invalid_case_response(request, error)
    response.headers["etag"] = _etag(ctx.store.n_versions(seen.case.id))
    response.headers["location"] = f"/api/v1/cases/{seen.case.id}"
    return _preview_response(seen)


@router.put(
    "/cases/{case_id:path}",
    name="replace_case",
    responses=problem_responses(400, 404, 412) | {200: ETAG_RESPONSE},
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
    """Put another text and other facts in the place of a case's. All earlier versions are kept."""
    case = _authorized_case(ctx, caller, case_id, Action.EDIT_CASE)
    audit_target(request, "case", case.id)
    if body.kind is not case.kind or body.external_id not in (None, case.external_id):
        raise UsageError("A case keeps its kind and its external id; leave them out.")
    expected = _expected_version(ctx, case, if_match)
    try:
        seen = edit_case(ctx.store, ctx.clock, case.id, _case_input(caller, body), expected_version=expected)
    except InvalidCase as error:
        return _invalid_case_response(request, error)
    response.headers["etag"] = _etag(ctx.store.n_versions(case.id))
    return _preview_response(seen)


@router.get(
    "/cases/{case_id:path}/surroundings",
    name="read_surroundings",
    responses=problem_responses(404) | {200: ETAG_RESPONSE},
    dependencies=[requires(Action.SEARCH)],
)
def read_related(response: Response, ctx: ContextDep, caller: CallerDep, case_id: str) -> case_schemas.RelatedResponse:
    """Where a case is, what is like it, and what quotes it, as far as you may see that. Its ETag is for edits."""
    view = get_case_view(ctx.store, case_id)
    response.headers["etag"] = view.etag
    return _related_response(ctx, caller, view)


def _related_response(ctx: ContextDep, caller: Caller, view: CaseView) -> case_schemas.RelatedResponse:
    placed = view.assignment if caller.may(Action.SEE_THEMES, reading=True) else None
    quotes = find_quotations(ctx.store, view.case.id) if caller.may(Action.SEE_DRAFTS, reading=True) else []
    return case_schemas.RelatedResponse(
        n_versions=view.n_versions,
        theme_id=placed.theme_id if placed else None,
        theme=view.theme_names.get(placed.theme_id or "") if placed else None,
        strength=placed.strength if placed else None,
        second_theme_id=placed.second_theme_id if placed else None,
        nearest_theme_id=placed.nearest_theme_id if placed else None,
        reason=placed.reason if placed else "",
        repeats=view.duplicate_of.id if view.duplicate_of else None,
        repeated_by=[one.id for one in view.duplicates],
        linked=[one.id for one in view.linked_cases],
        linked_by=[one.id for one in view.linking_recaps],
        like=[
            case_schemas.SimilarCaseResponse(case_id=one.case.id, title=one.case.title, score=one.score)
            for one in find_similar_cases(ctx.store, ctx.live_index.neighbours, view.case)
        ],
        quotes=[case_schemas.CaseQuoteResponse(**asdict(one)) for one in quotes],
    )


@router.get(
    "/cases/{case_id:path}/raw",
    name="read_raw",
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_RAW_TEXT, own=True)],
)
def read_raw(ctx: ContextDep, caller: CallerDep, case_id: str) -> case_schemas.RawCaseResponse:
    """A case as it was handed in, names included: for the steward, and for whose case it is."""
    case = _authorized_case(ctx, caller, case_id, Action.SEE_RAW_TEXT)
    return case_schemas.RawCaseResponse(
        case_id=case.id,
        versions=[
            case_schemas.CaseVersionResponse(
                version=one.number,
                at=one.at,
                by=one.actor,
                file=one.submission.file,
                row=one.submission.row,
                text=dict(one.submission.text),
                facts=dict(one.submission.facts),
                extra=dict(one.submission.extra),
                linked_cases=list(one.submission.linked_cases),
            )
            for one in list_versions(ctx.store, case.id)
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
    """What may be names in the redacted text of a case, the likeliest first."""
    found = possible_names_in_case(_authorized_case(ctx, caller, case_id, Action.SEE_POSSIBLE_NAMES))
    return schemas.ListResponse(
        items=[
            case_schemas.CasePossibleNameResponse(
                name=one.name, n=one.n, why=list(one.why), contexts=list(one.contexts)
            )
            for one in found
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
    """Put possible names of a case on the roster, which takes them out of everything that is stored."""
    offered = {one.name for one in possible_names_in_case(ctx.store.case(case_id))}
    if not set(body.names) <= offered:
        raise UsageError('"names" has one that is no possible name of this case.', field="names")
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
    """Take a case out of every list, theme, draft and search; what was handed in is kept, to be put back."""
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
    """Take a withdrawn case in again; the next run places it."""
    hidden_id = _withdrawn_case_id(ctx, caller, case_id, Action.EDIT_CASE)
    if hidden_id is None:
        raise NotFound("withdrawn case", case_id)
    case = restore_case(ctx.store, hidden_id)
    return case_response(case, ctx.store.place_of(case.id))


@router.delete(
    "/cases/{case_id:path}",
    name="erase_case",
    responses=problem_responses(404, 409),
    dependencies=[requires(Action.ERASE_CASE, own=True)],
)
def erase_case(
    request: Request, ctx: ContextDep, caller: CallerDep, case_id: str, by: str | None = None
) -> case_schemas.RemovedCaseResponse:
    """Erase a case, a withdrawn one too, for good. It has no undo."""
    wanted = _withdrawn_case_id(ctx, caller, case_id, Action.ERASE_CASE)
    if wanted is None:
        wanted = _authorized_case(ctx, caller, case_id, Action.ERASE_CASE).id
    audit_target(request, "case", wanted)
    told = ctx.erase(wanted, actor=caller.actor_name(by))
    request.app.state.rooms.clear_replay_caches()
    return _removal_response(told)


def _authorized_case(ctx: ContextDep, caller: Caller, case_id: str, action: Action) -> Case:
    case = ctx.store.case(case_id)
    caller.require(action, is_own_case(ctx.store, case, caller.member))
    return case


def _withdrawn_case_id(ctx: ContextDep, caller: Caller, case_id: str, action: Action) -> str | None:
    """The id of a withdrawn case that the caller may reach; to all others it is not there."""
    hidden = find_withdrawal(ctx.store, case_id)
    if hidden is None:
        return None
    if not caller.may(action, is_own_withdrawn_case(ctx.store, hidden.case_id, caller.member)):
        raise NotFound("case", case_id)
    return hidden.case_id


def _case_input(caller: Caller, body: case_schemas.CaseRequest) -> CaseInput:
    unknown = [name for name in body.text if name not in text_fields(body.kind)]
    unknown += [name for name in body.facts if name not in FACT_FIELDS or name in {"consent", "submitter"}]
    if unknown:
        raise UsageError(
            f'There is no field "{unknown[0][:80]}" of a {body.kind}; text and facts name known ones.', field="text"
        )
    if body.submitter.strip() and not caller.may(Action.SEE_RAW_TEXT):
        raise RuleViolated('Leave "submitter" out: it is your own case. A steward may name somebody else.')
    fields = {**body.text, **body.facts}
    fields |= {"consent": body.consent.value} if body.consent else {}
    fields |= {"linked_cases": "\n".join(body.linked_cases)} if body.linked_cases else {}
    return CaseInput(
        kind=body.kind,
        fields=fields,
        external_id=body.external_id,
        member=caller.member,
        submitter=body.submitter,
        actor=caller.name or "the person at this machine",
    )


def _expected_version(ctx: ContextDep, case: Case, if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    version = ctx.store.n_versions(case.id)
    if _etag(version) not in re.findall(r'(?<!W/)"[^"]*"', if_match):
        raise VersionConflict("case", case.id)
    return version


def _etag(version: int) -> str:
    return f'"{version}"'


def _invalid_case_response(request: Request, error: InvalidCase) -> JSONResponse:
    fields = [
        FieldProblem(field=f"body.{one.field}" if one.field else "body", message=one.message)
        for one in error.field_errors
    ]
    said = build_problem(INVALID, str(error), request_id=request.state.request_id, fields=fields)
    return JSONResponse(said.model_dump(), said.status, media_type=MEDIA_TYPE)


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
