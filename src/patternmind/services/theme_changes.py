"""What waits for a person after a run, and what becomes of it: changes of themes, doubts, and what others proposed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.edits import (
    Edit,
    EditAction,
    EditConflict,
    active_edits,
    binding_edits,
)
from patternmind.domain.themes import Lineage, ThemeChange
from patternmind.edits import resolve_edits
from patternmind.errors import NotFound, UsageError
from patternmind.ports import Clock, RunRecord, Store
from patternmind.services.theme_edits import (
    EditResult,
    ThemeEditRequest,
    submit_edit,
    submit_edits,
)
from patternmind.services.versioned_cache import VersionedCache

_MOVED_CASES_CACHE: VersionedCache[list[tuple[str, str, str | None]]] = VersionedCache()
"""Finding them compares the places of all cases."""

REVIEWABLE_LINEAGES = frozenset(Lineage) - {Lineage.CONTINUED, Lineage.RETIRED}
"""Words of lineage that are worth a decision; that a theme went on as before is none."""


@dataclass(frozen=True, slots=True)
class ChangeToReview:
    """What a run made of a theme. ``answer`` is the line that accepted or declined it, if one stands.

    ``put_back`` is what declining would do: by theme, the cases that were in it before the run and are elsewhere now.
    """

    change: ThemeChange
    answer: Edit | None
    former_case_ids: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ConflictToReview:
    """Where the cases of the last run firmly speak against a decision; ``answer`` is the line that let it stand."""

    conflict: EditConflict
    edit: Edit
    answer: Edit | None


@dataclass(frozen=True, slots=True)
class ProposedEdit:
    """What somebody proposed who may not decide, and the line that answered it."""

    edit: Edit
    answer: Edit | None


def list_changes_to_review(store: Store, run_id: str) -> list[ChangeToReview]:
    """The changes of a run that are worth a decision, in its order.

    Raises:
        NotFound: no such run.
    """
    run = store.get_run(run_id)
    answers = {
        line.theme_id: line
        for line in active_edits(store.edits(run.parameters.lens))
        if line.run_id == run_id and line.action in {EditAction.ACCEPT, EditAction.DECLINE}
    }
    told = [one for one in store.theme_changes(run_id) if one.is_reportable and one.lineage in REVIEWABLE_LINEAGES]
    back = _FormerAssignments(store, run) if _is_last_run(store, run) else None
    return [ChangeToReview(one, answers.get(one.theme_id), back.of(one.theme_id) if back else {}) for one in told]


def _is_last_run(store: Store, run: RunRecord) -> bool:
    last = store.last_run(run.parameters.lens)
    return last is not None and last.id == run.id


class _FormerAssignments:
    """Where cases were before a run, beside where they are now; what people hold elsewhere is left alone."""

    def __init__(self, store: Store, run: RunRecord) -> None:
        decisions = resolve_edits(binding_edits(store.edits(run.parameters.lens)))
        left_alone: Collection[str] = (
            decisions.required_theme.keys() | decisions.excluded_themes.keys() | decisions.unit_of.keys()
        )
        closed = decisions.retired.keys() | decisions.merged_into.keys()
        moved = _MOVED_CASES_CACHE.get_or_compute(store, lambda: store.cases_moved_by_run(run.id), key=run.id)
        self.moved = [one for one in moved if one[0] not in left_alone and one[1] not in closed]

    def of(self, theme_id: str) -> dict[str, tuple[str, ...]]:
        """By theme, the cases to put back there: those that this theme lost, and those that it took from others."""
        back: dict[str, tuple[str, ...]] = {}
        for case_id, was, now in self.moved:
            if theme_id in {was, now}:
                back[was] = (*back.get(was, ()), case_id)
        return back


def accept_change(store: Store, clock: Clock, run_id: str, theme_id: str, *, actor: str, note: str = "") -> EditResult:
    """Write down that a person agrees with what a run made of a theme.

    Raises:
        NotFound, UsageError: it was answered already.
    """
    _require_unanswered(store, run_id, theme_id)
    lens = store.get_run(run_id).parameters.lens
    return submit_edit(
        store,
        clock,
        ThemeEditRequest(action=EditAction.ACCEPT, actor=actor, lens=lens, theme_id=theme_id, run_id=run_id, note=note),
    )


def accept_remaining_changes(store: Store, clock: Clock, run_id: str, *, actor: str) -> int:
    """Accept every change of a run that nobody answered yet; how many there were."""
    lens = store.get_run(run_id).parameters.lens
    left = [one.change.theme_id for one in list_changes_to_review(store, run_id) if one.answer is None]
    wanted = [
        ThemeEditRequest(action=EditAction.ACCEPT, actor=actor, lens=lens, theme_id=id, run_id=run_id) for id in left
    ]
    if wanted:
        submit_edits(store, clock, wanted)
    return len(wanted)


def decline_change(
    store: Store, clock: Clock, run_id: str, theme_id: str, *, actor: str, note: str = ""
) -> Sequence[EditResult]:
    """Pin the cases that a run moved to where they were, in one stroke that one undo takes back.

    Raises:
        NotFound
        UsageError: it was answered already, a newer run is there, or there is nothing to put back.
        Contradiction: a decision that stands says otherwise.
    """
    one = _require_unanswered(store, run_id, theme_id)
    run = store.get_run(run_id)
    if not _is_last_run(store, run):
        raise UsageError("A newer run looked at these cases since. Decide about what that one changed.")
    if not one.former_case_ids:
        raise UsageError(
            "There is nothing to put back: its cases were in no theme before. Rename, merge or retire the theme."
        )
    first = ThemeEditRequest(
        action=EditAction.DECLINE, actor=actor, lens=run.parameters.lens, theme_id=theme_id, run_id=run_id, note=note
    )
    pins = [
        ThemeEditRequest(action=EditAction.PIN, actor=actor, lens=run.parameters.lens, theme_id=was, case_ids=case_ids)
        for was, case_ids in sorted(one.former_case_ids.items())
    ]
    return submit_edits(store, clock, [first, *pins], is_chained=True)


def _require_unanswered(store: Store, run_id: str, theme_id: str) -> ChangeToReview:
    found = next((one for one in list_changes_to_review(store, run_id) if one.change.theme_id == theme_id), None)
    if found is None:
        raise NotFound("change", f"{run_id}/{theme_id}", "List them with `patternmind themes changes`.")
    if found.answer is not None:
        raise UsageError(f"This was answered already, by {found.answer.describe()}. Take that back first.")
    return found


def count_pending_reviews(store: Store, lens: str) -> int:
    """How much waits for somebody in a lens: changes of its last run, doubts and proposals without an answer."""
    run, log = store.last_run(lens), store.edits(lens)
    if run is None:
        return 0
    lines = active_edits(log)
    answered = {
        line.theme_id
        for line in lines
        if line.run_id == run.id and line.action in {EditAction.ACCEPT, EditAction.DECLINE}
    }
    changed = [one for one in store.theme_changes(run.id) if one.is_reportable and one.lineage in REVIEWABLE_LINEAGES]
    return (
        sum(one.theme_id not in answered for one in changed)
        + sum(one.answer is None for one in _conflicts(run, lines))
        + sum(one.answer is None for one in _proposed_edits(log, lines))
    )


# Doubts: where a run's cases speak against a decision ----------------------------------------------------------------


def list_conflicts_to_review(store: Store, lens: str | None = None) -> list[ConflictToReview]:
    """Where the last run's cases firmly disagree with decisions that stand."""
    run = store.last_run(lens)
    return [] if run is None else _conflicts(run, active_edits(store.edits(run.parameters.lens)))


def _conflicts(run: RunRecord, active_edits: Sequence[Edit]) -> list[ConflictToReview]:
    by_seq = {line.seq: line for line in active_edits}
    answers = {line.answers: line for line in active_edits if line.action is EditAction.DECLINE and line.answers}
    return [
        ConflictToReview(one, by_seq[one.edit_seq], answers.get(one.edit_seq))
        for one in run.conflicts
        if one.edit_seq in by_seq
    ]


def answer_conflict(
    store: Store, clock: Clock, seq: int, *, is_accepted: bool, actor: str, lens: str | None = None
) -> EditResult:
    """Take a doubted decision back, or let it stand from now on.

    Raises:
        NotFound: no run doubts that decision.
        UsageError: it was let stand already.
        Contradiction
    """
    found = next((one for one in list_conflicts_to_review(store, lens) if one.conflict.edit_seq == seq), None)
    if found is None:
        raise NotFound("doubt about decision", str(seq))
    if found.answer is not None:
        raise UsageError(f"It was let stand already, by {found.answer.describe()}. Take that back first.")
    if is_accepted:
        return submit_edit(store, clock, ThemeEditRequest(action=EditAction.UNDO, actor=actor, undoes=seq))
    said = ThemeEditRequest(action=EditAction.DECLINE, actor=actor, lens=found.edit.lens, answers=seq)
    return submit_edit(store, clock, said)


# What others proposed ------------------------------------------------------------------------------------------------


def list_proposed_edits(store: Store, lens: str | None = None) -> list[ProposedEdit]:
    """Every proposal that was not taken back, oldest first, each with its answer if one stands."""
    log = store.edits(lens)
    return _proposed_edits(log, active_edits(log))


def _proposed_edits(log: Sequence[Edit], active_edits: Sequence[Edit]) -> list[ProposedEdit]:
    wished = [line for line in log if line.proposed]
    taken_back = {line.undoes for line in log if line.undoes and not line.proposed}
    answers = {line.answers: line for line in active_edits if line.answers and not line.proposed}
    return [ProposedEdit(line, answers.get(line.seq)) for line in wished if line.seq not in taken_back]


def answer_proposed_edit(
    store: Store, clock: Clock, seq: int, *, is_accepted: bool, actor: str, note: str = ""
) -> EditResult:
    """Do what somebody proposed, or decline it; either is a line of its own, under the name of who decides.

    Raises:
        NotFound: no such proposal.
        UsageError: it was answered already, or does not fit the themes any more.
        Contradiction: a decision that stands says otherwise.
    """
    found = next((one for one in list_proposed_edits(store) if one.edit.seq == seq), None)
    if found is None:
        raise NotFound("proposal", str(seq))
    if found.answer is not None:
        raise UsageError(f"It was answered already, by {found.answer.describe()}. Take that back first.")
    wished = found.edit
    asked = ThemeEditRequest(
        action=wished.action,
        actor=actor,
        lens=wished.lens,
        theme_id=wished.theme_id,
        other_theme_id=wished.other_theme_id,
        case_ids=wished.case_ids,
        name=wished.name if wished.action in {EditAction.RENAME, EditAction.SPLIT_OFF} else "",
        undoes=wished.undoes,
        note=note or wished.note,
        answers=seq,
    )
    declined = ThemeEditRequest(action=EditAction.DECLINE, actor=actor, lens=wished.lens, note=note, answers=seq)
    return submit_edit(store, clock, asked if is_accepted else declined)
