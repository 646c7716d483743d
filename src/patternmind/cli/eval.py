"""`patternmind eval`: measure quality against the baselines."""

from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.options import JsonOption
from patternmind.cli.output_files import write_file
from patternmind.errors import GateFailed
from patternmind.evals.suites import run_suite

app = typer.Typer()


@app.command("eval")
def evaluate(
    suite: Annotated[str, typer.Option(help="Suite to run: ci or full.")] = "ci",
    corpora: Annotated[Path | None, typer.Option(help="Folder with real corpora.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Also write JUnit XML to this file.")] = None,
    json: JsonOption = False,
) -> None:
    """Measure quality against the baselines; exit 3 if a figure falls below its gate."""
    with output.show_progress() as progress:
        report = run_suite(suite, corpora=corpora, progress=progress)
    if junit is not None:
        write_file(junit, report.to_junit())
    output.write_json(report.to_dict()) if json else output.write_table(report.to_table())
    if report.failed_results:
        raise GateFailed(f"{len(report.failed_results)} of {len(report.results)} figures fell below their gates.")
