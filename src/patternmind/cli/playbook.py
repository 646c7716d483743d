"""`patternmind playbook`: write the playbook of accepted patterns."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.cli.output_files import check_suffix, write_file
from patternmind.domain.wording import pluralize
from patternmind.services.playbook import build_playbook_document, collect_playbook

app = typer.Typer()


@app.command()
def playbook(
    out: Annotated[
        Path | None, typer.Option(help="Output file: .md, .html, .pdf or .docx. Without it: Markdown on stdout.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write the playbook: all accepted patterns that consent and the publishing limits allow."""
    check_suffix(out, (".md", ".html", ".pdf", ".docx"))
    ctx = open_context(home)
    selection = collect_playbook(ctx.store)
    document = build_playbook_document(ctx.store, selection, ctx.clock.now())
    if out is not None:
        write_file(out, document)
    n_published, withheld = len(selection.published), selection.withheld
    if json:
        patterns = [asdict(pattern) for pattern in withheld]
        output.write_json({"patterns": n_published, "withheld": patterns, "out": str(out) if out else None})
        return
    if out is None:
        output.write_document(document)
    place = f" written to {out}" if out else ""
    output.write_status(f"{pluralize(n_published, 'pattern')}{place}, {len(withheld)} withheld.")
    for pattern in withheld:
        output.write_status(f"  {pattern.name}: {pattern.reason}")
