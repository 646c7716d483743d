"""`patternmind index`: rebuild or verify the search index."""

import typer

from patternmind.cli import output
from patternmind.cli.root import HomeOption, JsonOption, app, open_context
from patternmind.domain.wording import pluralize

index_app = typer.Typer(no_args_is_help=True, help="Rebuild or verify the search index.")
app.add_typer(index_app, name="index")


@index_app.command("rebuild")
def index_rebuild(home: HomeOption = None, json: JsonOption = False) -> None:
    """Rebuild the search index from the stored vectors."""
    from contextlib import closing

    from patternmind.services.search import embed_all_cases

    ctx = open_context(home)
    with output.show_progress() as progress, closing(ctx.chroma_index()) as index:
        ids, vectors = embed_all_cases(ctx.store, ctx.encoder, progress=progress)
        index.rebuild(ids, vectors)
    output.write_result({"rows": len(ids)}, f"The index has {pluralize(len(ids), 'row')}.", as_json=json)


@index_app.command("verify")
def index_verify(home: HomeOption = None, json: JsonOption = False) -> None:
    """Compare the search index with the stored vectors; exit 1 if they differ."""
    from contextlib import closing

    from patternmind.services.search import embed_all_cases

    ctx = open_context(home)
    with output.show_progress() as progress, closing(ctx.chroma_index()) as index:
        check = index.verify(*embed_all_cases(ctx.store, ctx.encoder, progress=progress))
    output.write_index_check(check, as_json=json)
    if not check.is_ok:
        raise typer.Exit(1)
