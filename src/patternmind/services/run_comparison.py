"""Comparison of two runs: shared, new and missing themes, and cases that moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from patternmind.domain.calls import USABLE_OUTCOMES, Call, CallOutcome, CallTotals, sum_calls
from patternmind.errors import UsageError
from patternmind.ports import RunRecord, Store, ThemeSnapshot


@dataclass(frozen=True, slots=True)
class SharedTheme:
    """A theme that both runs have."""

    theme_id: str
    name_before: str
    name_after: str
    n_before: int
    n_after: int


@dataclass(frozen=True, slots=True)
class MovedAssignment:
    """A case that two runs placed in different themes; None means no theme."""

    case_id: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """Differences between two runs. ``theme_names`` names all their themes by id; the later run's names win."""

    before: RunRecord
    after: RunRecord
    shared_themes: Sequence[SharedTheme]
    new_themes: Sequence[ThemeSnapshot]
    missing_themes: Sequence[ThemeSnapshot]
    moved_cases: Sequence[MovedAssignment]
    n_unmoved: int
    n_only_before: int
    n_only_after: int
    theme_names: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def has_same_lens(self) -> bool:
        return self.before.parameters.lens == self.after.parameters.lens


def compare_runs(store: Store, before_id: str, after_id: str) -> RunComparison:
    """Compare the themes and assignments of two runs.

    Raises:
        NotFound
        UsageError: The two are the same run, or one did not finish.
    """
    before, after = store.runs.get(before_id), store.runs.get(after_id)
    if before.id == after.id:
        raise UsageError("Choose two different runs to compare.")
    unfinished = next((run for run in (before, after) if run.state != "finished"), None)
    if unfinished is not None:
        raise UsageError(f"Run {unfinished.id} did not finish, so it cannot be compared. Choose another run.")
    old_themes, new_themes = ({theme.id: theme for theme in store.themes.snapshots(run.id)} for run in (before, after))
    old_ids, new_ids = store.runs.theme_ids_by_case(before.id), store.runs.theme_ids_by_case(after.id)
    in_both = old_ids.keys() & new_ids.keys()
    moved = [MovedAssignment(id, old_ids[id], new_ids[id]) for id in sorted(in_both) if old_ids[id] != new_ids[id]]
    return RunComparison(
        before=before,
        after=after,
        shared_themes=[
            SharedTheme(id, old_themes[id].name, theme.name, old_themes[id].n_cases, theme.n_cases)
            for id, theme in new_themes.items()
            if id in old_themes
        ],
        new_themes=[theme for id, theme in new_themes.items() if id not in old_themes],
        missing_themes=[theme for id, theme in old_themes.items() if id not in new_themes],
        moved_cases=moved,
        n_unmoved=len(in_both) - len(moved),
        n_only_before=len(old_ids.keys() - in_both),
        n_only_after=len(new_ids.keys() - in_both),
        theme_names={theme.id: theme.name for theme in (*old_themes.values(), *new_themes.values())},
    )


@dataclass(frozen=True, slots=True)
class RunSpending:
    """Model calls of a run: totals by task, overall totals, and the calls without a usable answer."""

    by_task: Mapping[str, CallTotals]
    total: CallTotals
    failed_calls: tuple[Call, ...]


def get_run_spending(store: Store, run_id: str) -> RunSpending:
    calls = store.calls.list_all(run_id)
    tasks = sorted({call.task for call in calls})
    by_task = {task: sum_calls(call for call in calls if call.task == task) for task in tasks}
    return RunSpending(
        by_task,
        sum_calls(calls),
        tuple(call for call in calls if call.outcome not in {*USABLE_OUTCOMES, CallOutcome.IN_FLIGHT}),
    )
