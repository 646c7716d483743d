"""Pages to submit and edit a case: short and full form, preview, and theme suggestion after saving."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from patternmind.domain.case_fields import FORMS, CaseField, FieldType, field_named
from patternmind.domain.cases import CaseKind
from patternmind.domain.permissions import Action
from patternmind.errors import PatternmindError, RuleViolated, UsageError, VersionConflict
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
from patternmind.web.forms import FormDataDep, form_version
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.pages.cases import reads_original_text, render_case
from patternmind.web.routing import PageRouter
from patternmind.web.safe_text import mark_placeholders
from patternmind.web.templating import redirect

router = PageRouter()

MAX_KEY_LENGTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseForm:
    """The form of a case; ``key`` becomes part of a new case's external id, ``version`` is the edited version."""

    kind: CaseKind
    values: Mapping[str, str]
    is_full: bool = True
    key: str = ""
    case_id: str = ""
    version: int | None = None


@router.get("/cases/new", "new_case", Action.SUBMIT_CASE)
def new_case(page: PageDep, kind: str = "", full: str = "") -> Response:
    chosen = CaseKind.RECAP if kind == CaseKind.RECAP.value else CaseKind.CASE
    form = {"consent": page.store.network.get().default_consent.value}
    return _page(page, CaseForm(kind=chosen, values=form, is_full=bool(full), key=secrets.token_hex(8)))


@router.post("/cases/new", "send_case", Action.SUBMIT_CASE)
def submit_case_form(page: PageDep, form_data: FormDataDep) -> Response:
    """Preview the case or save it.

    The form's key becomes its external id, so that submitting twice saves one case.
    """
    kind = CaseKind.RECAP if _form_text(form_data, "kind") == CaseKind.RECAP.value else CaseKind.CASE
    form = _form_values(form_data, kind)
    key = "".join(char for char in _form_text(form_data, "key") if char.isalnum())[
        :MAX_KEY_LENGTH
    ] or secrets.token_hex(8)
    case_form = CaseForm(kind=kind, values=form, is_full=bool(_form_text(form_data, "full")), key=key)
    if _form_text(form_data, "do") != "save":
        skip_audit(page.request)
    if _form_text(form_data, "do") == "more":
        return _page(page, replace(case_form, is_full=True), has_more_fields=True)
    case_input = _case_input(page.caller, form_data, form, kind, external_id=f"desk-{key}")
    try:
        if _form_text(form_data, "do") != "save":
            return _page(page, case_form, preview=preview_case(page.store, case_input))
        result = submit_case(page.store, page.ctx.clock, case_input)
    except InvalidCase as error:
        return _page(page, case_form, errors=error.field_errors, status=422)
    except RuleViolated as error:
        return _page(page, case_form, errors=(FieldError("", str(error)),), status=409)
    audit_target(page.request, "case", result.case.id)
    message = "Saved. Thank you." if result.is_new else "This case was already saved."
    return redirect(f"/cases/{result.case.id}/saved", message)


@router.get("/cases/{case_id}/saved", "saved_case", Action.SEARCH)
def read_saved_case(page: PageDep, case_id: str) -> Response:
    """Show a saved case with its suggested theme, computed without a run."""
    view = get_case_view(page.store, case_id)
    placement, placement_error = _placement(page, view.case.id)
    suggestion = None
    if page.caller.may(Action.EDIT_CASE, is_own_case(page.store, view.case, page.caller.member)):
        suggestion = suggest_field({**view.case.text, **view.case.facts}, kind=view.case.kind)
    return render_case(
        page, view, just_saved=True, placement=placement, placement_error=placement_error, suggestion=suggestion
    )


def _placement(page: PageRequest, case_id: str) -> tuple[CasePlacement | None, str]:
    """Return the suggested theme for callers who see themes, else a message."""
    if not page.caller.may(Action.SEE_THEMES, reading=True):
        return None, "The next run compares it with all other cases."
    try:
        return page.ctx.placer().place_cases([case_id])[0], ""
    except UsageError as error:
        return None, str(error)
    except PatternmindError:
        return None, "No theme can be suggested right now. The case is saved, and the next run places it."


@router.get("/cases/{case_id}/edit", "edit_form", Action.EDIT_CASE, own=True)
def edit_case_page(page: PageDep, case_id: str) -> Response:
    view = get_case_view(page.store, case_id)
    case = view.case
    page.caller.require(Action.EDIT_CASE, is_own_case(page.store, case, page.caller.member))
    with reads_original_text():
        submitted = get_submitted_fields(page.store, case.id)
    form = {**submitted, "consent": case.consent.value}
    return _page(page, CaseForm(kind=case.kind, values=form, case_id=case.id, version=view.n_versions))


@router.post("/cases/{case_id}/edit", "send_edit", Action.EDIT_CASE, own=True)
def submit_edit(page: PageDep, case_id: str, form_data: FormDataDep) -> Response:
    """Save a new version; if another person saved one first, show both and keep the text."""
    view = get_case_view(page.store, case_id)
    case = view.case
    page.caller.require(Action.EDIT_CASE, is_own_case(page.store, case, page.caller.member))
    form = _form_values(form_data, case.kind)
    version = form_version(form_data)
    case_form = CaseForm(kind=case.kind, values=form, case_id=case.id, version=version)
    case_input = _case_input(page.caller, form_data, form, case.kind, external_id=case.external_id)
    try:
        if _form_text(form_data, "do") != "save":
            skip_audit(page.request)
            return _page(page, case_form, preview=preview_case(page.store, case_input))
        edit_case(page.store, page.ctx.clock, case.id, case_input, expected_version=version)
    except InvalidCase as error:
        return _page(page, case_form, errors=error.field_errors, status=422)
    except VersionConflict:
        current = get_submitted_fields(page.store, case.id)
        other_version = [
            (case_fields.field_label(name), mark_placeholders(current.get(name, "")))
            for name in form_field_names(case.kind)
            if current.get(name, "").strip() != form.get(name, "").strip()
        ]
        case_form = replace(case_form, version=page.store.submissions.count_versions(case.id))
        return _page(page, case_form, other_version=other_version, status=412)
    return redirect(f"/cases/{case.id}/saved", "Saved. The previous version is kept.")


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


def _page(
    page: PageRequest,
    case_form: CaseForm,
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
        "may_name": page.caller.may(Action.SEE_RAW_TEXT),
        **more,
    }
    return page.render("cases/form.html", **values)


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
