"""Library pages: search published patterns by words and meaning, read one, and record uses."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Form, Query
from starlette.responses import Response

from patternmind.domain.draft_fields import COUNTER_EVIDENCE, PATTERN_FIELDS, joined_lines, stated_lines
from patternmind.domain.drafts import Claim, DraftState, draft_id_of
from patternmind.domain.permissions import Action
from patternmind.errors import UsageError
from patternmind.publishing.field_text import provenance_line
from patternmind.services.library import LibraryEntry, get_library_entry, list_library, search_library
from patternmind.services.pattern_uses import MIN_TEAMS, MIN_USES, record_use
from patternmind.web.draft_view import field_title
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.pagination import offset_links
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

router = PageRouter()

PAGE_SIZE = 24

STATE_OPTIONS = [("", "All"), (DraftState.FIELD_TESTED.value, "Field-tested"), (DraftState.ACCEPTED.value, "Accepted")]


@router.get("/library", "library", Action.SEARCH)
def list_patterns(
    page: PageDep,
    words: Annotated[str, Query(max_length=500)] = "",
    state: str = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    library = list_library(page.store)
    matches = [entry for entry in library if state in ("", entry.published.pattern.state.value)]
    if words.strip() and matches:
        matches = search_library(matches, page.store, page.ctx.encoder, words)
    return page.render(
        "library/list.html",
        patterns=[(entry, _patlet(entry)) for entry in matches[start : start + PAGE_SIZE]],
        n_patterns=len(library),
        words=words,
        state=state,
        states=STATE_OPTIONS,
        **offset_links("/library", len(matches), start, PAGE_SIZE, words=words, state=state),
    )


def _patlet(entry: LibraryEntry) -> str:
    return joined_lines(entry.published.pattern.fields, "patlet")


@router.get("/library/{pattern_id}", "read_pattern", Action.SEARCH)
def read_pattern(page: PageDep, pattern_id: str) -> Response:
    return _page(page, get_library_entry(page.store, pattern_id))


def _page(page: PageRequest, entry: LibraryEntry, *, status: int = 200, **more: Any) -> Response:
    pattern = entry.published.pattern
    today = page.ctx.clock.now().date()
    values: dict[str, Any] = {
        "entry": entry,
        "pattern": pattern,
        "patlet": _patlet(entry),
        "sections": [
            (
                name,
                field_title(name),
                _lines_with_quotes(stated_lines(pattern.fields, name), pattern.claims, entry.published.references),
            )
            for name in PATTERN_FIELDS
            if name != COUNTER_EVIDENCE and stated_lines(pattern.fields, name)
        ],
        "counter_evidence": _lines_with_quotes(
            stated_lines(pattern.fields, COUNTER_EVIDENCE), pattern.claims, entry.published.references
        ),
        "uses": page.store.drafts.pattern_uses(pattern.id),
        "uses_needed": f"{MIN_USES} uses by {MIN_TEAMS} teams",
        "percent_edited": round(100 * pattern.share_edited),
        "provenance": provenance_line(pattern.provenance),
        "draft_id": draft_id_of(pattern.id),
        "form": {"on": today.isoformat(), "team": "", "note": "", "by": ""},
        "errors": {},
        **more,
    }
    return page.render("library/pattern.html", status, **values)


def _lines_with_quotes(
    lines: Sequence[str], claims: Sequence[Claim], references: Any
) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return each line with the text and source of its quotes."""
    by_text = {claim.text: claim for claim in claims}
    rows: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for line in lines:
        claim = by_text.get(line)
        quotes = claim.quotes if claim else ()
        rows.append((line, tuple((quote.text, references.get(quote.case_id, "")) for quote in quotes)))
    return rows


@router.post("/library/{pattern_id}/uses", "record_use", Action.RECORD_USE)
def record_pattern_use(
    page: PageDep,
    pattern_id: str,
    *,
    on: Annotated[str, Form(max_length=20)] = "",
    team: Annotated[str, Form(max_length=400)] = "",
    note: Annotated[str, Form(max_length=10_000)] = "",
    by: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    form = {"on": on, "team": team, "note": note, "by": by}
    try:
        day = _parse_date(on)
        record_use(
            page.store, page.ctx.clock, pattern_id, used_on=day, team=team, note=note, actor=page.caller.name or by
        )
    except UsageError as error:
        entry = get_library_entry(page.store, pattern_id)
        errors = {_error_field(error): str(error)}
        return _page(page, entry, status=422, form=form, errors=errors)
    return redirect(f"/library/{pattern_id}", "Use recorded. Thank you: uses show the network what works.")


def _parse_date(text: str) -> dt.date:
    """Parse a date.

    Raises:
        UsageError: the text is not a date.
    """
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError("Enter the date as YYYY-MM-DD.", field="on") from error


def _error_field(error: UsageError) -> str:
    """Return the form field that an error belongs to; a name in the team is reported for "fields.team"."""
    return (error.field or "note").removeprefix("fields.")
