"""What people decided about themes: an ordered log that stands over every later run of its lens."""

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
"""Actions that say something about a theme or about another line, and place and name nothing themselves."""

BINDING_ACTIONS = frozenset(EditAction) - ANNOTATION_ACTIONS - {EditAction.UNDO}
"""Actions that every later run keeps to."""

HOLDING_ACTIONS = frozenset(
    (EditAction.PIN, EditAction.MOVE_IN, EditAction.SPLIT_OFF, EditAction.LOCK, EditAction.RETIRE),
)
"""Actions whose cases stay in one theme, whatever a run finds."""


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
    """One line of the log; it is never changed, an undo is a line of its own.

    ``seq`` counts from 1 within a network, over all lenses. Which of the other fields are filled depends on the action:

    - rename: ``theme_id``, ``name``
    - merge: ``theme_id`` goes into ``other_theme_id``
    - move_out, move_in, pin: ``theme_id``, ``case_ids``
    - split_off: ``case_ids`` leave ``theme_id`` for ``other_theme_id``, an id never given before; ``name`` where given
    - together, apart: ``case_ids``, two or more; apart keeps every two of them in different themes
    - lock: ``theme_id``, its ``name``, and in ``case_ids`` the members it had: they stay, nothing merges or renames it
    - retire: ``theme_id``, and in ``case_ids`` the members it had: they stay
    - own: ``theme_id``, which ``by`` looks after from now on
    - accept, decline: what a run made of a theme (``run_id``, ``theme_id``), or the line that ``answers`` names: one
      that was proposed, or one that the cases of a run speak against. Accepting what was proposed is the edit itself.
    - undo: ``undoes``, the ``seq`` of an edit that stands

    ``former_name`` is what a renamed theme was called before, for an undo to give back. ``proposed`` is a wish of
    somebody who may not decide: it binds nothing until somebody else says the same. ``because`` is the line that this
    one was made for: it stands only while that one does.
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
        """Whether the themes may be others after it."""
        return not self.proposed and self.action not in ANNOTATION_ACTIONS

    @property
    def held_in_theme_id(self) -> str | None:
        """The theme that ``case_ids`` stay in, as it was called when this was decided."""
        if self.action not in HOLDING_ACTIONS:
            return None
        return self.other_theme_id if self.action is EditAction.SPLIT_OFF else self.theme_id

    def summary(self) -> str:
        """The decision in a few words, with ids and never a text."""
        told = ", ".join(self.case_ids[:3]) + (f" and {len(self.case_ids) - 3} more" if len(self.case_ids) > 3 else "")
        wording = _DESCRIPTIONS.get(self.action, "{action} {theme}")
        if self.action in {EditAction.ACCEPT, EditAction.DECLINE}:
            about = f"decision {self.answers}" if self.answers else f"what {self.run_id} made of {self.theme_id}"
            return f"{self.action.value} {about}"
        return ("propose to " if self.proposed else "") + wording.format(
            action=self.action.value,
            theme=self.theme_id or "no theme",
            other=self.other_theme_id,
            cases=told,
            name=self.name,
            undoes=self.undoes,
        )

    def describe(self) -> str:
        """Number, what, who and when, as an error names a decision."""
        return f"decision {self.seq} ({self.summary()}; {self.by}, {self.at:%Y-%m-%d %H:%M})"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditConflict:
    """Where the cases and a standing decision disagree strongly. It is said, and nothing is done about it.

    ``kind`` is the action of the decision with number ``edit_seq``; ``text`` a sentence with ids and names of themes.
    """

    kind: str
    edit_seq: int
    theme_ids: tuple[str, ...] = ()
    case_ids: tuple[str, ...] = ()
    text: str


def active_edits(log: Iterable[Edit]) -> list[Edit]:
    """The lines that hold now, in order: no undo, nothing that one took back, and nothing made for such a line."""
    ordered = sorted(log, key=lambda edit: edit.seq)
    undone = {edit.undoes for edit in ordered if edit.action is EditAction.UNDO and not edit.proposed}
    return [
        edit
        for edit in ordered
        if edit.action is not EditAction.UNDO and edit.seq not in undone and edit.because not in undone
    ]


def binding_edits(log: Iterable[Edit]) -> list[Edit]:
    """The edits in force that runs keep to, in order: notes and proposals are left out."""
    return [edit for edit in active_edits(log) if edit.action in BINDING_ACTIONS and not edit.proposed]


def theme_owners(log: Iterable[Edit]) -> dict[str, str]:
    """Who looks after each theme that somebody looks after; the last who said so."""
    return {
        edit.theme_id: edit.by
        for edit in active_edits(log)
        if edit.action is EditAction.OWN and edit.theme_id and not edit.proposed
    }
