"""`patternmind cases`: what was taken in, and what is odd about it."""

from typing import TYPE_CHECKING, Annotated

import typer

from patternmind.cli import output
from patternmind.cli.app import (
    HomeOption,
    JsonOption,
    app,
    open_context,
)

if TYPE_CHECKING:
    from patternmind.domain.cases import Case

cases_app = typer.Typer(no_args_is_help=True, help="Cases and recaps as redacted, and what is odd about some.")
app.add_typer(cases_app, name="cases")


@cases_app.command("list")
def list_cases(
    suspicious: Annotated[bool, typer.Option("--suspicious", help="Only those with a suspicious note.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Every case with its title and its notes."""
    from patternmind.domain.cases import SUSPICIOUS_FLAG_PREFIX

    found = [
        case
        for case in open_context(home).store.cases()
        if not suspicious or any(flag.startswith(SUSPICIOUS_FLAG_PREFIX) for flag in case.flags)
    ]
    if json:
        output.write_json([_case_row(case) for case in found])
    elif not found:
        output.write_text(
            "No case is suspicious.\n" if suspicious else "No cases yet. `patternmind ingest` takes them in.\n"
        )
    else:
        output.write_text(
            "".join(f"{case.external_id or case.id}  {case.title}{_flags_suffix(case)}\n" for case in found)
        )


@cases_app.command("show")
def show_case(case: str, home: HomeOption = None, json: JsonOption = False) -> None:
    """One case as redacted, by its id or yours, with its notes."""
    found = open_context(home).store.case(case)
    if json:
        output.write_json(_case_row(found))
        return
    lines = [f"{found.external_id or found.id}  [{found.kind.value}, {found.id}]{_flags_suffix(found)}", ""]
    lines += [f"{name.replace('_', ' ')}:\n  {text}" for name, text in found.text.items()]
    output.write_text("\n".join(lines) + "\n")


def _flags_suffix(case: "Case") -> str:
    return f"  ({'; '.join(case.flags)})" if case.flags else ""


def _case_row(case: "Case") -> dict[str, object]:
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
