"""Application of people's edits to a machine result; conflicts are reported, never resolved automatically."""

from patternmind.edits.assignment import EditedAssignments, assign_cases
from patternmind.edits.conflicts import find_conflicts
from patternmind.edits.rebuild import apply_edits
from patternmind.edits.resolution import (
    ResolvedEdits,
    are_compatible,
    find_contradictory_edits,
    resolve_edits,
)
from patternmind.edits.violations import EditViolation, find_violations

__all__ = [
    "EditViolation",
    "EditedAssignments",
    "ResolvedEdits",
    "apply_edits",
    "are_compatible",
    "assign_cases",
    "find_conflicts",
    "find_contradictory_edits",
    "find_violations",
    "resolve_edits",
]
