"""Registry of all actions, and what their edits say and affect."""

from collections.abc import Iterable, Iterator, Mapping

from patternmind.domain.edits import Edit, EditAction
from patternmind.edits.action import ThemeAction
from patternmind.edits.case_actions import CASE_ACTIONS
from patternmind.edits.effects import Effect
from patternmind.edits.log_actions import LOG_ACTIONS
from patternmind.edits.theme_actions import THEME_ACTIONS

_BY_NAME = {action.action: action for action in (*THEME_ACTIONS, *CASE_ACTIONS, *LOG_ACTIONS)}

ACTIONS: Mapping[EditAction, ThemeAction] = {name: _BY_NAME[name] for name in EditAction}
"""Every action, in the order of ``EditAction``."""


def with_effect(edits: Iterable[Edit], effect: Effect) -> Iterator[tuple[Edit, str]]:
    """Yield the edits with an effect, each with the theme that it is about."""
    for edit in edits:
        if effect in ACTIONS[edit.action].effects:
            yield edit, ACTIONS[edit.action].target_id(edit)


def summarize_edit(edit: Edit) -> str:
    """Return an edit in a few words, with ids and without case text."""
    return ACTIONS[edit.action].summarize(edit)


def cite_edit(edit: Edit) -> str:
    """Return number, summary, author and time of an edit, for error messages."""
    return ACTIONS[edit.action].cite(edit)


def describe_edit(edit: Edit, names: Mapping[str, str], cases: Mapping[str, str]) -> str:
    """Describe an edit with names of themes and display ids of cases, by id."""
    return ACTIONS[edit.action].describe(edit, names, cases)
