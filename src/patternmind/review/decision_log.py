"""What people may decide about a draft, and what the log of their decisions adds up to.

The log is append-only. State and text are read off it: nothing is overwritten, and every decision can be taken back.
"""

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime

from patternmind.domain.drafts import (
    Decision,
    DraftAction,
    DraftKind,
    DraftState,
    Pattern,
    RejectionReason,
    ReviewedDraft,
)
from patternmind.errors import InvalidState, RuleViolated

TRANSITIONS: Mapping[DraftState, Mapping[DraftAction, DraftState]] = {
    DraftState.CANDIDATE: {
        DraftAction.ACCEPT: DraftState.ACCEPTED,
        DraftAction.EDIT: DraftState.IN_REVIEW,
        DraftAction.REJECT: DraftState.REJECTED,
        DraftAction.NOT_SURE: DraftState.IN_REVIEW,
        DraftAction.FLAG: DraftState.IN_REVIEW,
    },
    DraftState.IN_REVIEW: {
        DraftAction.ACCEPT: DraftState.ACCEPTED,
        DraftAction.EDIT: DraftState.IN_REVIEW,
        DraftAction.REJECT: DraftState.REJECTED,
        DraftAction.NOT_SURE: DraftState.IN_REVIEW,
        DraftAction.FLAG: DraftState.IN_REVIEW,
    },
    DraftState.ACCEPTED: {DraftAction.EDIT: DraftState.ACCEPTED, DraftAction.RETIRE: DraftState.RETIRED},
    DraftState.FIELD_TESTED: {DraftAction.EDIT: DraftState.FIELD_TESTED, DraftAction.RETIRE: DraftState.RETIRED},
    DraftState.RETIRED: {},
    DraftState.REJECTED: {},
}


def active_decisions(decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions that still hold: those that are no undo and were not taken back."""
    taken_back = {decision.undoes for decision in decisions}
    return [one for one in decisions if one.action is not DraftAction.UNDO and one.id not in taken_back]


def state_of(decisions: Sequence[Decision]) -> DraftState:
    held = active_decisions(decisions)
    return held[-1].after if held else DraftState.CANDIDATE


def fields_of(reviewed: ReviewedDraft) -> dict[str, str | tuple[str, ...]]:
    """The draft's fields with every edit that stands, the last one winning; ``name`` among them."""
    draft = reviewed.grounded.draft
    fields: dict[str, str | tuple[str, ...]] = {"name": draft.name, **draft.fields}
    for decision in active_decisions(reviewed.decisions):
        fields.update(decision.edits)
    return fields


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
    edits: Mapping[str, str | tuple[str, ...]] | None = None,
) -> Decision:
    """The next line of the log.

    Raises:
        WrongState: the action does not fit the draft's state.
        NotAllowed: a rejection without a reason, an edit without a change, an unknown field, or nobody named.
    """
    draft = reviewed.grounded.draft
    before = state_of(reviewed.decisions)
    if action not in possible_actions(reviewed.decisions):
        raise InvalidState(
            draft.id, before.value, action.value, [a.value for a in possible_actions(reviewed.decisions)]
        )
    changed = _changed_fields(reviewed, edits or {})
    _check_decision(reviewed, action, actor=actor, reason=reason, changed=changed)
    undone = active_decisions(reviewed.decisions)[-1] if action is DraftAction.UNDO else None
    return Decision(
        id=f"{draft.id}.{reviewed.version + 1}",
        draft_id=draft.id,
        action=action,
        by=actor.strip(),
        at=at,
        before=before,
        after=undone.before if undone else _next_state(draft.kind, before, action),
        reason=reason,
        note=note.strip(),
        edits=changed,
        undoes=undone.id if undone else None,
    )


def _next_state(kind: DraftKind, before: DraftState, action: DraftAction) -> DraftState:
    """An approved pre-reading that is edited is what nobody approved yet; it says so until somebody does."""
    reopened = kind is DraftKind.PREREADING and action is DraftAction.EDIT
    return DraftState.IN_REVIEW if reopened else TRANSITIONS[before][action]


def make_field_test_decision(reviewed: ReviewedDraft, *, actor: str, at: datetime, note: str) -> Decision | None:
    """That an accepted pattern proved itself, where it is accepted: a line that follows from uses, by whoever told the
    last of them. It can be undone like any other."""
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


def _changed_fields(
    reviewed: ReviewedDraft, edits: Mapping[str, str | tuple[str, ...]]
) -> dict[str, str | tuple[str, ...]]:
    current = fields_of(reviewed)
    unknown = sorted(set(edits) - set(current))
    if unknown:
        raise RuleViolated(f"This draft has no field {', '.join(unknown)}. It has: {', '.join(current)}.")
    return {name: value for name, value in edits.items() if value != current[name]}


def _check_decision(
    reviewed: ReviewedDraft,
    action: DraftAction,
    *,
    actor: str,
    reason: RejectionReason | None,
    changed: Mapping[str, str | tuple[str, ...]],
) -> None:
    if not actor.strip():
        raise RuleViolated("Every decision is a named person's: say who decides.")
    if action is DraftAction.REJECT and reason is None:
        raise RuleViolated(f"A rejection needs a reason: {', '.join(one.value for one in RejectionReason)}.")
    if not str(changed.get("name", "x")).strip():
        raise RuleViolated("A draft cannot be without a name.")
    if action is DraftAction.EDIT and not changed:
        raise RuleViolated("The edit changes nothing.")
    if changed and action is not DraftAction.EDIT:
        raise RuleViolated(f"Edits belong to the action edit, not to {action.value}.")
    accepts = action is DraftAction.ACCEPT and reviewed.grounded.draft.kind is DraftKind.PATTERN
    if accepts and not any(claim.field == "solution" for claim in reviewed.grounded.draft.claims):
        raise RuleViolated(
            "No claim of its solution stands on a quote, so it cannot become a pattern. Reject it instead."
        )


def build_pattern(reviewed: ReviewedDraft) -> Pattern | None:
    """The pattern that the decisions made of this draft; ``None`` while nobody has accepted it."""
    draft, held = reviewed.grounded.draft, active_decisions(reviewed.decisions)
    state = state_of(reviewed.decisions)
    accepted = [decision for decision in held if decision.action is DraftAction.ACCEPT]
    if draft.kind is not DraftKind.PATTERN or not accepted or state is DraftState.REJECTED:
        return None
    fields = fields_of(reviewed)
    name = fields.pop("name")
    return Pattern(
        id=draft.id.replace("d-", "p-", 1),
        theme_id=draft.theme_id,
        name=name if isinstance(name, str) else " ".join(name),
        fields=fields,
        claims=draft.claims,
        provenance=draft.provenance,
        state=state,
        reviewers=tuple(dict.fromkeys(one.by for one in held if one.action is not DraftAction.FIELD_TEST)),
        accepted_at=accepted[-1].at,
        version=len([one for one in held if one.action in (DraftAction.ACCEPT, DraftAction.EDIT)]),
        share_edited=share_edited(reviewed),
    )


def share_edited(reviewed: ReviewedDraft) -> float:
    """Share of the words that people changed, 0..1, from the machine's text to the one that stands."""
    draft = reviewed.grounded.draft
    machine = _field_words({"name": draft.name, **draft.fields})
    person = _field_words(fields_of(reviewed))
    if machine == person:
        return 0.0
    same = sum(block.size for block in difflib.SequenceMatcher(None, machine, person, False).get_matching_blocks())
    return 1 - same / max(len(machine), len(person), 1)


def _field_words(fields: Mapping[str, str | tuple[str, ...]]) -> list[str]:
    return [
        word
        for value in fields.values()
        for line in ([value] if isinstance(value, str) else value)
        for word in line.split()
    ]
