"""What the commands about themes print: a decision, the log of them, and what a run changed."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from patternmind.cli.show import json_line, raw

if TYPE_CHECKING:
    from patternmind.model.edits import Edit, Proposal
    from patternmind.model.themes import Theme, ThemeChange
    from patternmind.ports import RunRecord
    from patternmind.verbs.editing import Decided, LoggedEdit


def edit_row(edit: "Edit") -> dict[str, Any]:
    """A decision as ``--json`` shows it; what does not belong to its action is left out."""
    told = {**asdict(edit), "action": edit.action.value, "at": edit.at.isoformat(), "what": edit.what()}
    return {name: value for name, value in told.items() if value is not False and value not in ("", None, ())}


def show_decided(decided: "Decided", *, as_json: bool) -> None:
    edit = decided.edit
    if as_json:
        json_line({**edit_row(edit), "proposals": [asdict(one) for one in decided.proposals]})
        return
    told = edit.told().removeprefix("decision ")
    stands = f"It stands in every later run; `patternmind themes undo {edit.seq}` takes it back."
    lines = [f"Decision {told}. {stands if edit.undoes is None else 'The themes are what they would be without it.'}"]
    raw("\n".join([*lines, *_disagreeing(decided.proposals)]) + "\n")


def _disagreeing(proposals: "Sequence[Proposal]") -> list[str]:
    return [f"The cases disagree. {one.text}" for one in proposals]


def show_log(found: "Sequence[LoggedEdit]", *, as_json: bool) -> None:
    if as_json:
        json_line([{**edit_row(one.edit), "undone_by": one.undone_by} for one in found])
        return
    if not found:
        raw("Nobody has decided anything about themes yet.\n")
        return
    raw("".join(f"{_log_line(one)}\n" for one in found))


def _log_line(one: "LoggedEdit") -> str:
    edit = one.edit
    back = f"  (taken back by decision {one.undone_by})" if one.undone_by else ""
    note = f"  {edit.note}" if edit.note else ""
    return f"{edit.seq:>4}  {edit.at:%Y-%m-%d %H:%M}  {edit.by}: {edit.what()}  [{edit.lens}]{note}{back}"


def show_changes(
    run: "RunRecord | None", changes: "Sequence[ThemeChange]", themes: "Sequence[Theme]", *, as_json: bool
) -> None:
    """Every change of a run with all its evidence, and the decisions that its cases speak against."""
    if run is None:
        json_line({}) if as_json else raw("There has been no run yet. Start one with `patternmind run`.\n")
        return
    if as_json:
        rows = [asdict(change) for change in changes]
        json_line({"run_id": run.id, "changes": rows, "proposals": [asdict(one) for one in run.proposals]})
        return
    from patternmind.carry import explain

    names = {theme.id: theme.name for theme in themes}
    news = [one for one in changes if one.is_news]
    told = [f"{one.theme_id}  {one.lineage.value:<9}  {_name(one, names)}\n    {explain(one, names)}" for one in news]
    raw("\n".join([f"{run.id}:", *(told or ["no theme"]), *_disagreeing(run.proposals)]) + "\n")


def _name(change: "ThemeChange", names: dict[str, str]) -> str:
    return names.get(change.theme_id, "")
