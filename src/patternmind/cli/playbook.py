"""`patternmind playbook`: write the playbook of accepted patterns."""

from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.root import HomeOption, JsonOption, app, open_context


@app.command()
def playbook(
    out: Annotated[
        Path | None, typer.Option(help="Output file: .md, .html, .pdf or .docx. Without it: Markdown on stdout.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write the playbook: all accepted patterns that consent and the publishing limits allow."""
    from patternmind.cli.output_files import check_suffix, write_file
    from patternmind.services.playbook import build_playbook_document, collect_playbook

    check_suffix(out, (".md", ".html", ".pdf", ".docx"))
    ctx = open_context(home)
    selection = collect_playbook(ctx.store)
    document = build_playbook_document(ctx.store, selection, ctx.clock.now())
    if out is not None:
        write_file(out, document)
    output.write_playbook(selection, document if out is None else None, out, as_json=json)
