"""Compute the current state, name and fields of a draft from the decisions on it.

``review`` computes the same from its log. These packages do not import each other; a test checks that both agree.
"""

from collections.abc import Sequence

from patternmind.domain.drafts import (
    Decision,
    Draft,
    DraftAction,
    DraftState,
    GroundedDraft,
    ReviewedDraft,
)
from patternmind.publishing.field_text import FieldValue


def split_decisions(draft: GroundedDraft | ReviewedDraft) -> tuple[Draft, list[Decision]]:
    """Return a draft and its active decisions, without undone decisions and undo entries."""
    if isinstance(draft, GroundedDraft):
        return draft.draft, []
    undone_ids = {decision.undoes for decision in draft.decisions}
    active = [
        decision
        for decision in draft.decisions
        if decision.action is not DraftAction.UNDO and decision.id not in undone_ids
    ]
    return draft.grounded.draft, active


def current_state(active_decisions: Sequence[Decision]) -> DraftState:
    return active_decisions[-1].after if active_decisions else DraftState.CANDIDATE


def current_fields(draft: Draft, active_decisions: Sequence[Decision]) -> dict[str, FieldValue]:
    """Apply the active edits to the fields, latest last; edits of the name are not applied."""
    fields = dict(draft.fields)
    for decision in active_decisions:
        fields.update({name: value for name, value in decision.edits.items() if name != "name"})
    return fields


def current_name(draft: Draft, active_decisions: Sequence[Decision]) -> str:
    names = [decision.edits["name"] for decision in active_decisions if "name" in decision.edits]
    last = names[-1] if names else draft.name
    return last if isinstance(last, str) else " ".join(last)
