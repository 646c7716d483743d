"""`patternmind doctor`: check the installation."""

import typer

from patternmind.cli import output
from patternmind.cli.root import HomeOption, JsonOption, app, open_context


@app.command()
def doctor(home: HomeOption = None, json: JsonOption = False) -> None:
    """Check the data folder, encoder, index and model gateway; exit 1 if something needs attention."""
    from patternmind.diagnostics import run_checks

    results = run_checks(open_context(home))
    output.write_check_results(results, as_json=json)
    if any(not result.ok for result in results):
        raise typer.Exit(1)
