"""Second views of drafts, derived from the log: status per reviewer, hidden logs, and disagreements."""

from collections.abc import Sequence
from enum import StrEnum

from patternmind.domain.drafts import Decision, DraftAction, DraftState, active_decisions, state_of


class ReviewStatus(StrEnum):
    """Status of a draft for one reviewer; ``JAM`` is a draft flagged for a session."""

    WAITING = "waiting"
    SECOND = "second"
    ASKED = "asked"
    JAM = "jam"
    DECIDED = "decided"


def needs_second_view(decisions: Sequence[Decision]) -> bool:
    """Return True if the last active decision is "not sure"."""
    active = active_decisions(decisions)
    return bool(active) and active[-1].action is DraftAction.NOT_SURE


def review_status(decisions: Sequence[Decision], reviewer: str | None) -> ReviewStatus:
    """Return a draft's status for a reviewer; ``ASKED`` if they passed it to another reviewer."""
    active = active_decisions(decisions)
    if state_of(decisions) not in {DraftState.CANDIDATE, DraftState.IN_REVIEW}:
        return ReviewStatus.DECIDED
    if active and active[-1].action is DraftAction.FLAG:
        return ReviewStatus.JAM
    if not needs_second_view(decisions):
        return ReviewStatus.WAITING
    return ReviewStatus.ASKED if reviewer is not None and active[-1].by == reviewer else ReviewStatus.SECOND


def hides_log(decisions: Sequence[Decision], reviewer: str | None) -> bool:
    """Return True if this reviewer owes the second view and must not see the first."""
    return reviewer is not None and reviewer not in latest_views(decisions) and needs_second_view(decisions)


def latest_views(decisions: Sequence[Decision]) -> dict[str, DraftAction]:
    """Return the last view of each person: accept, reject or not sure.

    A view that its own author undid does not count; one that another person undid does.
    """
    undone_by_author = {(decision.by, decision.undoes) for decision in decisions if decision.undoes}
    views: dict[str, DraftAction] = {}
    for decision in decisions:
        is_view = decision.action in {DraftAction.ACCEPT, DraftAction.REJECT, DraftAction.NOT_SURE}
        if is_view and (decision.by, decision.id) not in undone_by_author:
            views[decision.by] = decision.action
    return views


def has_disagreement(decisions: Sequence[Decision]) -> bool:
    """Return True if people disagree: accepted by one and rejected by another, or two were not sure."""
    views = list(latest_views(decisions).values())
    return {DraftAction.ACCEPT, DraftAction.REJECT} <= set(views) or views.count(DraftAction.NOT_SURE) > 1
