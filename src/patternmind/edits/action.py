"""Base class of the actions by which people edit themes."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import ClassVar

from patternmind.domain.edits import Edit, EditAction, EditConflict
from patternmind.domain.themes import Theme
from patternmind.edits.effects import Effect
from patternmind.edits.evidence import CaseEvidence
from patternmind.errors import UsageError

MAX_LISTED_CASES = 3
"""Cases that a description of an edit lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemesToEdit:
    """The state of a lens before an edit: its themes by id, the theme of each case, its log, and ids of all lenses."""

    themes: Mapping[str, Theme]
    theme_of: Mapping[str, str | None]
    log: Sequence[Edit]
    used_theme_ids: Set[str]


class ThemeAction:
    """An action: the fields it needs, its checks, its effects, its conflicts with cases, and its texts.

    The docstring of a subclass is the help of its command.

    Attributes:
        action: its name in the log.
        required_fields: fields of ``Edit`` that a person must give.
        optional_fields: other fields that a person may give.
        choice: field that a person chooses in a form, and the message if it is empty.
        effects: effects on every later run.
        verbs: how the texts of a proposal and of a decision begin.
        phrase: how they end, with the places {theme}, {other}, {cases}, {name}, {undoes}, {run} and {answers}.
        summary: text with ids; without it, the text of a proposal.
        confirmation: what a page says afterwards; empty if no form submits the action.
        case_reason: reason for the theme of a case that the action moved.
    """

    action: ClassVar[EditAction]
    required_fields: ClassVar[tuple[str, ...]] = ("theme_id",)
    optional_fields: ClassVar[tuple[str, ...]] = ()
    choice: ClassVar[tuple[str, str] | None] = None
    effects: ClassVar[tuple[Effect, ...]] = ()
    verbs: ClassVar[tuple[str, str]]
    phrase: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    confirmation: ClassVar[str] = ""
    case_reason: ClassVar[str] = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of ``Edit`` that a person may give."""
        return (*self.required_fields, *self.optional_fields)

    def check(self, edit: Edit) -> None:
        """Check the fields of a new edit.

        Raises:
            UsageError
        """
        if "theme_id" in self.required_fields and edit.theme_id is None:
            raise UsageError(f"Name the theme to {self.action.value.replace('_', ' ')}.")
        if "case_ids" in self.required_fields and not edit.case_ids:
            raise UsageError("Name at least one case.", field="case_ids")

    def complete(self, edit: Edit, before: ThemesToEdit) -> Edit:  # noqa: ARG002 - for subclasses
        """Check a new edit against the themes, and add what the person leaves out.

        Raises:
            UsageError
        """
        return edit

    def target_id(self, edit: Edit) -> str:
        """Return the theme that the effects are about."""
        return edit.theme_id or ""

    def find_conflict(self, edit: Edit, evidence: CaseEvidence) -> EditConflict | None:  # noqa: ARG002 - for subclasses
        """Return the conflict of an active edit with strong evidence, if any."""
        return None

    def summarize(self, edit: Edit) -> str:
        """Return an edit in a few words, with ids and without case text."""
        text = _fill(self.summary or self.wording(edit, is_done=False), edit, {}, {})
        return f"propose to {text}" if edit.proposed else text

    def cite(self, edit: Edit) -> str:
        """Return number, summary, author and time of an edit, for error messages."""
        return f"decision {edit.seq} ({self.summarize(edit)}; {edit.by}, {edit.at:%Y-%m-%d %H:%M})"

    def describe(self, edit: Edit, names: Mapping[str, str], cases: Mapping[str, str]) -> str:
        """Describe an edit with names of themes and display ids of cases."""
        text = _fill(self.wording(edit, is_done=not edit.proposed), edit, names, cases)
        return f"proposed to {text}" if edit.proposed else text

    def wording(self, edit: Edit, *, is_done: bool) -> str:  # noqa: ARG002 - for subclasses
        """Return the text of a decision that is done, or of one to be made."""
        return f"{self.verbs[is_done]} {self.phrase}"


def _fill(wording: str, edit: Edit, names: Mapping[str, str], cases: Mapping[str, str]) -> str:
    def label(theme_id: str | None) -> str:
        return "no theme" if theme_id is None else f"“{names[theme_id]}”" if theme_id in names else theme_id

    listed = ", ".join(cases.get(id, id) for id in edit.case_ids[:MAX_LISTED_CASES])
    n_more = len(edit.case_ids) - MAX_LISTED_CASES
    return wording.format(
        theme=label(edit.theme_id),
        other=label(edit.other_theme_id),
        cases=f"{listed} and {n_more} more" if n_more > 0 else listed,
        name=edit.name,
        undoes=edit.undoes,
        run=edit.run_id,
        answers=edit.answers,
    )
