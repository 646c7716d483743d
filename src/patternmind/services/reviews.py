"""Drafts for review: grounded against the current cases, with the log of their decisions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import DraftFields, map_lines, value_items
from patternmind.domain.drafts import (
    NO_AI,
    Decision,
    Draft,
    DraftAction,
    DraftKind,
    Pattern,
    RejectionReason,
    ReviewedDraft,
)
from patternmind.domain.read_models import DraftFilter, Page, StoredDraft
from patternmind.errors import InvalidState, RuleViolated, UsageError, VersionConflict
from patternmind.grounding import ground
from patternmind.ingestion.redaction.redactor import prose_contains_name, redact
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ports import Clock, Store
from patternmind.review import build_pattern, make_decision
from patternmind.services.versioned_cache import VersionedCache

NO_LIMIT = 10**9
"""Row limit of a list that is read completely."""


def get_draft(store: Store, draft_id: str) -> ReviewedDraft:
    """Return a draft with its log.

    Raises:
        NotFound
    """
    return _ground_all(store, [store.drafts.get(draft_id)])[0]


def list_all_drafts(store: Store, *, kind: DraftKind | None = None) -> list[ReviewedDraft]:
    """List every current draft and every draft with a decision, oldest first."""
    return _ground_all(store, store.drafts.page(DraftFilter(kind=kind), limit=NO_LIMIT).rows)


def list_drafts(store: Store, filters: DraftFilter, *, limit: int, after: str | None = None) -> Page[ReviewedDraft]:
    """Return a page of drafts; reads only the source cases of these."""
    page = store.drafts.page(filters, limit=limit, cursor=after)
    return Page(tuple(_ground_all(store, page.rows)), page.next_cursor)


_ACCEPTED_CACHE: VersionedCache[tuple[Pattern, ...]] = VersionedCache()


def list_accepted_patterns(store: Store) -> list[Pattern]:
    """List the accepted patterns by name; reads only the accepted drafts."""
    return list(_ACCEPTED_CACHE.get_or_compute(store, lambda: _read_accepted_patterns(store)))


def _read_accepted_patterns(store: Store) -> tuple[Pattern, ...]:
    accepted = store.drafts.page(DraftFilter(kind=DraftKind.PATTERN, accepted_only=True), limit=NO_LIMIT).rows
    return tuple(build_patterns(_ground_all(store, accepted)))


def _ground_all(store: Store, rows: Sequence[StoredDraft]) -> list[ReviewedDraft]:
    cases = store.cases.get_many([case_id for draft, _, _ in rows for case_id in _source_case_ids(draft)])
    roster = Roster.of(store.network.roster())
    return [_ground_draft(row, cases, roster) for row in rows]


def _source_case_ids(draft: Draft) -> Iterator[str]:
    """Yield the ids of the cases a draft quotes, or a model read for it.

    Grounding looks for a model's claims in all cases that it read.
    """
    yield from (quote.case_id for claim in draft.claims for quote in claim.quotes)
    if draft.provenance.model != NO_AI:
        yield from draft.provenance.case_ids


def _ground_draft(
    row: tuple[Draft, tuple[Decision, ...], datetime], cases: Mapping[str, Case], roster: Roster
) -> ReviewedDraft:
    """Ground a draft, and redact what people wrote in its log with the current roster.

    Every outlet reads drafts through this function, so no name that was added to the roster later gets out.
    """
    draft, decisions, created_at = row
    redacted = tuple(_redact_decision(decision, roster) for decision in decisions)
    return ReviewedDraft(grounded=ground(draft, cases), decisions=redacted, created_at=created_at)


def _redact_decision(decision: Decision, roster: Roster) -> Decision:
    if not decision.edits and not decision.note:
        return decision
    edits = map_lines(decision.edits, lambda line: redact(line, roster).text)
    return replace(decision, edits=edits, note=redact(decision.note, roster).text)


def decide_draft(  # noqa: PLR0913 - one decision has this many parts
    store: Store,
    clock: Clock,
    draft_id: str,
    action: DraftAction,
    *,
    actor: str,
    reason: RejectionReason | None = None,
    note: str = "",
    edits: DraftFields | None = None,
    expected_version: int | None = None,
) -> ReviewedDraft:
    """Log a decision and return the draft with it.

    Args:
        expected_version: Number of decisions that were displayed; None skips the check.

    Raises:
        NotFound, InvalidState, RuleViolated
        UsageError: A text names a person.
        VersionConflict: Another person decided first.
    """
    reject_names(store, note, edits or {})
    reviewed = get_draft(store, draft_id)
    if expected_version is not None and expected_version != reviewed.version:
        raise VersionConflict("draft", draft_id)
    decision = make_decision(reviewed, action, actor=actor, at=clock.now(), reason=reason, note=note, edits=edits)
    store.drafts.append_decision(decision, expected_version=reviewed.version)
    return get_draft(store, draft_id)


def preview_decision(reviewed: ReviewedDraft, action: DraftAction) -> ReviewedDraft:
    """Return the draft with a decision that is not stored; unchanged if the decision is not possible."""
    try:
        decision = make_decision(
            reviewed, action, actor="-", at=reviewed.created_at or datetime.min.replace(tzinfo=UTC)
        )
    except (RuleViolated, InvalidState):
        return reviewed
    return replace(reviewed, decisions=(*reviewed.decisions, decision))


def reject_names(store: Store, note: str, edits: DraftFields) -> None:
    """Refuse texts with a person's name or contact data: every export would include them.

    Raises:
        UsageError: ``field`` is "note" or "fields.NAME".
    """
    texts = {"note": note, **{f"fields.{name}": value for name, value in edits.items()}}
    for field in fields_with_names(store, texts):
        message = "Your text contains a person's name or contact details. Please leave that out."
        raise UsageError(message, field=field)


def fields_with_names(store: Store, fields: DraftFields) -> list[str]:
    """List the fields whose text contains a name or contact data."""
    roster = Roster.of(store.network.roster())
    return [
        name for name, value in fields.items() if any(prose_contains_name(line, roster) for line in value_items(value))
    ]


def build_patterns(reviewed: Sequence[ReviewedDraft]) -> list[Pattern]:
    """Return the patterns that people accepted from these drafts, by name."""
    patterns = [pattern for draft in reviewed if (pattern := build_pattern(draft)) is not None]
    return sorted(patterns, key=lambda pattern: (pattern.name.casefold(), pattern.id))
