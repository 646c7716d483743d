"""Pre-reading as it is kept: asked for, made, read, edited, approved by a named person, and taken back."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from patternmind.domain.drafts import (
    DraftAction,
    DraftKind,
    DraftState,
    ReviewedDraft,
)
from patternmind.domain.themes import Theme
from patternmind.errors import InvalidState, NotFound, UsageError
from patternmind.ingestion.redaction.redactor import redact, redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.llm_drafting import LlmContext
from patternmind.ports import Clock, Encoder, Store, VectorIndex
from patternmind.publishing.document import Document
from patternmind.publishing.prereading import lay_out_prereading
from patternmind.review import active_decisions, fields_of, state_of
from patternmind.services.prereading_builder import (
    PreparedPrereading,
    PrereadingSubject,
    build_prereading,
    find_patterns_for_theme,
    list_lenses_with_runs,
    subject_from_case,
    subject_from_theme,
    subject_from_topic,
)
from patternmind.services.reviews import decide_draft, get_draft

FieldValue = str | tuple[str, ...]

MAX_FIELD_CHARS = {"theme": 200, "topic": 2000, "case": 500, "session": 200, "date": 10, "leave_with": 400}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrereadingRequest:
    """What somebody wants to read before a session: exactly one of theme, topic and case. ``date`` is ISO or empty."""

    theme: str = ""
    topic: str = ""
    case: str = ""
    session: str = ""
    date: str = ""
    leave_with: str = ""


class InvalidPrereadingRequest(UsageError):
    """A wish that cannot be met; ``field`` is the one to mend."""

    field: str

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


def validate_prereading_request(store: Store, request: PrereadingRequest) -> PrereadingRequest:
    """The wish as it is kept: checked, its case by id, without the names that the roster knows.

    Raises:
        WishInvalid
        NotFound: there is no such theme with cases, or no such case.
    """
    request = PrereadingRequest(**{name: value.strip() for name, value in asdict(request).items()})
    for name, value in asdict(request).items():
        if len(value) > MAX_FIELD_CHARS[name]:
            raise InvalidPrereadingRequest(name, f"At most {MAX_FIELD_CHARS[name]} characters, please.")
    if sum(bool(chosen) for chosen in (request.theme, request.topic, request.case)) != 1:
        raise InvalidPrereadingRequest("about", "Name exactly one of theme, topic and case.")
    if request.date and not is_iso_date(request.date):
        raise InvalidPrereadingRequest("date", "Give the date as year, month and day, such as 2026-12-03.")
    if request.theme:
        subject_from_theme(store, request.theme)
    if request.case:
        request = replace(request, case=store.case(request.case).id)
    told = redact_values([request.topic, request.session, request.leave_with], Roster.of(store.roster()))
    return replace(request, topic=told[0], session=told[1], leave_with=told[2])


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
    """Make the pre-reading of a wish and keep it as a draft."""
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
    return (
        subject_from_case(store, request.case)
        if request.case
        else subject_from_topic(store, encoder, get_index(), request.topic)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrereadingSummary:
    """A pre-reading in a list. ``approved_by`` is empty while nobody has approved it as it stands."""

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
    """Newest first. The one place that reads the list."""
    roster = Roster.of(store.roster())
    found: list[PrereadingSummary] = []
    for draft, decisions, created_at in store.drafts(current=False, kind=DraftKind.PREREADING):
        fields: dict[str, FieldValue] = {"name": draft.name, **draft.fields}
        for one in active_decisions(decisions):
            fields.update(one.edits)
        approval = find_approval(decisions)
        told = [redact(as_text_line(fields.get(name, "")), roster).text for name in ("name", "session", "date")]
        found.append(
            PrereadingSummary(
                id=draft.id,
                name=told[0],
                session=told[1],
                date=told[2],
                theme_id=draft.theme_id,
                state=state_of(decisions),
                version=len(decisions),
                created_at=created_at,
                approved_by=approval.by if approval else "",
                approved_at=approval.at if approval else None,
            )
        )
    return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)


def as_text_line(value: FieldValue) -> str:
    return value if isinstance(value, str) else " ".join(value)


def find_approval(decisions: tuple[Any, ...]) -> Any:
    """The decision that approved it as it stands now; None where there is none."""
    accepted = [one for one in active_decisions(decisions) if one.action is DraftAction.ACCEPT]
    return accepted[-1] if accepted and state_of(decisions) is DraftState.ACCEPTED else None


def get_prereading(store: Store, id: str) -> ReviewedDraft:
    """One pre-reading with its log.

    Raises:
        NotFound: there is no such draft, or it is of another kind.
    """
    try:
        reviewed = get_draft(store, id)
    except NotFound as error:
        raise NotFound("pre-reading", id) from error
    if reviewed.grounded.draft.kind is not DraftKind.PREREADING:
        raise NotFound("pre-reading", id)
    return reviewed


def build_prereading_document(store: Store, reviewed: ReviewedDraft) -> Document:
    """It as it prints now, with the theme and the patterns as they are today."""
    theme = _find_theme(store, reviewed.grounded.draft.theme_id)
    cases = {case.id: case for case in store.cases()}
    return lay_out_prereading(
        reviewed, theme=theme, patterns=find_patterns_for_theme(store, theme), cases=cases, network=store.network
    )


def _find_theme(store: Store, theme_id: str | None) -> Theme | None:
    found = (one for lens in list_lenses_with_runs(store) for one in store.themes(lens))
    return next((one for one in found if one.id == theme_id and one.case_ids), None) if theme_id else None


def fields_with_names(store: Store, edits: Mapping[str, FieldValue]) -> list[str]:
    """The fields in which a person wrote a name or contact data."""
    roster = Roster.of(store.roster())
    return [
        name
        for name, value in edits.items()
        if any(redact(line, roster).counts for line in ([value] if isinstance(value, str) else value))
    ]


def edit_prereading(
    store: Store,
    clock: Clock,
    id: str,
    edits: Mapping[str, FieldValue],
    *,
    actor: str,
    expected_version: int | None = None,
) -> ReviewedDraft:
    """It with fields as a person wrote them. What was approved has to be approved again.

    Raises:
        NotFound, NotAllowed: an unknown field, or nothing changed.
        UsageError: what the person wrote names somebody.
        ChangedMeanwhile
    """
    reviewed = get_prereading(store, id)
    known = fields_of(reviewed)
    changed = {name: value for name, value in edits.items() if known.get(name) != value}
    return decide_draft(
        store, clock, id, DraftAction.EDIT, actor=actor, edits=changed, expected_version=expected_version
    )


def approve_prereading(
    store: Store, clock: Clock, id: str, *, actor: str, expected_version: int | None = None
) -> ReviewedDraft:
    """It with a named person's word for it, so that it no longer prints "Draft, not reviewed".

    Raises:
        NotFound, WrongState, ChangedMeanwhile
    """
    get_prereading(store, id)
    return decide_draft(store, clock, id, DraftAction.ACCEPT, actor=actor, expected_version=expected_version)


def undo_prereading_decision(
    store: Store, clock: Clock, id: str, *, actor: str, expected_version: int | None = None
) -> ReviewedDraft:
    """It as it was before the last decision that stands, an approval or an edit.

    Raises:
        NotFound, ChangedMeanwhile
        WrongState: there is nothing to take back.
    """
    reviewed = get_prereading(store, id)
    if not active_decisions(reviewed.decisions):
        raise InvalidState(id, state_of(reviewed.decisions).value, DraftAction.UNDO.value, [])
    return decide_draft(store, clock, id, DraftAction.UNDO, actor=actor, expected_version=expected_version)
