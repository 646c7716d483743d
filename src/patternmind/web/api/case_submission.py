"""Case submission: preview, submit and edit a case."""

from fastapi import Response
from pydantic import Field
from starlette.requests import Request

from patternmind.domain.case_fields import FACT_FIELDS, text_fields
from patternmind.domain.cases import CaseKind, Consent
from patternmind.domain.members import LOCAL_USER
from patternmind.domain.permissions import Action
from patternmind.errors import RuleViolated, UsageError
from patternmind.services.case_submission import CaseInput, CasePreview, edit_case, preview_case, submit_case
from patternmind.web.api.cases import CaseResponse, case_response
from patternmind.web.api.schemas import RequestModel, ResponseModel
from patternmind.web.audit import audit_target, skip_audit
from patternmind.web.caller import Caller
from patternmind.web.case_access import authorized_case
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.etags import IfMatchHeader, expected_version, format_etag
from patternmind.web.routing import ApiRouter

router = ApiRouter("cases")


class CaseRequest(RequestModel):
    """A case to submit; only a title or a problem is required."""

    kind: CaseKind = CaseKind.CASE
    external_id: str | None = Field(default=None, min_length=1, max_length=200, description="Your own id of the case.")
    text: dict[str, str] = Field(
        default={}, max_length=20, description="Text by field: title, problem, what_happened, tried, lesson, ..."
    )
    facts: dict[str, str] = Field(
        default={},
        max_length=20,
        description="Facts by field: status, opened_on, solved_on, recurrence, team, region, links, ...",
    )
    linked_cases: list[str] = Field(default=[], max_length=200, description="For a recap: ids of its cases.")
    consent: Consent | None = Field(default=None, description="Consent level; default: that of the network.")
    submitter: str = Field(default="", max_length=400, description="Submitter, if not you; stewards only.")


class MissingFieldResponse(ResponseModel):
    field: str
    question: str


class CasePreviewResponse(ResponseModel):
    """A redacted case, with hints for its author."""

    case: CaseResponse
    redacted: dict[str, int] = Field(validation_alias="redaction_counts", description="Number of redactions by kind.")
    possible_names: list[str] = Field(description="Names the redaction may have missed.")
    suspicions: list[str] = Field(description="Unusual properties of the text; the case is accepted.")
    missing: MissingFieldResponse | None = Field(
        validation_alias="suggestion", description="The missing field that would help most."
    )
    is_new: bool = Field(description="True if the case did not exist before.")


@router.post("/cases/preview", "preview_case", Action.SUBMIT_CASE, is_replayable=False)
def create_case_preview(request: Request, ctx: ContextDep, caller: CallerDep, body: CaseRequest) -> CasePreviewResponse:
    """Preview a case as others would read it, without storing it."""
    skip_audit(request)
    return _preview_response(preview_case(ctx.store, _case_input(caller, body)))


@router.post("/cases", "submit_case", Action.SUBMIT_CASE, status_code=201, etag="case")
def create_case(response: Response, ctx: ContextDep, caller: CallerDep, body: CaseRequest) -> CasePreviewResponse:
    """Submit a case. The same text with the same id, or without one, is one case however often it is sent."""
    saved = submit_case(ctx.store, ctx.clock, _case_input(caller, body))
    response.headers["etag"] = format_etag(ctx.store.submissions.count_versions(saved.case.id))
    response.headers["location"] = f"/api/v1/cases/{saved.case.id}"
    return _preview_response(saved)


@router.put("/cases/{case_id:path}", "replace_case", Action.EDIT_CASE, own=True, etag="case")
def replace_case(
    request: Request,
    response: Response,
    ctx: ContextDep,
    caller: CallerDep,
    *,
    case_id: str,
    body: CaseRequest,
    if_match: IfMatchHeader = None,
) -> CasePreviewResponse:
    """Replace the text and facts of a case. All earlier versions are kept."""
    case = authorized_case(ctx, caller, case_id, Action.EDIT_CASE)
    audit_target(request, "case", case.id)
    if body.kind is not case.kind or body.external_id not in (None, case.external_id):
        raise UsageError("Kind and external id of a case cannot change. Leave them out.")
    expected = expected_version(if_match, ctx.store.submissions.count_versions(case.id), kind="case", id=case.id)
    saved = edit_case(ctx.store, ctx.clock, case.id, _case_input(caller, body), expected_version=expected)
    response.headers["etag"] = format_etag(ctx.store.submissions.count_versions(case.id))
    return _preview_response(saved)


def _case_input(caller: Caller, body: CaseRequest) -> CaseInput:
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


def _preview_response(preview: CasePreview) -> CasePreviewResponse:
    case = preview.case
    return CasePreviewResponse.of(preview, case=case_response(case, None), suspicions=case.suspicions)
