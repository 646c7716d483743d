"""`patternmind ingest`: import cases and recaps from files."""

from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.audit import write_audit
from patternmind.cli.root import HomeOption, JsonOption, app, open_context
from patternmind.domain.wording import pluralize
from patternmind.errors import UsageError


@app.command()
def ingest(
    paths: Annotated[
        list[Path], typer.Argument(help="CSV, XLSX, JSON, JSON Lines, Markdown or text files; .gz works too.")
    ],
    as_kind: Annotated[str, typer.Option("--as", help="What the rows are: case or recap.")] = "case",
    mapping: Annotated[list[str] | None, typer.Option("--map", help="FIELD=COLUMN; repeat for more columns.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if any row is rejected.")] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Import cases or recaps. Good rows are stored; each rejected row is listed with all its errors."""
    from patternmind.domain.cases import CaseKind
    from patternmind.domain.permissions import Action
    from patternmind.services.file_import import import_files

    if as_kind not in list(CaseKind):
        raise UsageError(f'--as must be "case" or "recap", not "{as_kind}".')
    ctx = open_context(home)
    with output.show_progress() as progress:
        report = import_files(
            ctx.store, paths, kind=CaseKind(as_kind), mapping=mapping or (), dry_run=dry_run, progress=progress
        )
    if report.accepted and not dry_run:
        write_audit(ctx, Action.IMPORT_FILES, "ingest")
    output.write_ingest_report(report, dry_run=dry_run, as_json=json)
    n_new = 0 if dry_run or json else report.accepted - report.updated
    if n_new and ctx.store.runs.latest() is not None:
        output.write_text(
            f"{pluralize(n_new, f'new {as_kind}')}: `patternmind place` shows where they belong, "
            "`patternmind run` adds them to the themes.\n"
        )
    if (report.accepted == 0 and report.unchanged == 0) or (strict and report.rejected):
        raise typer.Exit(1)
