"""Drafts as reviewers meet them: grounded anew against the cases as they are now, with the log of their decisions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from patternmind.errors import ChangedMeanwhile, NotAllowed, UsageError, WrongState
from patternmind.ground import ground
from patternmind.intake.redaction import Roster, redact
from patternmind.model.cases import Case
from patternmind.model.drafts import NO_AI, Decision, Draft, DraftAction, DraftKind, Pattern, Reason, ReviewedDraft
from patternmind.model.reading import DraftsWanted, PageOf, StoredDraft
from patternmind.ports import Clock, Store
from patternmind.review import decide, pattern_of
from patternmind.verbs.keeping import Keeping

ALL = 10**9
"""Rows of a list that is wanted whole."""


def open_draft(store: Store, draft_id: str) -> ReviewedDraft:
    """One draft with its log.

    Raises:
        NotFound
    """
    return _grounded_all(store, [store.draft(draft_id)])[0]


def open_drafts(store: Store, *, kind: DraftKind | None = None) -> list[ReviewedDraft]:
    """Every current draft and every one that was ever decided on, oldest first."""
    return _grounded_all(store, store.list_drafts(DraftsWanted(kind=kind), limit=ALL).rows)


def page_of_drafts(
    store: Store, wanted: DraftsWanted, *, limit: int, after: str | None = None
) -> PageOf[ReviewedDraft]:
    """Some of them; only the cases that these rest on are read."""
    page = store.list_drafts(wanted, limit=limit, after=after)
    return PageOf(tuple(_grounded_all(store, page.rows)), page.following)


_ACCEPTED: Keeping[tuple[Pattern, ...]] = Keeping()


def accepted_patterns(store: Store) -> list[Pattern]:
    """The patterns people made, by name: of all drafts, only those that somebody accepted are read."""
    return list(_ACCEPTED.of(store, lambda: _read_accepted(store)))


def _read_accepted(store: Store) -> tuple[Pattern, ...]:
    accepted = store.list_drafts(DraftsWanted(kind=DraftKind.PATTERN, accepted=True), limit=ALL).rows
    return tuple(patterns_of(_grounded_all(store, accepted)))


def _grounded_all(store: Store, rows: Sequence[StoredDraft]) -> list[ReviewedDraft]:
    cases = store.cases_by_id([case_id for draft, _, _ in rows for case_id in _rests_on(draft)])
    roster = Roster.of(store.roster())
    return [_grounded(row, cases, roster) for row in rows]


def _rests_on(draft: Draft) -> Iterator[str]:
    """The cases that a draft quotes; and those that a model made it from, which may say what it claims elsewhere."""
    yield from (quote.case_id for claim in draft.claims for quote in claim.quotes)
    if draft.provenance.model == NO_AI:
        return
    for name in draft.provenance.inputs:
        yield from (name, name.rpartition("@")[0])


def _grounded(
    row: tuple[Draft, tuple[Decision, ...], datetime], cases: Mapping[str, Case], roster: Roster
) -> ReviewedDraft:
    """Every outlet reads drafts through here, so here people's words lose the names that the roster learned later."""
    draft, decisions, created_at = row
    cleaned = tuple(_without_names(decision, roster) for decision in decisions)
    return ReviewedDraft(grounded=ground(draft, cases), decisions=cleaned, created_at=created_at)


def _without_names(decision: Decision, roster: Roster) -> Decision:
    if not decision.edits and not decision.note:
        return decision
    edits = {
        field: redact(value, roster).text
        if isinstance(value, str)
        else tuple(redact(one, roster).text for one in value)
        for field, value in decision.edits.items()
    }
    return replace(decision, edits=edits, note=redact(decision.note, roster).text)


def decide_draft(  # noqa: PLR0913 - one decision has this many parts
    store: Store,
    clock: Clock,
    draft_id: str,
    action: DraftAction,
    *,
    by: str,
    reason: Reason | None = None,
    note: str = "",
    edits: Mapping[str, str | tuple[str, ...]] | None = None,
    expected_version: int | None = None,
) -> ReviewedDraft:
    """Write one decision down and give the draft as it then stands.

    Args:
        expected_version: the number of decisions the person had seen; ``None`` decides on whatever stands now.

    Raises:
        NotFound, WrongState, NotAllowed
        UsageError: what the person wrote names somebody.
        ChangedMeanwhile: somebody else decided first.
    """
    refuse_names(store, note, edits or {})
    reviewed = open_draft(store, draft_id)
    if expected_version is not None and expected_version != reviewed.version:
        raise ChangedMeanwhile("draft", draft_id)
    decision = decide(reviewed, action, by=by, at=clock.now(), reason=reason, note=note, edits=edits)
    store.append_decision(decision, expected_version=reviewed.version)
    return open_draft(store, draft_id)


def with_decision(reviewed: ReviewedDraft, action: DraftAction) -> ReviewedDraft:
    """The draft as this decision would leave it, stored nowhere; as it is where the decision is not possible."""
    try:
        decision = decide(reviewed, action, by="-", at=reviewed.created_at or datetime.min.replace(tzinfo=UTC))
    except (NotAllowed, WrongState):
        return reviewed
    return replace(reviewed, decisions=(*reviewed.decisions, decision))


def refuse_names(store: Store, note: str, edits: Mapping[str, str | tuple[str, ...]]) -> None:
    """As theme names are: a person's name would leave with every export."""
    roster = Roster.of(store.roster())
    told = {"note": note, **{f"fields.{name}": value for name, value in edits.items()}}
    for field, value in told.items():
        if any(redact(line, roster).counts for line in ([value] if isinstance(value, str) else value)):
            said = "What you wrote names a person or holds contact data. Say it without, please."
            raise UsageError(said, field=field)


def patterns_of(reviewed: Sequence[ReviewedDraft]) -> list[Pattern]:
    """The patterns people made of these drafts, by name."""
    found = [pattern for one in reviewed if (pattern := pattern_of(one)) is not None]
    return sorted(found, key=lambda pattern: (pattern.name.casefold(), pattern.id))
