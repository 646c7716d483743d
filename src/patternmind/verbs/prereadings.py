"""Pre-reading as it is kept: asked for, made, read, edited, approved by a named person, and taken back."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from patternmind.errors import NotFound, UsageError, WrongState
from patternmind.intake.redaction import Roster, redact, redact_output
from patternmind.model.drafts import DraftAction, DraftKind, DraftState, ReviewedDraft
from patternmind.model.themes import Theme
from patternmind.ports import Clock, Encoder, Store, VectorIndex
from patternmind.publish.document import Document
from patternmind.publish.prereading import make_prereading
from patternmind.review import fields_of, standing, state_of
from patternmind.verbs.prepare import Prepared, Subject, by_case, by_theme, by_topic, lenses_run, patterns_for, prepare
from patternmind.verbs.reviewing import decide_draft, open_draft
from patternmind.writing import Namer

FieldValue = str | tuple[str, ...]

LONGEST = {"theme": 200, "topic": 2000, "case": 500, "session": 200, "date": 10, "leave_with": 400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to read before a session: exactly one of theme, topic and case. ``date`` is ISO or empty."""

    theme: str = ""
    topic: str = ""
    case: str = ""
    session: str = ""
    date: str = ""
    leave_with: str = ""


class WishInvalid(UsageError):
    """A wish that cannot be met; ``field`` is the one to mend."""

    field: str

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


def check_wish(store: Store, wish: Wish) -> Wish:
    """The wish as it is kept: checked, its case by id, without the names that the roster knows.

    Raises:
        WishInvalid
        NotFound: there is no such theme with cases, or no such case.
    """
    wish = Wish(**{name: value.strip() for name, value in asdict(wish).items()})
    for name, value in asdict(wish).items():
        if len(value) > LONGEST[name]:
            raise WishInvalid(name, f"At most {LONGEST[name]} characters, please.")
    if sum(bool(chosen) for chosen in (wish.theme, wish.topic, wish.case)) != 1:
        raise WishInvalid("about", "Name exactly one of theme, topic and case.")
    if wish.date and not is_date(wish.date):
        raise WishInvalid("date", "Give the date as year, month and day, such as 2026-12-03.")
    if wish.theme:
        by_theme(store, wish.theme)
    if wish.case:
        wish = replace(wish, case=store.case(wish.case).id)
    told = redact_output([wish.topic, wish.session, wish.leave_with], Roster.of(store.roster()))
    return replace(wish, topic=told[0], session=told[1], leave_with=told[2])


def is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def fulfil(
    store: Store,
    clock: Clock,
    encoder: Encoder,
    wish: Wish,
    *,
    index: Callable[[], VectorIndex],
    namer: Namer | None = None,
) -> Prepared:
    """Make the pre-reading of a wish and keep it as a draft."""
    return prepare(
        store,
        clock,
        _subject(store, encoder, wish, index),
        topic=wish.topic,
        session=wish.session,
        date=wish.date,
        leave_with=wish.leave_with,
        namer=namer,
    )


def _subject(store: Store, encoder: Encoder, wish: Wish, index: Callable[[], VectorIndex]) -> Subject:
    if wish.theme:
        return by_theme(store, wish.theme)
    return by_case(store, wish.case) if wish.case else by_topic(store, encoder, index(), wish.topic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
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


def list_prereadings(store: Store) -> list[Kept]:
    """Newest first. The one place that reads the list."""
    roster = Roster.of(store.roster())
    found: list[Kept] = []
    for draft, decisions, created_at in store.drafts(current=False, kind=DraftKind.PREREADING):
        fields: dict[str, FieldValue] = {"name": draft.name, **draft.fields}
        for one in standing(decisions):
            fields.update(one.edits)
        approval = approval_of(decisions)
        told = [redact(one_line(fields.get(name, "")), roster).text for name in ("name", "session", "date")]
        found.append(
            Kept(
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


def one_line(value: FieldValue) -> str:
    return value if isinstance(value, str) else " ".join(value)


def approval_of(decisions: tuple[Any, ...]) -> Any:
    """The decision that approved it as it stands now; None where there is none."""
    accepted = [one for one in standing(decisions) if one.action is DraftAction.ACCEPT]
    return accepted[-1] if accepted and state_of(decisions) is DraftState.ACCEPTED else None


def open_prereading(store: Store, id: str) -> ReviewedDraft:
    """One pre-reading with its log.

    Raises:
        NotFound: there is no such draft, or it is of another kind.
    """
    try:
        reviewed = open_draft(store, id)
    except NotFound as error:
        raise NotFound("pre-reading", id) from error
    if reviewed.grounded.draft.kind is not DraftKind.PREREADING:
        raise NotFound("pre-reading", id)
    return reviewed


def document_of(store: Store, reviewed: ReviewedDraft) -> Document:
    """It as it prints now, with the theme and the patterns as they are today."""
    theme = _theme(store, reviewed.grounded.draft.theme_id)
    cases = {case.id: case for case in store.cases()}
    return make_prereading(
        reviewed, theme=theme, patterns=patterns_for(store, theme), cases=cases, network=store.network
    )


def _theme(store: Store, theme_id: str | None) -> Theme | None:
    found = (one for lens in lenses_run(store) for one in store.themes(lens))
    return next((one for one in found if one.id == theme_id and one.case_ids), None) if theme_id else None


def naming_fields(store: Store, edits: Mapping[str, FieldValue]) -> list[str]:
    """The fields in which a person wrote a name or contact data."""
    roster = Roster.of(store.roster())
    return [
        name
        for name, value in edits.items()
        if any(redact(line, roster).counts for line in ([value] if isinstance(value, str) else value))
    ]


def edit_prereading(
    store: Store, clock: Clock, id: str, edits: Mapping[str, FieldValue], *, by: str, version: int | None = None
) -> ReviewedDraft:
    """It with fields as a person wrote them. What was approved has to be approved again.

    Raises:
        NotFound, NotAllowed: an unknown field, or nothing changed.
        UsageError: what the person wrote names somebody.
        ChangedMeanwhile
    """
    reviewed = open_prereading(store, id)
    known = fields_of(reviewed)
    changed = {name: value for name, value in edits.items() if known.get(name) != value}
    return decide_draft(store, clock, id, DraftAction.EDIT, by=by, edits=changed, expected_version=version)


def approve_prereading(store: Store, clock: Clock, id: str, *, by: str, version: int | None = None) -> ReviewedDraft:
    """It with a named person's word for it, so that it no longer prints "Draft, not reviewed".

    Raises:
        NotFound, WrongState, ChangedMeanwhile
    """
    open_prereading(store, id)
    return decide_draft(store, clock, id, DraftAction.ACCEPT, by=by, expected_version=version)


def take_back(store: Store, clock: Clock, id: str, *, by: str, version: int | None = None) -> ReviewedDraft:
    """It as it was before the last decision that stands, an approval or an edit.

    Raises:
        NotFound, ChangedMeanwhile
        WrongState: there is nothing to take back.
    """
    reviewed = open_prereading(store, id)
    if not standing(reviewed.decisions):
        raise WrongState(id, state_of(reviewed.decisions).value, DraftAction.UNDO.value, [])
    return decide_draft(store, clock, id, DraftAction.UNDO, by=by, expected_version=version)
