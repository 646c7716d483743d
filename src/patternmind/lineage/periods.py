"""Labelled periods: since when a case counts as new, and how long a theme has been without one."""

from collections.abc import Sequence

from patternmind.domain.themes import Theme
from patternmind.ports import RunRecord

Periods = tuple[tuple[str, int], ...]
"""New cases by label, oldest period first."""


def last_closed_run(runs: Sequence[RunRecord], *, lens: str, label: str) -> RunRecord | None:
    """The run that closed the last period: a case that no run up to it saw is new. None where every case is.

    That is the newest finished run with a label other than this run's: of the lens, else of any lens of the network.
    Runs without a label belong to the period that is open, and the same label again to its own. While no run of the
    network ever bore a label, this one included, every run is a period of its own.
    """
    finished = sorted((run for run in runs if run.state == "finished"), key=lambda run: -run.number)
    labelled = [run for run in finished if run.parameters.label]
    closed = [run for run in labelled if run.parameters.label != label] if label or labelled else finished
    of_lens = [run for run in closed if run.parameters.lens == lens]
    return next(iter(of_lens or closed), None)


def periods_of(theme: Theme) -> Periods:
    """The theme's periods; rows of releases that kept a bare count of quiet ones count as many without a name."""
    return theme.new_by_period or (("", 0),) * theme.quiet_runs


def extend_periods(former: Theme | None, *, label: str, n_new: int) -> Periods:
    """The periods after this run: a label seen before is counted anew, a run without one opens none."""
    known = periods_of(former) if former else ()
    if not label:
        return known
    if any(name == label for name, _ in known):
        return tuple((name, n_new if name == label else n) for name, n in known)
    return (*known, (label, n_new))


def count_quiet_periods(periods: Periods) -> int:
    """How many periods in a row, up to the last, brought no new case."""
    quiet = 0
    for _, n_new in reversed(periods):
        if n_new:
            break
        quiet += 1
    return quiet
