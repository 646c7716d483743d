"""`patternmind doctor`: check the installation."""

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.cli.remedies import add_remedy
from patternmind.diagnostics import run_checks

app = typer.Typer()


@app.command()
def doctor(home: HomeOption = None, json: JsonOption = False) -> None:
    """Check the data folder, encoder, index and model gateway; exit 1 if something needs attention."""
    rows = [
        {"what": result.what, "ok": result.ok, "says": add_remedy(result.says, result.code)}
        for result in run_checks(open_context(home))
    ]
    lines = [f"{'ok' if row['ok'] else 'ATTENTION':<10} {row['what']}: {row['says']}" for row in rows]
    output.write_result(rows, "\n".join(lines), as_json=json)
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)
