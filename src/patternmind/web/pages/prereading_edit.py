"""The edit form of a pre-reading; conflicts and errors keep the submitted text."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from patternmind.bootstrap import AppContext
from patternmind.domain.draft_fields import FieldValue, value_items, value_to_text
from patternmind.domain.drafts import ReviewedDraft, approval_of, fields_of
from patternmind.domain.permissions import Action
from patternmind.errors import RuleViolated, UsageError, VersionConflict
from patternmind.services import prereadings
from patternmind.services.reviews import fields_with_names
from patternmind.web.forms import FormValuesDep, form_version
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

router = PageRouter()

QUOTE_HINT = "One sentence per line. Delete a line to omit it. A line you change is no longer shown as a quote."

FORM_FIELDS: Mapping[str, tuple[str, str, int]] = {
    "name": ("Title", "", 0),
    "session": ("Session", "", 0),
    "date": ("Date", "YYYY-MM-DD", 0),
    "leave_with": ("What we will leave with", "One sentence.", 2),
    "case_title": ("Title of the case", "", 0),
    "case": ("The case, in its own words", QUOTE_HINT, 6),
    "quotes": ("In the words of others", QUOTE_HINT, 4),
    "helped": ("What helped elsewhere", QUOTE_HINT, 4),
    "disagreement": ("Where cases disagree", QUOTE_HINT, 3),
    "unknown": ("What we do not know", "One point per line.", 3),
    "questions": ("Questions", "One per line; three are enough.", 4),
}
"""Label, hint and rows of each field in reading order; 0 rows is a single-line input."""

MAX_CHARACTERS = 20_000


@router.get("/prereadings/{prereading_id}/edit", "edit_page", Action.APPROVE_PREREADING)
def edit_page(page: PageDep, prereading_id: str) -> Response:
    return _page(page, prereadings.get_prereading(page.store, prereading_id))


def _page(
    page: PageRequest,
    reviewed: ReviewedDraft,
    *,
    submitted: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    changed_by: str = "",
    status: int = 200,
) -> Response:
    """Render the form with the submitted text; conflicting fields also show the current text."""
    current = {name: field_to_text(value) for name, value in fields_in_order(reviewed).items()}
    fields: list[dict[str, Any]] = []
    for name, text in current.items():
        label, hint, rows = FORM_FIELDS.get(name, (name.replace("_", " ").capitalize(), "", 3))
        value = (submitted or {}).get(name, text)
        differs = changed_by != "" and value != text
        field = {"name": name, "label": label, "hint": hint, "rows": rows, "value": value}
        fields.append({**field, "error": (errors or {}).get(name, ""), "current": text if differs else ""})
    return page.render(
        "prereadings/edit.html",
        status,
        id=reviewed.grounded.draft.id,
        fields=fields,
        version=reviewed.version,
        error=(errors or {}).get("", ""),
        changed_by=changed_by,
        is_approved=approval_of(reviewed.decisions) is not None,
    )


def fields_in_order(reviewed: ReviewedDraft) -> dict[str, FieldValue]:
    """Return the fields in reading order; fields without a label come last."""
    fields = fields_of(reviewed)
    order = [name for name in FORM_FIELDS if name in fields]
    return {name: fields[name] for name in [*order, *(name for name in fields if name not in order)]}


def field_to_text(value: FieldValue) -> str:
    return value_to_text(tuple(map(_collapse_whitespace, value_items(value))))


def _collapse_whitespace(line: str) -> str:
    return " ".join(line.split())


def changed_fields(reviewed: ReviewedDraft, submitted: Mapping[str, str]) -> dict[str, FieldValue]:
    """Return the fields whose text differs from the page; unchanged lines stay character by character."""
    edits: dict[str, FieldValue] = {}
    for name, value in fields_in_order(reviewed).items():
        if name not in submitted or submitted[name] == field_to_text(value):
            continue
        lines = [line for line in (_collapse_whitespace(line) for line in submitted[name].splitlines()) if line]
        if name in FORM_FIELDS and FORM_FIELDS[name][2] < 3:
            edits[name] = " ".join(lines)
            continue
        originals = {_collapse_whitespace(line): line for line in value_items(value)}
        edits[name] = tuple(originals.get(line, line) for line in lines)
    return edits


@router.post("/prereadings/{prereading_id}/edit", "edit_prereading", Action.APPROVE_PREREADING)
def edit_prereading(page: PageDep, prereading_id: str, form: FormValuesDep) -> Response:
    typed = {name: value.replace("\r\n", "\n").strip("\n") for name, value in form.items()}
    reviewed = prereadings.get_prereading(page.store, prereading_id)
    if form_version(form) != reviewed.version:
        return _page(page, reviewed, submitted=typed, changed_by=_last_editor(reviewed), status=412)
    errors = _validation_errors(page.ctx, reviewed, typed)
    if errors:
        return _page(page, reviewed, submitted=typed, errors=errors, status=422)
    return _save(page, reviewed, typed)


def _validation_errors(ctx: AppContext, reviewed: ReviewedDraft, submitted: Mapping[str, str]) -> dict[str, str]:
    edits = changed_fields(reviewed, submitted)
    errors = dict.fromkeys(
        fields_with_names(ctx.store, edits),
        "This text contains a person's name or contact details. Please leave that out.",
    )
    errors |= {
        name: f"Use at most {MAX_CHARACTERS:,} characters." for name in edits if len(submitted[name]) > MAX_CHARACTERS
    }
    if "name" in edits and not edits["name"]:
        errors["name"] = "Enter a title."
    date = edits.get("date", "")
    if isinstance(date, str) and date and not prereadings.is_iso_date(date):
        errors["date"] = "Enter the date as YYYY-MM-DD."
    return errors


def _save(page: PageRequest, reviewed: ReviewedDraft, submitted: Mapping[str, str]) -> Response:
    id, edits = reviewed.grounded.draft.id, changed_fields(reviewed, submitted)
    if not edits:
        return redirect(f"/prereadings/{id}", "Nothing was changed.")
    try:
        actor = page.caller.actor_name(submitted.get("by") or None)
        prereadings.edit_prereading(
            page.store, page.ctx.clock, id, edits, actor=actor, expected_version=reviewed.version
        )
    except VersionConflict:
        current = prereadings.get_prereading(page.store, id)
        return _page(page, current, submitted=submitted, changed_by=_last_editor(current), status=412)
    except (RuleViolated, UsageError) as error:
        return _page(page, reviewed, submitted=submitted, errors={"": str(error)}, status=422)
    return redirect(f"/prereadings/{id}", "Saved. Needs approval again.")


def _last_editor(reviewed: ReviewedDraft) -> str:
    return reviewed.decisions[-1].by if reviewed.decisions else "Someone else"
