"""Stored pre-readings: validate a request, create, list, edit, approve and undo."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

from patternmind.domain.draft_fields import DraftFields, value_to_line
from patternmind.domain.drafts import (
    DraftAction,
    DraftKind,
    DraftState,
    ReviewedDraft,
    active_decisions,
    apply_decisions,
    approval_of,
    fields_of,
    state_of,
)
from patternmind.errors import InvalidField, InvalidState, NotFound
from patternmind.ingestion.redaction.redactor import redact, redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.llm_drafting import LlmContext
from patternmind.ports import Clock, Encoder, Store, VectorIndex
from patternmind.publishing.document import Document
from patternmind.publishing.prereading import lay_out_prereading
from patternmind.services.prereading_builder import (
    PreparedPrereading,
    PrereadingSubject,
    build_prereading,
    find_patterns_for_theme,
    find_theme,
    subject_from_case,
    subject_from_theme,
    subject_from_topic,
)
from patternmind.services.reviews import decide_draft, get_draft

MAX_FIELD_CHARS = {"theme": 200, "topic": 2000, "case": 500, "session": 200, "date": 10, "leave_with": 400}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrereadingRequest:
    """Request for the pre-reading of a session; exactly one of theme, topic and case. ``date`` is ISO or empty."""

    theme: str = ""
    topic: str = ""
    case: str = ""
    session: str = ""
    date: str = ""
    leave_with: str = ""


def validate_prereading_request(store: Store, request: PrereadingRequest) -> PrereadingRequest:
    """Check a request; return it with the case's id instead of its external id, and redacted.

    Raises:
        InvalidField
        NotFound: The theme does not exist or has no cases, or the case does not exist.
    """
    request = PrereadingRequest(**{name: value.strip() for name, value in asdict(request).items()})
    for name, value in asdict(request).items():
        if len(value) > MAX_FIELD_CHARS[name]:
            raise InvalidField(name, f"Use at most {MAX_FIELD_CHARS[name]} characters.")
    if sum(bool(chosen) for chosen in (request.theme, request.topic, request.case)) != 1:
        raise InvalidField("about", "Name exactly one of theme, topic and case.")
    if request.date and not is_iso_date(request.date):
        raise InvalidField("date", "Give the date as year, month and day, such as 2026-12-03.")
    if request.theme:
        subject_from_theme(store, request.theme)
    if request.case:
        request = replace(request, case=store.cases.get(request.case).id)
    topic, session, leave_with = redact_values(
        [request.topic, request.session, request.leave_with], Roster.of(store.network.roster())
    )
    return replace(request, topic=topic, session=session, leave_with=leave_with)


def is_iso_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def create_prereading(
    store: Store,
    clock: Clock,
    encoder: Encoder,
    request: PrereadingRequest,
    *,
    get_index: Callable[[], VectorIndex],
    llm: LlmContext | None = None,
) -> PreparedPrereading:
    """Build the requested pre-reading and store it as a draft."""
    return build_prereading(
        store,
        clock,
        _find_subject(store, encoder, request, get_index),
        topic=request.topic,
        session=request.session,
        date=request.date,
        leave_with=request.leave_with,
        llm=llm,
    )


def _find_subject(
    store: Store, encoder: Encoder, request: PrereadingRequest, get_index: Callable[[], VectorIndex]
) -> PrereadingSubject:
    if request.theme:
        return subject_from_theme(store, request.theme)
    if request.case:
        return subject_from_case(store, request.case)
    return subject_from_topic(store, encoder, get_index(), request.topic)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrereadingSummary:
    """A pre-reading in a list. ``approved_by`` is empty while its current version is not approved."""

    id: str
    name: str
    session: str
    date: str
    theme_id: str | None
    state: DraftState
    version: int
    created_at: datetime
    approved_by: str = ""
    approved_at: datetime | None = None


def list_prereadings(store: Store) -> list[PrereadingSummary]:
    """List all pre-readings, newest first, redacted with the current roster."""
    roster = Roster.of(store.network.roster())
    summaries: list[PrereadingSummary] = []
    for draft, decisions, created_at in store.drafts.list_all(current=False, kind=DraftKind.PREREADING):
        fields = apply_decisions(draft.name, draft.fields, decisions)
        approval = approval_of(decisions)
        name, session, session_date = (
            redact(value_to_line(fields.get(field, "")), roster).text for field in ("name", "session", "date")
        )
        summaries.append(
            PrereadingSummary(
                id=draft.id,
                name=name,
                session=session,
                date=session_date,
                theme_id=draft.theme_id,
                state=state_of(decisions),
                version=len(decisions),
                created_at=created_at,
                approved_by=approval.by if approval else "",
                approved_at=approval.at if approval else None,
            )
        )
    return sorted(summaries, key=lambda summary: (summary.created_at, summary.id), reverse=True)


def get_prereading(store: Store, id: str) -> ReviewedDraft:
    """Return a pre-reading with its log.

    Raises:
        NotFound: The draft does not exist or is of another kind.
    """
    try:
        reviewed = get_draft(store, id)
    except NotFound as error:
        raise NotFound("pre-reading", id) from error
    if reviewed.grounded.draft.kind is not DraftKind.PREREADING:
        raise NotFound("pre-reading", id)
    return reviewed


def build_prereading_document(store: Store, reviewed: ReviewedDraft) -> Document:
    """Lay out a pre-reading as a document, with its current theme and patterns."""
    theme = find_theme(store, reviewed.grounded.draft.theme_id)
    cases = {case.id: case for case in store.cases.list_all()}
    return lay_out_prereading(
        reviewed, theme=theme, patterns=find_patterns_for_theme(store, theme), cases=cases, network=store.network.get()
    )


def edit_prereading(
    store: Store, clock: Clock, id: str, edits: DraftFields, *, actor: str, expected_version: int | None = None
) -> ReviewedDraft:
    """Change fields of a pre-reading. An approved one needs approval again.

    Raises:
        NotFound
        RuleViolated: A field is unknown, or nothing changed.
        UsageError: A text names a person.
        VersionConflict
    """
    reviewed = get_prereading(store, id)
    current = fields_of(reviewed)
    changed = {name: value for name, value in edits.items() if current.get(name) != value}
    return decide_draft(
        store, clock, id, DraftAction.EDIT, actor=actor, edits=changed, expected_version=expected_version
    )


def approve_prereading(
    store: Store, clock: Clock, id: str, *, actor: str, expected_version: int | None = None
) -> ReviewedDraft:
    """Approve a pre-reading under a person's name; it no longer prints "Draft, not reviewed".

    Raises:
        NotFound, InvalidState, VersionConflict
    """
    get_prereading(store, id)
    return decide_draft(store, clock, id, DraftAction.ACCEPT, actor=actor, expected_version=expected_version)


def undo_prereading_decision(
    store: Store, clock: Clock, id: str, *, actor: str, expected_version: int | None = None
) -> ReviewedDraft:
    """Undo the last approval or edit that still applies.

    Raises:
        NotFound, VersionConflict
        InvalidState: No decision can be undone.
    """
    reviewed = get_prereading(store, id)
    if not active_decisions(reviewed.decisions):
        raise InvalidState(id, state_of(reviewed.decisions).value, DraftAction.UNDO.value, [])
    return decide_draft(store, clock, id, DraftAction.UNDO, actor=actor, expected_version=expected_version)
