"""`patternmind run`: group all cases into themes and draft patterns."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context, write_audit
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.calls import CallTotals, sum_calls
from patternmind.domain.permissions import Action
from patternmind.domain.wording import pluralize
from patternmind.ports import RunParameters, RunRecord
from patternmind.services.llm_costs import totals_row
from patternmind.services.validation import validate_run_parameters

app = typer.Typer()


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
    calls = sum_calls(ctx.store.calls.list_all(record.id))
    output.write_result(_run_row(record, calls), _run_message(record, calls), as_json=json)


def _run_row(record: RunRecord, calls: CallTotals) -> dict[str, Any]:
    return {
        "run_id": record.id,
        "label": record.parameters.label,
        "lens": record.parameters.lens,
        "cases": record.n_cases,
        "themes": record.n_themes,
        "outliers": record.n_outliers,
        "drafts": record.n_drafts,
        "seconds": dict(record.seconds),
        "notes": list(record.notes),
        "proposals": [asdict(conflict) for conflict in record.conflicts],
        "calls": totals_row(calls),
    }


def _run_message(record: RunRecord, calls: CallTotals) -> str:
    seconds = sum(record.seconds.values())
    counts = (
        f"{record.id}: {pluralize(record.n_cases, 'case')} in {pluralize(record.n_themes, 'theme')}, "
        f"{record.n_outliers} not in a theme yet, {pluralize(record.n_drafts, 'candidate pattern')} ({seconds:.1f} s)."
    )
    lines = [counts, *record.notes]
    lines += [f"The cases contradict a decision. {conflict.text}" for conflict in record.conflicts]
    if calls.n_calls:
        requests = pluralize(calls.n_requests, "request")
        lines.append(
            f"{pluralize(calls.n_calls, 'model call')}: {calls.n_cached} from the cache, {calls.n_failed} failed, "
            f"{requests}, {calls.cost_usd:.4f} USD. `patternmind runs --calls` lists them."
        )
    if record.n_themes:
        lines.append("Next: `patternmind themes`, `patternmind review list`, `patternmind prereading --topic ...`")
    return "\n".join(lines)
