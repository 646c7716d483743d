"""Permissions that a decision on a draft needs beyond the permission to review."""

from patternmind.domain import permissions
from patternmind.domain.drafts import DraftAction, DraftKind, DraftState, state_of
from patternmind.ports import Store
from patternmind.services.reviews import get_draft
from patternmind.web.caller import Caller


def require_decision_permission(store: Store, caller: Caller, draft_id: str, action: DraftAction) -> None:
    """Check that the caller may make this decision; only a steward retires or restores a pattern.

    Raises:
        HTTPProblem: they may not.
        NotFound: the draft does not exist.
    """
    if action is DraftAction.RETIRE:
        caller.require(permissions.Action.RETIRE_PATTERN)
        return
    reviewed = get_draft(store, draft_id)
    if action is DraftAction.UNDO and state_of(reviewed.decisions) is DraftState.RETIRED:
        caller.require(permissions.Action.RETIRE_PATTERN)
    if action is DraftAction.ACCEPT and reviewed.grounded.draft.kind is DraftKind.PREREADING:
        caller.require(permissions.Action.APPROVE_PREREADING)
