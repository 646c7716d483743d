"""Two runs side by side: which themes both have, which one has alone, and which cases are elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from patternmind.domain.calls import (
    USABLE_OUTCOMES,
    Call,
    CallOutcome,
    CallTotals,
    sum_calls,
)
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
    """A case that both runs looked at and put in different themes; None is in no theme."""

    case_id: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """``names`` are those of all themes named in it, by id, as the later of the two runs calls them."""

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
    """What became of the themes and cases of one run in another.

    Raises:
        NotFound
        UsageError: it is one and the same run, or one of them did not finish.
    """
    before, after = store.get_run(before_id), store.get_run(after_id)
    if before.id == after.id:
        raise UsageError("Choose two different runs to compare.")
    unfinished = next((one for one in (before, after) if one.state != "finished"), None)
    if unfinished is not None:
        raise UsageError(f"{unfinished.id} did not finish, so there is nothing to compare it by. Choose another.")
    then, now = ({one.id: one for one in store.themes_of_run(run.id)} for run in (before, after))
    was, is_ = store.theme_ids_by_case(before.id), store.theme_ids_by_case(after.id)
    both = was.keys() & is_.keys()
    moved = [MovedAssignment(id, was[id], is_[id]) for id in sorted(both) if was[id] != is_[id]]
    return RunComparison(
        before=before,
        after=after,
        shared_themes=[
            SharedTheme(id, then[id].name, one.name, then[id].n_cases, one.n_cases)
            for id, one in now.items()
            if id in then
        ],
        new_themes=[one for id, one in now.items() if id not in then],
        missing_themes=[one for id, one in then.items() if id not in now],
        moved_cases=moved,
        n_unmoved=len(both) - len(moved),
        n_only_before=len(was.keys() - both),
        n_only_after=len(is_.keys() - both),
        theme_names={one.id: one.name for one in (*then.values(), *now.values())},
    )


@dataclass(frozen=True, slots=True)
class RunSpending:
    """What a run asked of the language model: by task, in all, and each call that brought nothing."""

    by_task: Mapping[str, CallTotals]
    total: CallTotals
    failed_calls: tuple[Call, ...]


def get_run_spending(store: Store, run_id: str) -> RunSpending:
    calls = store.list_calls(run_id)
    tasks = sorted({call.task for call in calls})
    by_task = {task: sum_calls(call for call in calls if call.task == task) for task in tasks}
    return RunSpending(
        by_task,
        sum_calls(calls),
        tuple(call for call in calls if call.outcome not in {*USABLE_OUTCOMES, CallOutcome.IN_FLIGHT}),
    )
