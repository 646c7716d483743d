"""Application of people's edits to a machine result; conflicts are reported, never resolved automatically."""

from patternmind.edits.action import MAX_LISTED_CASES, ThemeAction, ThemesToEdit
from patternmind.edits.assignment import EditedAssignments, assign_cases
from patternmind.edits.conflicts import EditViolation, find_conflicts, find_violations
from patternmind.edits.contradictions import are_compatible, find_contradictions, find_contradictory_edits
from patternmind.edits.effects import ResolvedEdits
from patternmind.edits.rebuild import apply_edits
from patternmind.edits.registry import ACTIONS, cite_edit, describe_edit, summarize_edit
from patternmind.edits.resolution import resolve_edits

__all__ = [
    "ACTIONS",
    "MAX_LISTED_CASES",
    "EditViolation",
    "EditedAssignments",
    "ResolvedEdits",
    "ThemeAction",
    "ThemesToEdit",
    "apply_edits",
    "are_compatible",
    "assign_cases",
    "cite_edit",
    "describe_edit",
    "find_conflicts",
    "find_contradictions",
    "find_contradictory_edits",
    "find_violations",
    "resolve_edits",
    "summarize_edit",
]
