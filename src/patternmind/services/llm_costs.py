"""Calls to the language model and their cost: by run, by call, and in total."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from patternmind.domain.calls import Budget, Call, CallTotals, sum_calls
from patternmind.errors import NotFound
from patternmind.ports import RunRecord, Store

NO_RUN = "none"
"""Value that selects the calls outside any run, such as a check or a pre-reading."""


@dataclass(frozen=True, slots=True)
class RunCost:
    """A run and the totals of its calls; ``run`` is None for the calls outside any run."""

    run: RunRecord | None
    totals: CallTotals


def list_run_costs(store: Store) -> list[RunCost]:
    """List all runs with the totals of their calls, oldest first; calls outside any run come last."""
    by_run: dict[str, list[Call]] = {}
    for call in store.calls.list_all():
        by_run.setdefault(call.run_id, []).append(call)
    costs = [RunCost(run, sum_calls(by_run.get(run.id, ()))) for run in store.runs.list_all()]
    return [*costs, RunCost(None, sum_calls(by_run[""]))] if "" in by_run else costs


def list_calls(store: Store, run_id: str | None) -> list[Call]:
    """List the calls of a run; ``"none"`` selects those outside any run, None those of the newest run.

    Raises:
        NotFound
    """
    if run_id == NO_RUN:
        return store.calls.list_all("")
    runs = store.runs.list_all()
    if run_id is None:
        return store.calls.list_all(runs[-1].id) if runs else []
    if run_id not in {run.id for run in runs}:
        raise NotFound("run", run_id)
    return store.calls.list_all(run_id)


def get_spending(store: Store, now: datetime) -> Budget:
    """Return the spending of the network, in total and this month, reservations included."""
    calls = store.calls.list_all()
    this_month = now.astimezone(UTC).strftime("%Y-%m")
    month = [call for call in calls if call.month == this_month]
    return Budget(network_usd=_total_usd(calls), month_usd=_total_usd(month))


def cost_row(cost: RunCost) -> dict[str, Any]:
    run = cost.run
    about = {
        "run_id": run.id if run else None,
        "state": run.state if run else None,
        "label": run.parameters.label if run else None,
        "lens": run.parameters.lens if run else None,
        "started_at": run.started_at.isoformat() if run else None,
    }
    return {**about, **totals_row(cost.totals)}


def totals_row(totals: CallTotals) -> dict[str, Any]:
    return {
        "asked": totals.n_calls,
        "cached": totals.n_cached,
        "failed": totals.n_failed,
        "requests": totals.n_requests,
        "tokens_in": totals.n_tokens_in,
        "tokens_out": totals.n_tokens_out,
        "cost_usd": totals.cost_usd,
        "reserved_usd": totals.reserved_usd,
        "outcomes": dict(totals.outcomes),
    }


def call_row(call: Call) -> dict[str, Any]:
    row = asdict(call)
    del row["reserved_until"]
    return {**row, "outcome": call.outcome.value, "at": call.at.isoformat()}


def _total_usd(calls: Sequence[Call]) -> float:
    totals = sum_calls(calls)
    return totals.cost_usd + totals.reserved_usd
