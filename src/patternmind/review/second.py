"""Second views, read off the log: who still has to look, who may not see yet what others said, where people differ."""

from collections.abc import Sequence
from enum import StrEnum

from patternmind.model.drafts import Decision, DraftAction, DraftState
from patternmind.review.log import standing, state_of


class Standing(StrEnum):
    """Where a draft stands for one reviewer."""

    WAITING = "waiting"
    SECOND = "second"
    ASKED = "asked"
    JAM = "jam"
    DECIDED = "decided"


_FOR = frozenset({DraftAction.ACCEPT})
_AGAINST = frozenset({DraftAction.REJECT})


def needs_second(decisions: Sequence[Decision]) -> bool:
    """Whether the last word that stands is "not sure"."""
    held = standing(decisions)
    return bool(held) and held[-1].action is DraftAction.NOT_SURE


def standing_for(decisions: Sequence[Decision], reviewer: str | None) -> Standing:
    """Where a draft stands; ``ASKED`` is one that this reviewer handed to somebody else."""
    held = standing(decisions)
    if state_of(decisions) not in {DraftState.CANDIDATE, DraftState.IN_REVIEW}:
        return Standing.DECIDED
    if held and held[-1].action is DraftAction.FLAG:
        return Standing.JAM
    if not needs_second(decisions):
        return Standing.WAITING
    return Standing.ASKED if reviewer is not None and held[-1].by == reviewer else Standing.SECOND


def hides_log(decisions: Sequence[Decision], reviewer: str | None) -> bool:
    """Whether this reviewer gives the second view, and so sees nothing of the first until theirs is given."""
    return reviewer is not None and reviewer not in views_of(decisions) and needs_second(decisions)


def views_of(decisions: Sequence[Decision]) -> dict[str, DraftAction]:
    """The last view of each person: accept, reject or not sure. What they took back themselves is no view of theirs;
    what somebody else took back is."""
    own = {(one.by, one.undoes) for one in decisions if one.undoes}
    views: dict[str, DraftAction] = {}
    for one in decisions:
        if one.action in {DraftAction.ACCEPT, DraftAction.REJECT, DraftAction.NOT_SURE} and (one.by, one.id) not in own:
            views[one.by] = one.action
    return views


def disagree(decisions: Sequence[Decision]) -> bool:
    """Whether people differ: one accepts what another rejects, or two looked and neither was sure."""
    views = list(views_of(decisions).values())
    return bool(_FOR.intersection(views) and _AGAINST.intersection(views)) or views.count(DraftAction.NOT_SURE) > 1
