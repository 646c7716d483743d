"""`patternmind cases`: list and show imported cases, with notes on suspicious ones."""

from typing import TYPE_CHECKING, Annotated

import typer

from patternmind.cli import output
from patternmind.cli.root import HomeOption, JsonOption, app, open_context

if TYPE_CHECKING:
    from patternmind.domain.cases import Case

cases_app = typer.Typer(no_args_is_help=True, help="Show cases and recaps as redacted, with notes on suspicious ones.")
app.add_typer(cases_app, name="cases")


@cases_app.command("list")
def list_cases(
    suspicious: Annotated[bool, typer.Option("--suspicious", help="Only cases with a suspicious note.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List every case with its title and notes."""
    cases = [case for case in open_context(home).store.cases.list_all() if not suspicious or case.suspicions]
    if json:
        output.write_json([_case_row(case) for case in cases])
    elif not cases:
        output.write_text(
            "No suspicious cases.\n" if suspicious else "No cases yet. Import some with `patternmind ingest`.\n"
        )
    else:
        output.write_text(
            "".join(f"{case.external_id or case.id}  {case.title}{_flags_suffix(case)}\n" for case in cases)
        )


@cases_app.command("show")
def show_case(
    case: Annotated[str, typer.Argument(help="Case id or external id.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show a case as redacted, with its notes."""
    stored = open_context(home).store.cases.get(case)
    if json:
        output.write_json(_case_row(stored))
        return
    lines = [f"{stored.external_id or stored.id}  [{stored.kind.value}, {stored.id}]{_flags_suffix(stored)}", ""]
    lines += [f"{name.replace('_', ' ')}:\n  {text}" for name, text in stored.text.items()]
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
