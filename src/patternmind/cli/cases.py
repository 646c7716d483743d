"""`patternmind cases`: list and show imported cases, with notes on suspicious ones."""

from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context
from patternmind.cli.options import CaseArgument, HomeOption, JsonOption
from patternmind.domain.cases import Case

app = typer.Typer(name="cases", no_args_is_help=True)


@app.command("list")
def list_cases(
    suspicious: Annotated[bool, typer.Option("--suspicious", help="Only cases with a suspicious note.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List every case with its title and notes."""
    cases = [case for case in open_context(home).store.cases.list_all() if not suspicious or case.suspicions]
    lines = [f"{case.external_id or case.id}  {case.title}{_flags_suffix(case)}" for case in cases]
    no_cases = "No suspicious cases." if suspicious else "No cases yet. Import some with `patternmind ingest`."
    output.write_result([_case_row(case) for case in cases], "\n".join(lines) or no_cases, as_json=json)


@app.command("show")
def show_case(case: CaseArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show a case as redacted, with its notes."""
    stored = open_context(home).store.cases.get(case)
    lines = [f"{stored.external_id or stored.id}  [{stored.kind.value}, {stored.id}]{_flags_suffix(stored)}", ""]
    lines += [f"{name.replace('_', ' ')}:\n  {text}" for name, text in stored.text.items()]
    output.write_result(_case_row(stored), "\n".join(lines), as_json=json)


def _flags_suffix(case: Case) -> str:
    return f"  ({'; '.join(case.flags)})" if case.flags else ""


def _case_row(case: Case) -> dict[str, object]:
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
