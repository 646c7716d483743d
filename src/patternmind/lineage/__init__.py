"""Theme lineage: match the clusters of a run to former themes and describe the changes."""

from patternmind.lineage.areas import match_areas
from patternmind.lineage.changes import DORMANT_AFTER_PERIODS, describe_changes
from patternmind.lineage.dormancy import is_dormant, keep_unseen_members, mark_dormant
from patternmind.lineage.explanation import explain_change
from patternmind.lineage.identity import ClusterGroup, PreviousRun, match_themes
from patternmind.lineage.periods import extend_periods, last_closed_run

__all__ = [
    "DORMANT_AFTER_PERIODS",
    "ClusterGroup",
    "PreviousRun",
    "describe_changes",
    "explain_change",
    "extend_periods",
    "is_dormant",
    "keep_unseen_members",
    "last_closed_run",
    "mark_dormant",
    "match_areas",
    "match_themes",
]
