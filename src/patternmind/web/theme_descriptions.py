"""Theme edits and lineage as sentences with the names of themes and cases."""

from collections.abc import Mapping

from patternmind.domain.edits import Edit, EditAction
from patternmind.domain.themes import Lineage
from patternmind.errors import ContradictoryEdit

LENS_LABELS: Mapping[str, str] = {"all": "Whole case", "problem": "By problem", "helped": "By what helped"}

LINEAGE_LABELS: Mapping[Lineage, str] = {
    Lineage.NEW: "new in the last run",
    Lineage.CONTINUED: "continued unchanged",
    Lineage.GREW: "has clearly more cases than before",
    Lineage.SHRANK: "has clearly fewer cases than before",
    Lineage.SPLIT: "a part became another theme",
    Lineage.MERGED: "absorbed another theme",
    Lineage.DORMANT: "no new case in the last two labelled runs",
    Lineage.RETURNED: "returned after being dormant",
    Lineage.RETIRED: "retired by a person",
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
    EditAction.OWN: "became the owner of {theme}",
    EditAction.UNDO: "undid decision {undoes}",
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
    EditAction.OWN: "become the owner of {theme}",
    EditAction.UNDO: "undo decision {undoes}",
}

CONFIRMATIONS: Mapping[EditAction, str] = {
    EditAction.RENAME: "Renamed. Later runs keep the name.",
    EditAction.MERGE: "Merged: the other theme's cases are here now.",
    EditAction.MOVE_OUT: "Moved out. Each case went to the next-best theme, or to none.",
    EditAction.MOVE_IN: "Moved in. Later runs keep the cases here.",
    EditAction.SPLIT_OFF: "Split off. This is the new theme.",
    EditAction.TOGETHER: "Kept together from now on.",
    EditAction.APART: "Kept apart from now on.",
    EditAction.PIN: "Pinned. Later runs keep these cases here.",
    EditAction.LOCK: "Locked. It keeps its name and its cases; new ones may still join.",
    EditAction.RETIRE: "Retired. The theme keeps its cases; no patterns are drafted from it.",
    EditAction.OWN: "You are now the owner of this theme.",
    EditAction.UNDO: "Undone. The themes are as they would be without that decision.",
}

PROPOSAL_CONFIRMATION = "Proposed. A facilitator or a steward decides."

MAX_LISTED_CASES = 3


def describe_edit(edit: Edit, names: Mapping[str, str], cases: Mapping[str, str]) -> str:
    """Describe a decision or proposal, without its author and date.

    Args:
        edit: the decision or proposal.
        names: theme names by id.
        cases: display ids of cases by id.
    """
    if edit.action in {EditAction.ACCEPT, EditAction.DECLINE}:
        verb = "accepted" if edit.action is EditAction.ACCEPT else "declined"
        if edit.run_id:
            return f"{verb} the change of {_theme_label(edit.theme_id, names)} in {edit.run_id}"
        return f"{verb} proposal or conflict {edit.answers}"
    wording = (_PROPOSED_TEXTS if edit.proposed else _DECIDED_TEXTS)[edit.action]
    listed = ", ".join(cases.get(id, id) for id in edit.case_ids[:MAX_LISTED_CASES])
    n_more = len(edit.case_ids) - MAX_LISTED_CASES
    return ("proposed to " if edit.proposed else "") + wording.format(
        theme=_theme_label(edit.theme_id, names),
        other=_theme_label(edit.other_theme_id, names),
        cases=f"{listed} and {n_more} more" if n_more > 0 else listed,
        name=edit.name,
        undoes=edit.undoes,
    )


def _theme_label(theme_id: str | None, names: Mapping[str, str]) -> str:
    if theme_id is None:
        return "no theme"
    return f"“{names[theme_id]}”" if theme_id in names else theme_id


def describe_contradiction(error: ContradictoryEdit, request_text: str, log: Mapping[int, str]) -> str:
    """Describe a contradictory edit and the earlier decisions it contradicts.

    Args:
        error: names the earlier decisions.
        request_text: the new edit, such as "to keep C-1, C-2 apart".
        log: descriptions of the active decisions, by number.
    """
    earlier = " and ".join(f"decision {number} ({log[number]})" for number in error.edit_numbers if number in log)
    return (
        f"{request_text[:1].upper()}{request_text[1:]} contradicts {earlier}. "
        "Undo that decision first, or cancel. Nothing was changed."
    )
