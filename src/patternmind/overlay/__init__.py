"""People's decisions over what a run found: placed after it, checked, and spoken against only in words."""

from patternmind.overlay.check import Violation, violations
from patternmind.overlay.decisions import Decisions, can_all_be_kept, contradicting, read_decisions
from patternmind.overlay.disagree import disagreements
from patternmind.overlay.place import Placed, place_cases
from patternmind.overlay.shape import lay_over

__all__ = [
    "Decisions",
    "Placed",
    "Violation",
    "can_all_be_kept",
    "contradicting",
    "disagreements",
    "lay_over",
    "place_cases",
    "read_decisions",
    "violations",
]
