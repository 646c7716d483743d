"""What people's decisions made of a draft: its state, name and fields as they stand.

``review`` reads the same off the log. Steps do not import each other; a test holds the two equal.
"""

from collections.abc import Sequence

from patternmind.model.drafts import Decision, Draft, DraftAction, DraftState, GroundedDraft, ReviewedDraft
from patternmind.publish.fields import FieldValue


def parted(one: GroundedDraft | ReviewedDraft) -> tuple[Draft, list[Decision]]:
    """A draft and the decisions on it that still hold: no undo, and none that was taken back."""
    if isinstance(one, GroundedDraft):
        return one.draft, []
    taken_back = {decision.undoes for decision in one.decisions}
    held = [each for each in one.decisions if each.action is not DraftAction.UNDO and each.id not in taken_back]
    return one.grounded.draft, held


def state_of(held: Sequence[Decision]) -> DraftState:
    return held[-1].after if held else DraftState.CANDIDATE


def fields_of(draft: Draft, held: Sequence[Decision]) -> dict[str, FieldValue]:
    """The fields with every edit that holds, the last one winning; the name apart."""
    fields = dict(draft.fields)
    for decision in held:
        fields.update({name: value for name, value in decision.edits.items() if name != "name"})
    return fields


def name_of(draft: Draft, held: Sequence[Decision]) -> str:
    names = [decision.edits["name"] for decision in held if "name" in decision.edits]
    last = names[-1] if names else draft.name
    return last if isinstance(last, str) else " ".join(last)
