"""People's edits of themes: an ordered log that applies to every later run of its lens."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EditAction(StrEnum):
    RENAME = "rename"
    MERGE = "merge"
    MOVE_OUT = "move_out"
    MOVE_IN = "move_in"
    SPLIT_OFF = "split_off"
    TOGETHER = "together"
    APART = "apart"
    PIN = "pin"
    LOCK = "lock"
    RETIRE = "retire"
    OWN = "own"
    ACCEPT = "accept"
    DECLINE = "decline"
    UNDO = "undo"


ANNOTATION_ACTIONS = frozenset((EditAction.OWN, EditAction.ACCEPT, EditAction.DECLINE))
"""Actions that annotate a theme or another entry, and neither move nor rename anything."""

BINDING_ACTIONS = frozenset(EditAction) - ANNOTATION_ACTIONS - {EditAction.UNDO}
"""Actions that every later run respects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An entry of the log; it never changes, an undo is an entry of its own.

    The classes of actions in ``patternmind.edits`` say which fields an action fills.

    Attributes:
        theme_id: the theme to edit; for a split, the theme that the cases leave.
        other_theme_id: the theme that gets the cases: the other one of a merge, or the new one of a split.
        former_name: name of a renamed theme before the edit, which an undo restores.
        proposed: True for a proposal of a member without the permission to decide. It has no effect until another
            member makes the same edit.
        undoes: ``seq`` of the active edit that an undo undoes.
        answers: ``seq`` of a proposal, or of an edit that the cases of a run contradict.
        run_id: run whose change of ``theme_id`` the entry accepts or declines.
        because: ``seq`` of the entry that caused this one, which is active only as long as its cause.
    """

    seq: int
    lens: str
    action: EditAction
    by: str
    at: datetime
    theme_id: str | None = None
    other_theme_id: str | None = None
    case_ids: tuple[str, ...] = ()
    name: str = ""
    former_name: str = ""
    undoes: int | None = None
    note: str = ""
    proposed: bool = False
    answers: int | None = None
    run_id: str = ""
    because: int | None = None

    @property
    def changes_themes(self) -> bool:
        """True if the edit may change themes."""
        return not self.proposed and self.action not in ANNOTATION_ACTIONS

    @property
    def theme_ids(self) -> tuple[str, ...]:
        """Ids of the themes that the edit names."""
        return tuple(id for id in (self.theme_id, self.other_theme_id) if id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditConflict:
    """A strong contradiction between the cases and an active edit; it is reported, never resolved automatically.

    Attributes:
        kind: action of the edit.
        edit_seq: number of the edit.
        text: sentence with ids and names of themes.
    """

    kind: str
    edit_seq: int
    theme_ids: tuple[str, ...] = ()
    case_ids: tuple[str, ...] = ()
    text: str


def active_edits(log: Iterable[Edit]) -> list[Edit]:
    """Return the active entries in order.

    Undos, undone entries, and entries caused by an undone entry are left out.
    """
    ordered = sorted(log, key=lambda edit: edit.seq)
    undone = {edit.undoes for edit in ordered if edit.undoes is not None and not edit.proposed}
    return [edit for edit in ordered if edit.undoes is None and edit.seq not in undone and edit.because not in undone]


def binding_edits(log: Iterable[Edit]) -> list[Edit]:
    """Return the active edits that runs respect, in order, without annotations and proposals."""
    return [edit for edit in active_edits(log) if edit.action in BINDING_ACTIONS and not edit.proposed]


def theme_owners(log: Iterable[Edit]) -> dict[str, str]:
    """Return the owner of each theme that has one: the last member who took ownership."""
    return {
        edit.theme_id: edit.by
        for edit in active_edits(log)
        if edit.action is EditAction.OWN and edit.theme_id and not edit.proposed
    }
