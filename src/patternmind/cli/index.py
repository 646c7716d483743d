"""`patternmind index`: rebuild or verify the search index."""

from contextlib import closing
from dataclasses import asdict

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.wording import pluralize
from patternmind.services.search import embed_all_cases

app = typer.Typer(name="index", no_args_is_help=True)


@app.command("rebuild")
def index_rebuild(home: HomeOption = None, json: JsonOption = False) -> None:
    """Rebuild the search index from the stored vectors."""
    ctx = open_context(home)
    with output.show_progress() as progress, closing(ctx.chroma_index()) as index:
        ids, vectors = embed_all_cases(ctx.store, ctx.encoder, progress=progress)
        index.rebuild(ids, vectors)
    output.write_result({"rows": len(ids)}, f"The index has {pluralize(len(ids), 'row')}.", as_json=json)


@app.command("verify")
def index_verify(home: HomeOption = None, json: JsonOption = False) -> None:
    """Compare the search index with the stored vectors; exit 1 if they differ."""
    ctx = open_context(home)
    with output.show_progress() as progress, closing(ctx.chroma_index()) as index:
        check = index.verify(*embed_all_cases(ctx.store, ctx.encoder, progress=progress))
    if check.is_ok:
        message = f"The index matches the stored vectors ({pluralize(check.n_rows, 'row')})."
    else:
        message = (
            f"The index does not match the stored vectors: {len(check.missing)} missing, {len(check.extra)} extra and "
            f"{len(check.different)} different rows. Run `patternmind index rebuild`; search still works until then."
        )
    output.write_result({**asdict(check), "ok": check.is_ok}, message, as_json=json)
    if not check.is_ok:
        raise typer.Exit(1)
