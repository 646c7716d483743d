"""`patternmind runs`: list runs, their model calls and their costs."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from patternmind.cli import output
from patternmind.cli.context import open_context
from patternmind.cli.options import HomeOption, JsonOption
from patternmind.domain.calls import Call
from patternmind.errors import UsageError
from patternmind.services.llm_costs import RunCost, call_row, cost_row, list_calls, list_run_costs

app = typer.Typer()


@app.command()
def runs(
    calls: Annotated[
        bool, typer.Option("--calls", help="List model calls, by default those of the newest run.")
    ] = False,
    run: Annotated[
        str | None, typer.Option(help='With --calls: only this run; "none" = calls outside any run.')
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List runs and their model costs, or the calls of one run (never their text)."""
    if run is not None and not calls:
        raise UsageError("Use --run together with --calls.")
    store = open_context(home).store
    if calls:
        model_calls = list_calls(store, run)
        output.write_json([call_row(call) for call in model_calls]) if json else _write_calls(model_calls)
        return
    costs = list_run_costs(store)
    output.write_json([cost_row(cost) for cost in costs]) if json else _write_costs(costs)


def _write_costs(costs: Sequence[RunCost]) -> None:
    if not costs:
        output.write_text(output.NO_RUN_MESSAGE + "\n")
        return
    table = _make_table("run", "", "calls", "from cache", "requests", "failed", "tokens", "USD")
    for cost in costs:
        totals, run = cost.totals, cost.run
        table.add_row(
            run.id if run else "no run",
            f"{run.state}, {run.started_at:%Y-%m-%d %H:%M}" if run else "",
            *(str(n) for n in (totals.n_calls, totals.n_cached, totals.n_requests, totals.n_failed)),
            str(totals.n_tokens_in + totals.n_tokens_out),
            f"{totals.cost_usd:.4f}",
        )
    output.write_table(table)


def _write_calls(calls: Sequence[Call]) -> None:
    if not calls:
        output.write_text("No model calls.\n")
        return
    table = _make_table("task", "model", "outcome", "requests", "in", "out", "USD", "seconds")
    for call in calls:
        numbers = (call.n_attempts, call.n_tokens_in, call.n_tokens_out)
        money = f"{call.cost_usd + call.reserved_usd:.6f}"
        table.add_row(call.task, call.model, call.outcome.value, *map(str, numbers), money, f"{call.seconds:.1f}")
    output.write_table(table)


def _make_table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for position, name in enumerate(columns):
        table.add_column(name, justify="left" if position < 2 else "right", no_wrap=True)
    return table
