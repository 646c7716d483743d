"""Effects of edits on runs: the kinds, and those of all active edits together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from patternmind.domain.edits import Edit


class Effect(Enum):
    """Kind of effect of an active edit on every run. Its theme is the target of the edit."""

    MERGE_THEME = auto()
    """The other theme of the edit has the cases of the theme."""
    NAME_THEME = auto()
    """The theme has the name of the edit."""
    LOCK_THEME = auto()
    """No edit merges or renames the theme."""
    RETIRE_THEME = auto()
    """Nothing is drafted from the theme; no edit merges it or adds cases."""
    HOLD_CASES = auto()
    """The cases stay in the theme."""
    EXCLUDE_CASES = auto()
    """The cases are never in the theme."""
    JOIN_CASES = auto()
    """The cases are all in the same theme, or all in none."""
    SEPARATE_CASES = auto()
    """Every two of the cases are in different themes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedEdits:
    """Active edits as constraints. Theme ids are the final ones after merges.

    Attributes:
        merge_targets: theme that each merged theme was merged into, even if that was merged itself.
        merged_into: final theme of each merged theme.
        required_theme: theme in which a case is held, with the edit; the latest if there are several.
        excluded_themes: by case, the themes it must not be in, each with its edit.
        units: cases that must stay together, at least two each, by their first case.
        unit_of: the first case of the unit of each case.
        separations: edits that keep cases apart.
        names: name that a person gave or locked, by theme.
        locked: locked themes.
        retired: retired themes.
    """

    merge_targets: Mapping[str, str]
    merged_into: Mapping[str, str]
    required_theme: Mapping[str, tuple[str, Edit]]
    excluded_themes: Mapping[str, Mapping[str, Edit]]
    units: Mapping[str, tuple[str, ...]]
    unit_of: Mapping[str, str]
    separations: Sequence[Edit]
    names: Mapping[str, str]
    locked: frozenset[str]
    retired: frozenset[str]

    def final_theme_id(self, theme_id: str) -> str:
        """Return the theme that has a theme's cases after all merges."""
        return self.merged_into.get(theme_id, theme_id)
