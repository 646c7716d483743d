"""`patternmind ingest`: import cases and recaps from files."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.cases import CaseKind, IngestReport
from patternmind.domain.permissions import Action
from patternmind.domain.wording import pluralize
from patternmind.errors import UsageError
from patternmind.services.file_import import import_files

MAX_REJECTED_SHOWN = 20
_NOUNS = {
    "card": ("card number", "card numbers"),
    "email": ("e-mail address", "e-mail addresses"),
    "iban": ("IBAN", "IBANs"),
    "id": ("ID number", "ID numbers"),
    "ip": ("IP address", "IP addresses"),
    "key": ("secret key", "secret keys"),
    "mac": ("MAC address", "MAC addresses"),
    "person": ("person", "people"),
    "phone": ("phone number", "phone numbers"),
}
"""Singular and plural of redacted kinds whose names need more than an s."""

app = typer.Typer()


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
    if as_kind not in list(CaseKind):
        raise UsageError(f'--as must be "case" or "recap", not "{as_kind}".')
    ctx = open_context(home)
    with output.show_progress() as progress:
        report = import_files(
            ctx.store, paths, kind=CaseKind(as_kind), mapping=mapping or (), dry_run=dry_run, progress=progress
        )
    if report.accepted and not dry_run:
        write_audit(ctx, Action.IMPORT_FILES, "ingest")
    message = _report_message(report, dry_run=dry_run)
    output.write_result({**asdict(report), "dry_run": dry_run}, message, as_json=json)
    n_new = 0 if dry_run or json else report.accepted - report.updated
    if n_new and ctx.store.runs.latest() is not None:
        output.write_text(
            f"{pluralize(n_new, f'new {as_kind}')}: `patternmind place` shows where they belong, "
            "`patternmind run` adds them to the themes.\n"
        )
    if (report.accepted == 0 and report.unchanged == 0) or (strict and report.rejected):
        raise typer.Exit(1)


def _report_message(report: IngestReport, *, dry_run: bool) -> str:
    verb = "Would import" if dry_run else "Imported"
    counts = f"{report.updated} updated, {pluralize(report.duplicates, 'duplicate text')}"
    rest = f"{report.unchanged} unchanged, {len(report.rejected)} rejected"
    lines = [f"{verb} {report.accepted} ({counts}), {rest}."]
    if report.redacted:
        redacted = [_count_redacted(n, kind) for kind, n in sorted(report.redacted.items())]
        lines.append(f"Redacted: {', '.join(redacted)}.")
    if report.suspicious:
        rows = pluralize(report.suspicious, "row")
        lines.append(f"Suspicious: {rows}. `patternmind cases list --suspicious` shows the reasons.")
    lines += [f"  {row.file}, row {row.row}: {'; '.join(row.errors)}" for row in report.rejected[:MAX_REJECTED_SHOWN]]
    if len(report.rejected) > MAX_REJECTED_SHOWN:
        lines.append(f"  and {len(report.rejected) - MAX_REJECTED_SHOWN} more; --json lists all of them.")
    if report.rejected and not report.accepted and not report.unchanged:
        lines.append("If a column was not recognised, name its field with --map FIELD=COLUMN.")
    return "\n".join(lines)


def _count_redacted(n: int, kind: str) -> str:
    singular, plural = _NOUNS.get(kind, (kind, f"{kind}s"))
    return f"{n} {singular if n == 1 else plural}"
