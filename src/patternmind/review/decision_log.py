"""Decisions about a draft, and the state and text that result from their log.

The log is append-only: nothing is overwritten, and every decision can be undone.
"""

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime

from patternmind.domain.draft_fields import DraftFields, FieldValue, value_items, value_to_line
from patternmind.domain.drafts import (
    Decision,
    DraftAction,
    DraftKind,
    DraftState,
    Pattern,
    RejectionReason,
    ReviewedDraft,
    active_decisions,
    fields_of,
    pattern_id_of,
    state_of,
)
from patternmind.domain.members import require_actor
from patternmind.errors import InvalidState, RuleViolated

_PENDING_TRANSITIONS: Mapping[DraftAction, DraftState] = {
    DraftAction.ACCEPT: DraftState.ACCEPTED,
    DraftAction.EDIT: DraftState.IN_REVIEW,
    DraftAction.REJECT: DraftState.REJECTED,
    DraftAction.NOT_SURE: DraftState.IN_REVIEW,
    DraftAction.FLAG: DraftState.IN_REVIEW,
}
TRANSITIONS: Mapping[DraftState, Mapping[DraftAction, DraftState]] = {
    DraftState.CANDIDATE: _PENDING_TRANSITIONS,
    DraftState.IN_REVIEW: _PENDING_TRANSITIONS,
    DraftState.ACCEPTED: {DraftAction.EDIT: DraftState.ACCEPTED, DraftAction.RETIRE: DraftState.RETIRED},
    DraftState.FIELD_TESTED: {DraftAction.EDIT: DraftState.FIELD_TESTED, DraftAction.RETIRE: DraftState.RETIRED},
    DraftState.RETIRED: {},
    DraftState.REJECTED: {},
}


def possible_actions(decisions: Sequence[Decision]) -> list[DraftAction]:
    actions = list(TRANSITIONS[state_of(decisions)])
    return [*actions, DraftAction.UNDO] if active_decisions(decisions) else actions


def make_decision(
    reviewed: ReviewedDraft,
    action: DraftAction,
    *,
    actor: str,
    at: datetime,
    reason: RejectionReason | None = None,
    note: str = "",
    edits: DraftFields | None = None,
) -> Decision:
    """Build the next entry of the log.

    Raises:
        InvalidState: The action is not possible in the draft's state.
        RuleViolated: A rejection has no reason, an edit changes nothing, or a field is unknown.
        UsageError: The actor is missing.
    """
    draft = reviewed.grounded.draft
    before = state_of(reviewed.decisions)
    if action not in possible_actions(reviewed.decisions):
        possible = [possible_action.value for possible_action in possible_actions(reviewed.decisions)]
        raise InvalidState(draft.id, before.value, action.value, possible)
    actor = require_actor(actor)
    changed = _changed_fields(reviewed, edits or {})
    _check_decision(reviewed, action, reason=reason, changed=changed)
    undone = active_decisions(reviewed.decisions)[-1] if action is DraftAction.UNDO else None
    return Decision(
        id=f"{draft.id}.{reviewed.version + 1}",
        draft_id=draft.id,
        action=action,
        by=actor,
        at=at,
        before=before,
        after=undone.before if undone else _next_state(draft.kind, before, action),
        reason=reason,
        note=note.strip(),
        edits=changed,
        undoes=undone.id if undone else None,
    )


def _next_state(kind: DraftKind, before: DraftState, action: DraftAction) -> DraftState:
    """Return the state after an action; an edited pre-reading needs approval again."""
    reopened = kind is DraftKind.PREREADING and action is DraftAction.EDIT
    return DraftState.IN_REVIEW if reopened else TRANSITIONS[before][action]


def make_field_test_decision(reviewed: ReviewedDraft, *, actor: str, at: datetime, note: str) -> Decision | None:
    """Build the entry that marks an accepted pattern as field-tested; None if it is not accepted.

    The actor is the person who recorded the last use. The entry can be undone like any other.
    """
    if state_of(reviewed.decisions) is not DraftState.ACCEPTED:
        return None
    return Decision(
        id=f"{reviewed.grounded.draft.id}.{reviewed.version + 1}",
        draft_id=reviewed.grounded.draft.id,
        action=DraftAction.FIELD_TEST,
        by=actor.strip(),
        at=at,
        before=DraftState.ACCEPTED,
        after=DraftState.FIELD_TESTED,
        note=note,
    )


def _changed_fields(reviewed: ReviewedDraft, edits: DraftFields) -> dict[str, FieldValue]:
    current = fields_of(reviewed)
    unknown = sorted(set(edits) - set(current))
    if unknown:
        raise RuleViolated(f"This draft has no field {', '.join(unknown)}. It has: {', '.join(current)}.")
    return {name: value for name, value in edits.items() if value != current[name]}


def _check_decision(
    reviewed: ReviewedDraft, action: DraftAction, *, reason: RejectionReason | None, changed: DraftFields
) -> None:

    if action is DraftAction.REJECT and reason is None:
        raise RuleViolated(f"A rejection needs a reason: {', '.join(choice.value for choice in RejectionReason)}.")
    if not str(changed.get("name", "x")).strip():
        raise RuleViolated("A draft needs a name.")
    if action is DraftAction.EDIT and not changed:
        raise RuleViolated("The edit changes nothing.")
    if changed and action is not DraftAction.EDIT:
        raise RuleViolated(f"Edits belong to the action edit, not to {action.value}.")
    accepts = action is DraftAction.ACCEPT and reviewed.grounded.draft.kind is DraftKind.PATTERN
    if accepts and not any(claim.field == "solution" for claim in reviewed.grounded.draft.claims):
        raise RuleViolated("No claim in its solution has a quote, so it cannot become a pattern. Reject it instead.")


def build_pattern(reviewed: ReviewedDraft) -> Pattern | None:
    """Return the pattern that results from a draft and its decisions; None while it is not accepted."""
    draft, active = reviewed.grounded.draft, active_decisions(reviewed.decisions)
    state = state_of(reviewed.decisions)
    accepted = [decision for decision in active if decision.action is DraftAction.ACCEPT]
    if draft.kind is not DraftKind.PATTERN or not accepted or state is DraftState.REJECTED:
        return None
    fields = fields_of(reviewed)
    name = value_to_line(fields.pop("name"))
    return Pattern(
        id=pattern_id_of(draft.id),
        theme_id=draft.theme_id,
        name=name,
        fields=fields,
        claims=draft.claims,
        provenance=draft.provenance,
        state=state,
        reviewers=tuple(
            dict.fromkeys(decision.by for decision in active if decision.action is not DraftAction.FIELD_TEST)
        ),
        accepted_at=accepted[-1].at,
        version=sum(decision.action in (DraftAction.ACCEPT, DraftAction.EDIT) for decision in active),
        share_edited=share_edited(reviewed),
    )


def share_edited(reviewed: ReviewedDraft) -> float:
    """Return the share of words, 0..1, that people changed in the machine's text."""
    draft = reviewed.grounded.draft
    machine_words = _field_words({"name": draft.name, **draft.fields})
    current_words = _field_words(fields_of(reviewed))
    if machine_words == current_words:
        return 0.0
    matcher = difflib.SequenceMatcher(None, machine_words, current_words, False)
    n_same = sum(block.size for block in matcher.get_matching_blocks())
    return 1 - n_same / max(len(machine_words), len(current_words), 1)


def _field_words(fields: DraftFields) -> list[str]:
    return [word for value in fields.values() for line in value_items(value) for word in line.split()]
