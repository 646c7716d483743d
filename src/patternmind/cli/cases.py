"""`patternmind cases`: what was taken in, and what is odd about it."""

from typing import TYPE_CHECKING, Annotated

import typer

from patternmind.cli import show
from patternmind.cli.app import Home, Json, app, open_house

if TYPE_CHECKING:
    from patternmind.model.cases import Case

cases_app = typer.Typer(no_args_is_help=True, help="Cases and recaps as redacted, and what is odd about some.")
app.add_typer(cases_app, name="cases")


@cases_app.command("list")
def list_cases(
    suspicious: Annotated[bool, typer.Option("--suspicious", help="Only those with a suspicious note.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Every case with its title and its notes."""
    from patternmind.model.cases import SUSPICIOUS

    found = [
        case
        for case in open_house(home).store.cases()
        if not suspicious or any(flag.startswith(SUSPICIOUS) for flag in case.flags)
    ]
    if json:
        show.json_line([_row(case) for case in found])
    elif not found:
        show.raw("No case is suspicious.\n" if suspicious else "No cases yet. `patternmind ingest` takes them in.\n")
    else:
        show.raw("".join(f"{case.external_id or case.id}  {case.title}{_notes(case)}\n" for case in found))


@cases_app.command("show")
def show_case(case: str, home: Home = None, json: Json = False) -> None:
    """One case as redacted, by its id or yours, with its notes."""
    found = open_house(home).store.case(case)
    if json:
        show.json_line(_row(found))
        return
    lines = [f"{found.external_id or found.id}  [{found.kind.value}, {found.id}]{_notes(found)}", ""]
    lines += [f"{name.replace('_', ' ')}:\n  {text}" for name, text in found.text.items()]
    show.raw("\n".join(lines) + "\n")


def _notes(case: "Case") -> str:
    return f"  ({'; '.join(case.flags)})" if case.flags else ""


def _row(case: "Case") -> dict[str, object]:
    return {
        "case_id": case.id,
        "external_id": case.external_id,
        "kind": case.kind.value,
        "title": case.title,
        "text": dict(case.text),
        "date": case.date.isoformat() if case.date else None,
        "team": case.team,
        "flags": list(case.flags),
        "near_duplicate_of": case.duplicate_of,
    }
