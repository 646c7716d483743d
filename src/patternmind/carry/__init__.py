"""Clusters of this run to themes that last: who continues whom, and what changed, with the evidence."""

from patternmind.carry.areas import carry_areas
from patternmind.carry.changes import QUIET_RUNS, describe_changes
from patternmind.carry.explain import explain
from patternmind.carry.identity import Group, Past, carry_themes
from patternmind.carry.memory import is_resting, keep_in_mind, lay_to_rest
from patternmind.carry.periods import newer_than, periods_with

__all__ = [
    "QUIET_RUNS",
    "Group",
    "Past",
    "carry_areas",
    "carry_themes",
    "describe_changes",
    "explain",
    "is_resting",
    "keep_in_mind",
    "lay_to_rest",
    "newer_than",
    "periods_with",
]
