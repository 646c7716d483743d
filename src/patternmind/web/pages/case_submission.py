"""Pages to submit and edit a case: short and full form, preview, and theme suggestion after saving."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.domain.case_fields import FORMS, CaseField, FieldType, field_named
from patternmind.domain.cases import CaseKind
from patternmind.domain.permissions import Action
from patternmind.errors import (
    PatternmindError,
    RawTextKeyInvalid,
    RuleViolated,
    UsageError,
    VersionConflict,
)
from patternmind.ingestion.form_validation import FieldError, suggest_field
from patternmind.services.case_submission import (
    CaseInput,
    CasePreview,
    InvalidCase,
    edit_case,
    get_submitted_fields,
    is_own_case,
    preview_case,
    submit_case,
)
from patternmind.services.case_view import get_case_view
from patternmind.services.placement import CasePlacement
from patternmind.web import case_fields
from patternmind.web.audit import audit_target, skip_audit
from patternmind.web.caller import Caller
from patternmind.web.case_fields import CONSENT_OPTIONS, form_field_names
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.pages.cases import render_case
from patternmind.web.permissions import requires
from patternmind.web.problems import STORE_UNAVAILABLE, HTTPProblem
from patternmind.web.routing import PageRoute
from patternmind.web.safe_text import mark_placeholders
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)

MAX_KEY_LENGTH = 40


async def _form_data(request: Request) -> FormData:
    return await request.form()


FormDataDep = Annotated[FormData, Depends(_form_data)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseForm:
    """The form of a case; ``key`` becomes part of a new case's external id, ``version`` is the edited version."""

    kind: CaseKind
    values: Mapping[str, str]
    is_full: bool = True
    key: str = ""
    case_id: str = ""
    version: int | None = None


@router.get("/cases/new", name="new_case", dependencies=[requires(Action.SUBMIT_CASE)])
def new_case(request: Request, ctx: ContextDep, caller: CallerDep, kind: str = "", full: str = "") -> Response:
    chosen = CaseKind.RECAP if kind == CaseKind.RECAP.value else CaseKind.CASE
    form = {"consent": ctx.store.network.get().default_consent.value}
    return _page(request, caller, CaseForm(kind=chosen, values=form, is_full=bool(full), key=secrets.token_hex(8)))


@router.post("/cases/new", name="send_case", dependencies=[requires(Action.SUBMIT_CASE)])
def submit_case_form(request: Request, ctx: ContextDep, caller: CallerDep, form_data: FormDataDep) -> Response:
    """Preview the case or save it.

    The form's key becomes its external id, so that submitting twice saves one case.
    """
    kind = CaseKind.RECAP if _form_text(form_data, "kind") == CaseKind.RECAP.value else CaseKind.CASE
    form = _form_values(form_data, kind)
    key = "".join(char for char in _form_text(form_data, "key") if char.isalnum())[
        :MAX_KEY_LENGTH
    ] or secrets.token_hex(8)
    page = CaseForm(kind=kind, values=form, is_full=bool(_form_text(form_data, "full")), key=key)
    if _form_text(form_data, "do") != "save":
        skip_audit(request)
    if _form_text(form_data, "do") == "more":
        return _page(request, caller, replace(page, is_full=True), has_more_fields=True)
    case_input = _case_input(caller, form_data, form, kind, external_id=f"desk-{key}")
    try:
        if _form_text(form_data, "do") != "save":
            return _page(request, caller, page, preview=preview_case(ctx.store, case_input))
        result = submit_case(ctx.store, ctx.clock, case_input)
    except InvalidCase as error:
        return _page(request, caller, page, errors=error.field_errors, status=422)
    except RuleViolated as error:
        return _page(request, caller, page, errors=(FieldError("", str(error)),), status=409)
    audit_target(request, "case", result.case.id)
    response = RedirectResponse(f"/cases/{result.case.id}/saved", status_code=303)
    flash(response, "Saved. Thank you." if result.is_new else "This case was already saved.")
    return response


@router.get("/cases/{case_id}/saved", name="saved_case", dependencies=[requires(Action.SEARCH)])
def read_saved_case(request: Request, ctx: ContextDep, caller: CallerDep, case_id: str) -> Response:
    """Show a saved case with its suggested theme, computed without a run."""
    view = get_case_view(ctx.store, case_id)
    placement, placement_error = _placement(ctx, view.case.id, caller)
    suggestion = None
    if caller.may(Action.EDIT_CASE, is_own_case(ctx.store, view.case, caller.member)):
        suggestion = suggest_field({**view.case.text, **view.case.facts}, kind=view.case.kind)
    return render_case(
        request,
        ctx,
        caller,
        view,
        just_saved=True,
        placement=placement,
        placement_error=placement_error,
        suggestion=suggestion,
    )


def _placement(ctx: ContextDep, case_id: str, caller: Caller) -> tuple[CasePlacement | None, str]:
    """Return the suggested theme for callers who see themes, else a message."""
    if not caller.may(Action.SEE_THEMES, reading=True):
        return None, "The next run compares it with all other cases."
    try:
        return ctx.placer().place_cases([case_id])[0], ""
    except UsageError as error:
        return None, str(error)
    except PatternmindError:
        return None, "No theme can be suggested right now. The case is saved, and the next run places it."


@router.get("/cases/{case_id}/edit", name="edit_form", dependencies=[requires(Action.EDIT_CASE, own=True)])
def edit_case_page(request: Request, ctx: ContextDep, caller: CallerDep, case_id: str) -> Response:
    view = get_case_view(ctx.store, case_id)
    case = view.case
    caller.require(Action.EDIT_CASE, is_own_case(ctx.store, case, caller.member))
    try:
        submitted = get_submitted_fields(ctx.store, case.id)
    except RawTextKeyInvalid as error:
        raise HTTPProblem(
            STORE_UNAVAILABLE, "The original text is encrypted, and this server was started without the key."
        ) from error
    form = {**submitted, "consent": case.consent.value}
    return _page(request, caller, CaseForm(kind=case.kind, values=form, case_id=case.id, version=view.n_versions))


@router.post("/cases/{case_id}/edit", name="send_edit", dependencies=[requires(Action.EDIT_CASE, own=True)])
def submit_edit(request: Request, ctx: ContextDep, caller: CallerDep, case_id: str, form_data: FormDataDep) -> Response:
    """Save a new version; if another person saved one first, show both and keep the text."""
    view = get_case_view(ctx.store, case_id)
    case = view.case
    caller.require(Action.EDIT_CASE, is_own_case(ctx.store, case, caller.member))
    form = _form_values(form_data, case.kind)
    version = _parse_version(_form_text(form_data, "version"))
    page = CaseForm(kind=case.kind, values=form, case_id=case.id, version=version)
    case_input = _case_input(caller, form_data, form, case.kind, external_id=case.external_id)
    try:
        if _form_text(form_data, "do") != "save":
            skip_audit(request)
            return _page(request, caller, page, preview=preview_case(ctx.store, case_input))
        edit_case(ctx.store, ctx.clock, case.id, case_input, expected_version=version)
    except InvalidCase as error:
        return _page(request, caller, page, errors=error.field_errors, status=422)
    except VersionConflict:
        current = get_submitted_fields(ctx.store, case.id)
        other_version = [
            (case_fields.field_label(name), mark_placeholders(current.get(name, "")))
            for name in form_field_names(case.kind)
            if current.get(name, "").strip() != form.get(name, "").strip()
        ]
        page = replace(page, version=ctx.store.submissions.count_versions(case.id))
        return _page(request, caller, page, other_version=other_version, status=412)
    response = RedirectResponse(f"/cases/{case.id}/saved", status_code=303)
    flash(response, "Saved. The previous version is kept.")
    return response


def _case_input(
    caller: Caller, form_data: FormData, values: dict[str, str], kind: CaseKind, *, external_id: str | None
) -> CaseInput:
    may_name = caller.may(Action.SEE_RAW_TEXT)
    return CaseInput(
        kind=kind,
        fields=values,
        external_id=external_id,
        member=caller.member,
        submitter=_form_text(form_data, "submitter") if may_name else "",
        actor=caller.name,
    )


def _form_values(form_data: FormData, kind: CaseKind) -> dict[str, str]:
    names = [*form_field_names(kind), "submitter"]
    return {name: value for name in names if (value := _form_text(form_data, name)).strip()}


def _form_text(form_data: FormData, name: str) -> str:
    value = form_data.get(name, "")
    return "" if isinstance(value, UploadFile) else value.replace("\r\n", "\n")


def _parse_version(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 9 else None


def _page(
    request: Request,
    caller: Caller,
    case_form: "CaseForm",
    *,
    preview: CasePreview | None = None,
    errors: Sequence[FieldError] = (),
    **more: Any,
) -> Response:
    names = {*form_field_names(case_form.kind), "submitter"}
    full_form_names = names - {"problem", "consent", "title", "submitter"}
    values: dict[str, Any] = {
        "kind": case_form.kind,
        "form": case_form.values,
        "is_full": case_form.is_full or any(case_form.values.get(name) for name in full_form_names),
        "key": case_form.key,
        "case_id": case_form.case_id,
        "version": case_form.version,
        "preview": preview,
        "texts": _preview_rows(preview),
        "errors": {error.field: error.message for error in reversed(errors) if error.field in names},
        "form_errors": [error.message for error in errors if error.field not in names],
        "other_version": [],
        "has_more_fields": False,
        "groups": FORMS[case_form.kind],
        "value_options": case_fields.value_options,
        "input_type": case_fields.input_type,
        "consents": CONSENT_OPTIONS,
        "may_name": caller.may(Action.SEE_RAW_TEXT),
        **more,
    }
    return render(request, "cases/form.html", **values)


def _preview_rows(preview: CasePreview | None) -> list[tuple[str, Any]]:
    """Return label and value of each field as others will see it."""
    if preview is None:
        return []
    facts = {name: value for name, value in preview.case.facts.items() if _is_previewed(field_named(name))}
    return [
        (case_fields.field_label(name), mark_placeholders(case_fields.value_label(name, value)))
        for name, value in {**preview.case.text, **facts}.items()
    ]


def _is_previewed(field: CaseField) -> bool:
    """Return whether the preview shows a fact; links have no words in which a name could be missed."""
    return not field.is_hidden and field.type is not FieldType.LINKS
