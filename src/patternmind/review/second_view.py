"""Second views, read off the log: who still has to look, who may not see yet what others said, where people differ."""

from collections.abc import Sequence
from enum import StrEnum

from patternmind.domain.drafts import Decision, DraftAction, DraftState
from patternmind.review.decision_log import active_decisions, state_of


class ReviewStatus(StrEnum):
    """Where a draft stands for one reviewer."""

    WAITING = "waiting"
    SECOND = "second"
    ASKED = "asked"
    JAM = "jam"
    DECIDED = "decided"


_ACCEPTING = frozenset({DraftAction.ACCEPT})
_REJECTING = frozenset({DraftAction.REJECT})


def needs_second_view(decisions: Sequence[Decision]) -> bool:
    """Whether the last word that stands is "not sure"."""
    held = active_decisions(decisions)
    return bool(held) and held[-1].action is DraftAction.NOT_SURE


def review_status(decisions: Sequence[Decision], reviewer: str | None) -> ReviewStatus:
    """Where a draft stands; ``ASKED`` is one that this reviewer handed to somebody else."""
    held = active_decisions(decisions)
    if state_of(decisions) not in {DraftState.CANDIDATE, DraftState.IN_REVIEW}:
        return ReviewStatus.DECIDED
    if held and held[-1].action is DraftAction.FLAG:
        return ReviewStatus.JAM
    if not needs_second_view(decisions):
        return ReviewStatus.WAITING
    return ReviewStatus.ASKED if reviewer is not None and held[-1].by == reviewer else ReviewStatus.SECOND


def hides_log(decisions: Sequence[Decision], reviewer: str | None) -> bool:
    """Whether this reviewer gives the second view, and so sees nothing of the first until theirs is given."""
    return reviewer is not None and reviewer not in latest_views(decisions) and needs_second_view(decisions)


def latest_views(decisions: Sequence[Decision]) -> dict[str, DraftAction]:
    """The last view of each person: accept, reject or not sure. What they took back themselves is no view of theirs;
    what somebody else took back is."""
    own = {(one.by, one.undoes) for one in decisions if one.undoes}
    views: dict[str, DraftAction] = {}
    for one in decisions:
        if one.action in {DraftAction.ACCEPT, DraftAction.REJECT, DraftAction.NOT_SURE} and (one.by, one.id) not in own:
            views[one.by] = one.action
    return views


def has_disagreement(decisions: Sequence[Decision]) -> bool:
    """Whether people differ: one accepts what another rejects, or two looked and neither was sure."""
    views = list(latest_views(decisions).values())
    return (
        bool(_ACCEPTING.intersection(views) and _REJECTING.intersection(views)) or views.count(DraftAction.NOT_SURE) > 1
    )
