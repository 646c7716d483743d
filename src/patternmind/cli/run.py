"""`patternmind run`: group all cases into themes and draft patterns."""

from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.audit import write_audit
from patternmind.cli.root import HomeOption, JsonOption, app, open_context


@app.command()
def run(
    label: Annotated[str, typer.Option(help="Period, such as 2026Q4.")] = "",
    lens: Annotated[str, typer.Option(help="Part of a case to compare: all, problem or helped.")] = "all",
    level: Annotated[str, typer.Option(help="Level of the groups: theme or area.")] = "theme",
    engine: Annotated[str, typer.Option(help="Clustering engine: graph or hdbscan.")] = "graph",
    seed: Annotated[int, typer.Option(help="Random seed. The same cases and seed give the same themes.")] = 0,
    since: Annotated[str | None, typer.Option(help="Only cases dated on or after this ISO date.")] = None,
    no_draft: Annotated[bool, typer.Option("--no-draft", help="Find themes but draft no patterns.")] = False,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Recompute from scratch instead of updating the last run.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Group all cases into themes, keep existing themes where they still fit, and draft patterns."""
    from patternmind.domain.calls import sum_calls
    from patternmind.domain.permissions import Action
    from patternmind.ports import RunParameters
    from patternmind.services.validation import validate_run_parameters

    parameters = RunParameters(
        label=label,
        lens=lens,
        level=level,
        engine=engine,
        seed=seed,
        since=since,
        draft=not no_draft,
        from_scratch=from_scratch,
    )
    validate_run_parameters(parameters)
    ctx = open_context(home)
    with output.show_progress() as progress:
        record = ctx.run(parameters, progress=progress)
    write_audit(ctx, Action.START_RUN, "run", "run", record.id)
    output.write_run(record, sum_calls(ctx.store.calls.list_all(record.id)), as_json=json)
