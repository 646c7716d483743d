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

HOLDING_ACTIONS = frozenset(
    (EditAction.PIN, EditAction.MOVE_IN, EditAction.SPLIT_OFF, EditAction.LOCK, EditAction.RETIRE),
)
"""Actions whose cases stay in one theme, whatever the machine result is."""


_DESCRIPTIONS = {
    EditAction.RENAME: "rename {theme} to “{name}”",
    EditAction.MERGE: "merge {theme} into {other}",
    EditAction.MOVE_OUT: "move {cases} out of {theme}",
    EditAction.MOVE_IN: "move {cases} into {theme}",
    EditAction.SPLIT_OFF: "split {cases} off from {theme} as {other}",
    EditAction.TOGETHER: "keep {cases} together",
    EditAction.APART: "keep {cases} apart",
    EditAction.PIN: "pin {cases} to {theme}",
    EditAction.OWN: "look after {theme}",
    EditAction.UNDO: "undo decision {undoes}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An entry of the log; it never changes, an undo is an entry of its own.

    ``seq`` counts from 1 within a network, over all lenses. The action decides which other fields are filled:

    - rename: ``theme_id``, ``name``
    - merge: ``theme_id`` is merged into ``other_theme_id``
    - move_out, move_in, pin: ``theme_id``, ``case_ids``
    - split_off: ``case_ids`` leave ``theme_id`` for ``other_theme_id``, a new id; optionally ``name``
    - together, apart: two or more ``case_ids``; apart keeps every two of them in different themes
    - lock: ``theme_id``, its ``name``, and its current members as ``case_ids``: they stay, and no run merges or
      renames the theme
    - retire: ``theme_id``, and its current members as ``case_ids``: they stay
    - own: ``theme_id``, whose owner is ``by`` from now on
    - accept, decline: a change that a run made to a theme (``run_id``, ``theme_id``), or the entry named by
      ``answers``, which is a proposal or an edit that the cases of a run contradict. Accepting a proposal is the
      proposed edit itself.
    - undo: ``undoes``, the ``seq`` of an active edit

    Attributes:
        former_name: name of a renamed theme before the edit, which an undo restores.
        proposed: True for a proposal of a member without the permission to decide. It has no effect until another
            member makes the same edit.
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
    def held_in_theme_id(self) -> str | None:
        """Id, at the time of the edit, of the theme in which ``case_ids`` stay."""
        if self.action not in HOLDING_ACTIONS:
            return None
        return self.other_theme_id if self.action is EditAction.SPLIT_OFF else self.theme_id

    def summary(self) -> str:
        """Return the edit in a few words, with ids and without case text."""
        cases = ", ".join(self.case_ids[:3]) + (f" and {len(self.case_ids) - 3} more" if len(self.case_ids) > 3 else "")
        wording = _DESCRIPTIONS.get(self.action, "{action} {theme}")
        if self.action in {EditAction.ACCEPT, EditAction.DECLINE}:
            subject = f"decision {self.answers}" if self.answers else f"what {self.run_id} made of {self.theme_id}"
            return f"{self.action.value} {subject}"
        return ("propose to " if self.proposed else "") + wording.format(
            action=self.action.value,
            theme=self.theme_id or "no theme",
            other=self.other_theme_id,
            cases=cases,
            name=self.name,
            undoes=self.undoes,
        )

    def describe(self) -> str:
        """Return number, summary, author and time of the edit, for error messages."""
        return f"decision {self.seq} ({self.summary()}; {self.by}, {self.at:%Y-%m-%d %H:%M})"


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
    undone = {edit.undoes for edit in ordered if edit.action is EditAction.UNDO and not edit.proposed}
    return [
        edit
        for edit in ordered
        if edit.action is not EditAction.UNDO and edit.seq not in undone and edit.because not in undone
    ]


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
