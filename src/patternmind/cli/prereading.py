"""`patternmind prereading`: prepare a session on a theme, a topic or a case."""

from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.cli.output_files import check_suffix, write_file
from patternmind.domain.permissions import Action
from patternmind.errors import UsageError
from patternmind.services import prereading_builder
from patternmind.services.playbook import prepared_document, prepared_row
from patternmind.services.validation import require_search_text

app = typer.Typer()


@app.command()
def prereading(
    theme: Annotated[str | None, typer.Option(help="Theme id.")] = None,
    topic: Annotated[str | None, typer.Option(help="Topic of the session, in your own words.")] = None,
    case: Annotated[str | None, typer.Option(help="Case id or external id.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Output file: .md, .html, .pdf, .docx or .json. Without it: Markdown on stdout.")
    ] = None,
    session: Annotated[str, typer.Option(help="Name of the session.")] = "",
    date: Annotated[str, typer.Option(help="Date of the session.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write two pages for a session: the case in its own words, its theme, voices, what helped, open questions."""
    if sum(choice is not None for choice in (theme, topic, case)) != 1:
        raise UsageError("Give exactly one of --theme ID, --topic TEXT or --case ID.")
    check_suffix(out, (".md", ".html", ".pdf", ".docx", ".json"))
    ctx = open_context(home)
    store = ctx.store
    if theme is not None:
        subject = prereading_builder.subject_from_theme(store, theme)
    elif case is not None:
        subject = prereading_builder.subject_from_case(store, case)
    else:
        require_search_text(topic or "")
        with output.show_progress() as progress, ctx.open_index(progress=progress) as index:
            subject = prereading_builder.subject_from_topic(store, ctx.encoder, index, topic or "")
    prepared = prereading_builder.build_prereading(
        store, ctx.clock, subject, topic=topic or "", session=session, date=date, llm=ctx.llm
    )
    write_audit(ctx, Action.REQUEST_PREREADING, "prereading", "prereading", prepared.grounded.draft.id)
    for note in prepared.notes:
        output.write_status(note)
    if prepared.notes:
        output.write_status(f"To see the draft, run `patternmind review show {prepared.grounded.draft.id}`.")
    row = prepared_row(prepared)
    if out is not None:
        write_file(out, row if out.suffix == ".json" else prepared_document(prepared, store.network.get()))
    if json:
        output.write_json(row)
    elif out is None:
        output.write_document(prepared_document(prepared, store.network.get()))
    else:
        output.write_status(f"Wrote {out}")
