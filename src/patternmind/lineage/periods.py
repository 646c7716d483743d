"""Labelled periods: new cases per period, and quiet periods of a theme."""

from collections.abc import Sequence

from patternmind.domain.themes import Theme
from patternmind.ports import RunRecord

Periods = tuple[tuple[str, int], ...]
"""Number of new cases by label, oldest period first."""


def last_closed_run(runs: Sequence[RunRecord], *, lens: str, label: str) -> RunRecord | None:
    """Return the run that closed the last period, or None.

    A case is new if no run up to that one saw it. It is the newest finished run with another label than this run: of
    the lens, or else of any lens of the network. Runs without a label belong to the open period, and runs with the same
    label to the same period. If no run of the network has a label, this one included, every run is a period of its own.
    """
    finished = sorted((run for run in runs if run.state == "finished"), key=lambda run: -run.number)
    labelled = [run for run in finished if run.parameters.label]
    closed = [run for run in labelled if run.parameters.label != label] if label or labelled else finished
    of_lens = [run for run in closed if run.parameters.lens == lens]
    return next(iter(of_lens or closed), None)


def periods_of(theme: Theme) -> Periods:
    """Return the theme's periods.

    Earlier releases stored only the number of quiet periods; these become periods without a label.
    """
    return theme.new_by_period or (("", 0),) * theme.quiet_runs


def extend_periods(former: Theme | None, *, label: str, n_new: int) -> Periods:
    """Return the periods after this run.

    A label that exists already gets the new count; a run without a label adds no period.
    """
    former_periods = periods_of(former) if former else ()
    if not label:
        return former_periods
    if any(name == label for name, _ in former_periods):
        return tuple((name, n_new if name == label else n) for name, n in former_periods)
    return (*former_periods, (label, n_new))


def count_quiet_periods(periods: Periods) -> int:
    """Count the latest consecutive periods without a new case."""
    n_quiet = 0
    for _, n_new in reversed(periods):
        if n_new:
            break
        n_quiet += 1
    return n_quiet
