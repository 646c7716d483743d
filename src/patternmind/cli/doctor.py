"""`patternmind doctor`: check the installation."""

from dataclasses import asdict

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.diagnostics import run_checks

app = typer.Typer()


@app.command()
def doctor(home: HomeOption = None, json: JsonOption = False) -> None:
    """Check the data folder, encoder, index and model gateway; exit 1 if something needs attention."""
    results = run_checks(open_context(home))
    lines = [f"{'ok' if result.ok else 'ATTENTION':<10} {result.what}: {result.says}" for result in results]
    output.write_result([asdict(result) for result in results], "\n".join(lines), as_json=json)
    if any(not result.ok for result in results):
        raise typer.Exit(1)
