"""What people's decisions made of a draft: its state, name and fields as they stand.

``review`` reads the same off the log. Steps do not import each other; a test holds the two equal.
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
    """A draft and the decisions on it that still hold: no undo, and none that was taken back."""
    if isinstance(draft, GroundedDraft):
        return draft.draft, []
    taken_back = {decision.undoes for decision in draft.decisions}
    held = [each for each in draft.decisions if each.action is not DraftAction.UNDO and each.id not in taken_back]
    return draft.grounded.draft, held


def current_state(active_decisions: Sequence[Decision]) -> DraftState:
    return active_decisions[-1].after if active_decisions else DraftState.CANDIDATE


def current_fields(draft: Draft, active_decisions: Sequence[Decision]) -> dict[str, FieldValue]:
    """The fields with every edit that holds, the last one winning; the name apart."""
    fields = dict(draft.fields)
    for decision in active_decisions:
        fields.update({name: value for name, value in decision.edits.items() if name != "name"})
    return fields


def current_name(draft: Draft, active_decisions: Sequence[Decision]) -> str:
    names = [decision.edits["name"] for decision in active_decisions if "name" in decision.edits]
    last = names[-1] if names else draft.name
    return last if isinstance(last, str) else " ".join(last)
