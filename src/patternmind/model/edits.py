"""What people decided about themes: an ordered log that stands over every later run of its lens."""

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
    UNDO = "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One line of the log; it is never changed, an undo is a line of its own.

    ``seq`` counts from 1 within a network, over all lenses. Which of the other fields are filled depends on the action:

    - rename: ``theme_id``, ``name``
    - merge: ``theme_id`` goes into ``other_theme_id``
    - move_out, move_in, pin: ``theme_id``, ``case_ids``
    - split_off: ``case_ids`` leave ``theme_id`` for ``other_theme_id``, an id never given before
    - together, apart: ``case_ids``, two or more; apart keeps every two of them in different themes
    - lock: ``theme_id``, and in ``case_ids`` the members it had: they stay, and nothing merges or renames it
    - retire: ``theme_id``
    - undo: ``undoes``, the ``seq`` of an edit that stands
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
    undoes: int | None = None
    note: str = ""


def standing(log: "list[Edit] | tuple[Edit, ...]") -> list[Edit]:
    """The edits that hold now, in order: those that no undo took back, and no undo itself."""
    undone: set[int] = set()
    for edit in sorted(log, key=lambda edit: edit.seq):
        if edit.action is EditAction.UNDO and edit.undoes is not None:
            undone.add(edit.undoes)
    return [edit for edit in log if edit.seq not in undone and edit.action is not EditAction.UNDO]
