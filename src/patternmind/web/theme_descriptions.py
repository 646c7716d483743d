"""What people decided about themes, in words with the names of themes and cases in it."""

from collections.abc import Mapping

from patternmind.domain.edits import Edit, EditAction
from patternmind.domain.themes import Lineage
from patternmind.errors import ContradictoryEdit

LENS_LABELS: Mapping[str, str] = {"all": "Whole case", "problem": "By problem", "helped": "By what helped"}

LINEAGE_LABELS: Mapping[Lineage, str] = {
    Lineage.NEW: "new in the last run",
    Lineage.CONTINUED: "went on as before",
    Lineage.GREW: "has clearly more cases than before",
    Lineage.SHRANK: "has clearly fewer cases than before",
    Lineage.SPLIT: "a part became another theme",
    Lineage.MERGED: "took another theme in",
    Lineage.DORMANT: "no new case in the last two labelled runs",
    Lineage.RETURNED: "came back after a rest",
    Lineage.RETIRED: "put aside by a person",
}

_DECIDED_TEXTS: Mapping[EditAction, str] = {
    EditAction.RENAME: "renamed {theme} to “{name}”",
    EditAction.MERGE: "merged {theme} into {other}",
    EditAction.MOVE_OUT: "moved {cases} out of {theme}",
    EditAction.MOVE_IN: "moved {cases} into {theme}",
    EditAction.SPLIT_OFF: "split {cases} off from {theme} as {other}",
    EditAction.TOGETHER: "kept {cases} together",
    EditAction.APART: "kept {cases} apart",
    EditAction.PIN: "pinned {cases} to {theme}",
    EditAction.LOCK: "locked {theme} with its name and cases",
    EditAction.RETIRE: "retired {theme}",
    EditAction.OWN: "took {theme} on",
    EditAction.UNDO: "took decision {undoes} back",
}

_PROPOSED_TEXTS: Mapping[EditAction, str] = {
    EditAction.RENAME: "rename {theme} to “{name}”",
    EditAction.MERGE: "merge {theme} into {other}",
    EditAction.MOVE_OUT: "move {cases} out of {theme}",
    EditAction.MOVE_IN: "move {cases} into {theme}",
    EditAction.SPLIT_OFF: "split {cases} off from {theme}",
    EditAction.TOGETHER: "keep {cases} together",
    EditAction.APART: "keep {cases} apart",
    EditAction.PIN: "pin {cases} to {theme}",
    EditAction.LOCK: "lock {theme} with its name and cases",
    EditAction.RETIRE: "retire {theme}",
    EditAction.OWN: "take {theme} on",
    EditAction.UNDO: "take decision {undoes} back",
}

CONFIRMATIONS: Mapping[EditAction, str] = {
    EditAction.RENAME: "Renamed. Every later run keeps the name.",
    EditAction.MERGE: "Merged. This theme took the other in.",
    EditAction.MOVE_OUT: "Moved out. Each case went to the theme that is nearest now, or to none.",
    EditAction.MOVE_IN: "Moved in. It stays in every later run.",
    EditAction.SPLIT_OFF: "Split off. This is the new theme.",
    EditAction.TOGETHER: "Kept together from now on.",
    EditAction.APART: "Kept apart from now on.",
    EditAction.PIN: "Pinned. These cases stay here in every later run.",
    EditAction.LOCK: "Locked. It keeps its name and its cases; new ones may still join.",
    EditAction.RETIRE: "Retired. It keeps its cases, and nothing is drafted from it.",
    EditAction.OWN: "You look after this theme now.",
    EditAction.UNDO: "Taken back. The themes are what they would be without it.",
}

PROPOSAL_CONFIRMATION = "Proposed. A facilitator or a steward decides."

MAX_LISTED_CASES = 3


def describe_edit(edit: Edit, names: Mapping[str, str], cases: Mapping[str, str]) -> str:
    """What was decided, or proposed, without who and when.

    Args:
        names: theme name by id.
        cases: what people call a case, by id.
    """
    if edit.action in {EditAction.ACCEPT, EditAction.DECLINE}:
        verb = "accepted" if edit.action is EditAction.ACCEPT else "declined"
        if edit.run_id:
            return f"{verb} what {edit.run_id} made of {_theme_label(edit.theme_id, names)}"
        return f"{verb} proposal or doubt {edit.answers}"
    wording = (_PROPOSED_TEXTS if edit.proposed else _DECIDED_TEXTS)[edit.action]
    told = ", ".join(cases.get(id, id) for id in edit.case_ids[:MAX_LISTED_CASES])
    left = len(edit.case_ids) - MAX_LISTED_CASES
    return ("proposed to " if edit.proposed else "") + wording.format(
        theme=_theme_label(edit.theme_id, names),
        other=_theme_label(edit.other_theme_id, names),
        cases=f"{told} and {left} more" if left > 0 else told,
        name=edit.name,
        undoes=edit.undoes,
    )


def _theme_label(theme_id: str | None, names: Mapping[str, str]) -> str:
    if theme_id is None:
        return "no theme"
    return f"“{names[theme_id]}”" if theme_id in names else theme_id


def describe_contradiction(error: ContradictoryEdit, request_text: str, log: Mapping[int, str]) -> str:
    """Both decisions, for somebody at a page: what they wanted, and what stands against it.

    Args:
        wish: such as "to keep C-1, C-2 apart".
        log: the standing decisions in words, by number.
    """
    named = " and ".join(f"decision {number} ({log[number]})" for number in error.edit_numbers if number in log)
    return f"{request_text[:1].upper()}{request_text[1:]} contradicts {named}. Take that back first, or leave it. Nothing was changed."
