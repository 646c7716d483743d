"""`patternmind raw`: show a case as it was submitted."""

from dataclasses import asdict

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import CaseArgument, HomeOption, JsonOption
from patternmind.domain.permissions import Action

app = typer.Typer()


@app.command()
def raw(case: CaseArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show a case as submitted, names included. Stewards only. Needs the encryption key if you set one."""
    ctx = open_context(home)
    case_id = ctx.store.cases.get(case).id
    submission = ctx.store.submissions.get(case_id)
    write_audit(ctx, Action.SEE_RAW_TEXT, "read_raw", "case", case_id)
    values = {**submission.text, **submission.facts, **submission.extra}
    message = "\n".join(f"{name}: {value}" for name, value in values.items())
    output.write_result(asdict(submission), message, as_json=json)
