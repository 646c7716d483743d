"""What a decision takes beside the right to review: one rule for the API and the pages."""

from patternmind.model import rights
from patternmind.model.drafts import DraftAction, DraftKind, DraftState
from patternmind.ports import Store
from patternmind.review import state_of
from patternmind.verbs.reviewing import open_draft
from patternmind.web.auth import Caller


def must_decide(store: Store, caller: Caller, draft_id: str, action: DraftAction) -> None:
    """Go on only if the caller may decide that: a steward alone retires a pattern, and brings one back.

    Raises:
        Declined: they may not.
        NotFound
    """
    if action is DraftAction.RETIRE:
        caller.must(rights.Action.RETIRE_PATTERN)
        return
    reviewed = open_draft(store, draft_id)
    if action is DraftAction.UNDO and state_of(reviewed.decisions) is DraftState.RETIRED:
        caller.must(rights.Action.RETIRE_PATTERN)
    if action is DraftAction.ACCEPT and reviewed.grounded.draft.kind is DraftKind.PREREADING:
        caller.must(rights.Action.APPROVE_PREREADING)
