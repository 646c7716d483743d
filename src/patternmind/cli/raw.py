"""`patternmind raw`: show a case as it was submitted."""

from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.audit import write_audit
from patternmind.cli.root import HomeOption, JsonOption, app, open_context


@app.command()
def raw(
    case: Annotated[str, typer.Argument(help="Case id or external id.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show a case as submitted, names included. Stewards only. Needs the encryption key if you set one."""
    from dataclasses import asdict

    from patternmind.domain.permissions import Action

    ctx = open_context(home)
    case_id = ctx.store.cases.get(case).id
    submission = ctx.store.submissions.get(case_id)
    write_audit(ctx, Action.SEE_RAW_TEXT, "read_raw", "case", case_id)
    if json:
        output.write_json(asdict(submission))
        return
    values = {**submission.text, **submission.facts, **submission.extra}
    output.write_text("".join(f"{name}: {value}\n" for name, value in values.items()))
