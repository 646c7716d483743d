"""`patternmind search`: find cases, recaps and patterns by meaning."""

from dataclasses import asdict
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.errors import UsageError
from patternmind.services.search import search as search_store
from patternmind.services.validation import require_search_text

app = typer.Typer()


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="Text to search for, in your own words.")],
    kind: Annotated[str | None, typer.Option(help="Only this kind: case, recap or pattern.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Number of results.")] = 10,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Find the cases, recaps and accepted patterns that are most similar in meaning."""
    if kind not in (None, "case", "recap", "pattern"):
        raise UsageError(f'--kind must be case, recap or pattern, not "{kind}".')
    require_search_text(text)
    ctx = open_context(home)
    with output.show_progress() as progress, ctx.open_index(progress=progress) as index:
        results = search_store(ctx.store, ctx.encoder, index, text, kind=kind, k=k)
    lines = [f"{hit.score:.2f}  {hit.kind}  {hit.external_id or hit.id}\n      {hit.snippet}" for hit in results]
    message = "\n".join(lines) or "No results: there are no cases yet. Import some with `patternmind ingest`."
    output.write_result([asdict(hit) for hit in results], message, as_json=json)
