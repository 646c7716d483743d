"""`patternmind export`: rows for other tools, as JSON Lines or CSV."""

from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context
from patternmind.cli.options import HomeOption
from patternmind.cli.output_files import format_rows, write_file
from patternmind.services.exports import export_rows

app = typer.Typer()


@app.command()
def export(
    what: Annotated[str, typer.Argument(help="Rows to export: assignments, map, cases, themes, drafts or patterns.")],
    format: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    lens: Annotated[
        str | None, typer.Option(help="For assignments, map and themes: use another lens than the last run.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of stdout.")] = None,
    home: HomeOption = None,
) -> None:
    """Export rows for other tools; respects consent and publishing limits."""
    text = format_rows(export_rows(open_context(home).store, what, lens=lens), format)
    if out is None:
        output.write_exact(text)
    else:
        write_file(out, text)
        output.write_status(f"Wrote {out}")
