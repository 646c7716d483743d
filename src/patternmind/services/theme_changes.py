"""Review of a run's results: theme changes, conflicts with edits, and proposed edits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.edits import Edit, EditAction, EditConflict, active_edits, binding_edits
from patternmind.domain.themes import Lineage, ThemeChange
from patternmind.edits import ACTIONS, cite_edit, resolve_edits
from patternmind.errors import NotFound, UsageError
from patternmind.ports import Clock, RunRecord, Store
from patternmind.services.theme_edits import EditResult, ThemeEditRequest, submit_edit, submit_edits, undo_request
from patternmind.services.versioned_cache import VersionedCache

_MOVED_CASES_CACHE: VersionedCache[list[tuple[str, str, str | None]]] = VersionedCache()
"""Cached because it compares the assignments of all cases."""

REVIEWABLE_LINEAGES = frozenset(Lineage) - {Lineage.CONTINUED, Lineage.RETIRED}
"""Lineages that need a decision; a theme that merely continued needs none."""


@dataclass(frozen=True, slots=True)
class ChangeToReview:
    """A run's change of a theme. ``answer`` is the active edit that accepted or declined it.

    ``former_case_ids`` shows the effect of declining: by theme, the cases that were in it before the run and are
    elsewhere now.
    """

    change: ThemeChange
    answer: Edit | None
    former_case_ids: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ConflictToReview:
    """An edit that the last run's cases contradict; ``answer`` is the edit that confirmed it."""

    conflict: EditConflict
    edit: Edit
    answer: Edit | None


@dataclass(frozen=True, slots=True)
class ProposedEdit:
    """An edit proposed by a member who may not decide, with its answer."""

    edit: Edit
    answer: Edit | None


def list_changes_to_review(store: Store, run_id: str) -> list[ChangeToReview]:
    """List the changes of a run that need a decision, in its order.

    Raises:
        NotFound: The run does not exist.
    """
    run = store.runs.get(run_id)
    answers = {
        edit.theme_id: edit for edit in active_edits(store.edits.list_all(run.parameters.lens)) if edit.run_id == run_id
    }
    moved = _free_moved_cases(store, run) if _is_last_run(store, run) else []
    return [
        ChangeToReview(change, answers.get(change.theme_id), _by_former_theme(moved, change.theme_id))
        for change in _reviewable_changes(store, run_id)
    ]


def _reviewable_changes(store: Store, run_id: str) -> list[ThemeChange]:
    return [
        change
        for change in store.themes.changes(run_id)
        if change.is_reportable and change.lineage in REVIEWABLE_LINEAGES
    ]


def _is_last_run(store: Store, run: RunRecord) -> bool:
    last_run = store.runs.latest(run.parameters.lens)
    return last_run is not None and last_run.id == run.id


def _free_moved_cases(store: Store, run: RunRecord) -> list[tuple[str, str, str | None]]:
    """Return the moved cases of a run, with former and new theme. Those that edits hold in place are left out."""
    rules = resolve_edits(binding_edits(store.edits.list_all(run.parameters.lens)))
    held_cases: Collection[str] = rules.required_theme.keys() | rules.excluded_themes.keys() | rules.unit_of.keys()
    closed_themes = rules.retired | rules.merged_into.keys()
    moved = _MOVED_CASES_CACHE.get_or_compute(store, lambda: store.runs.moved_cases(run.id), key=run.id)
    return [move for move in moved if move[0] not in held_cases and move[1] not in closed_themes]


def _by_former_theme(moved: Sequence[tuple[str, str, str | None]], theme_id: str) -> dict[str, tuple[str, ...]]:
    """Return the cases to restore, by former theme: those this theme lost, and those it took from others."""
    case_ids: dict[str, tuple[str, ...]] = {}
    for case_id, former, current in moved:
        if theme_id in {former, current}:
            case_ids[former] = (*case_ids.get(former, ()), case_id)
    return case_ids


def accept_change(store: Store, clock: Clock, run_id: str, theme_id: str, *, actor: str, note: str = "") -> EditResult:
    """Log that a person agrees with a run's change of a theme.

    Raises:
        NotFound
        UsageError: The change was answered already.
    """
    _require_unanswered(store, run_id, theme_id)
    lens = store.runs.get(run_id).parameters.lens
    return submit_edit(
        store,
        clock,
        ThemeEditRequest(action=EditAction.ACCEPT, actor=actor, lens=lens, theme_id=theme_id, run_id=run_id, note=note),
    )


def accept_remaining_changes(store: Store, clock: Clock, run_id: str, *, actor: str) -> int:
    """Accept every change of a run without an answer, and return their number."""
    lens = store.runs.get(run_id).parameters.lens
    requests = [
        ThemeEditRequest(
            action=EditAction.ACCEPT, actor=actor, lens=lens, theme_id=review.change.theme_id, run_id=run_id
        )
        for review in list_changes_to_review(store, run_id)
        if review.answer is None
    ]
    if requests:
        submit_edits(store, clock, requests)
    return len(requests)


def decline_change(
    store: Store, clock: Clock, run_id: str, theme_id: str, *, actor: str, note: str = ""
) -> Sequence[EditResult]:
    """Pin the cases that a run moved to their former themes; one undo reverts it.

    Raises:
        NotFound
        UsageError: The change was answered already, there is a newer run, or no case can be restored.
        ContradictoryEdit: An active edit says otherwise.
    """
    review = _require_unanswered(store, run_id, theme_id)
    run = store.runs.get(run_id)
    if not _is_last_run(store, run):
        raise UsageError("There is a newer run. Decide about the changes of that run.")
    if not review.former_case_ids:
        raise UsageError("Its cases were in no theme before, so none can be restored. Rename, merge or retire it.")
    first = ThemeEditRequest(
        action=EditAction.DECLINE, actor=actor, lens=run.parameters.lens, theme_id=theme_id, run_id=run_id, note=note
    )
    pins = [
        ThemeEditRequest(
            action=EditAction.PIN, actor=actor, lens=run.parameters.lens, theme_id=former, case_ids=case_ids
        )
        for former, case_ids in sorted(review.former_case_ids.items())
    ]
    return submit_edits(store, clock, [first, *pins], is_chained=True)


def _require_unanswered(store: Store, run_id: str, theme_id: str) -> ChangeToReview:
    reviews = list_changes_to_review(store, run_id)
    review = next((review for review in reviews if review.change.theme_id == theme_id), None)
    if review is None:
        raise NotFound("change", f"{run_id}/{theme_id}")
    if review.answer is not None:
        raise UsageError(f"This change was answered already, by {cite_edit(review.answer)}. Undo that first.")
    return review


def count_pending_reviews(store: Store, lens: str) -> int:
    """Count the unanswered changes, conflicts and proposed edits of a lens."""
    run, log = store.runs.latest(lens), store.edits.list_all(lens)
    if run is None:
        return 0
    active = active_edits(log)
    answered_themes = {edit.theme_id for edit in active if edit.run_id == run.id}
    return (
        sum(change.theme_id not in answered_themes for change in _reviewable_changes(store, run.id))
        + sum(conflict.answer is None for conflict in _conflicts(run, active))
        + sum(proposal.answer is None for proposal in _proposed_edits(log, active))
    )


# Conflicts: edits that a run's cases contradict ----------------------------------------------------------------------


def list_conflicts_to_review(store: Store, lens: str | None = None) -> list[ConflictToReview]:
    """List the active edits that the last run's cases contradict."""
    run = store.runs.latest(lens)
    return [] if run is None else _conflicts(run, active_edits(store.edits.list_all(run.parameters.lens)))


def _conflicts(run: RunRecord, active_edits: Sequence[Edit]) -> list[ConflictToReview]:
    by_seq = {edit.seq: edit for edit in active_edits}
    answers = {edit.answers: edit for edit in active_edits if edit.action is EditAction.DECLINE and edit.answers}
    return [
        ConflictToReview(conflict, by_seq[conflict.edit_seq], answers.get(conflict.edit_seq))
        for conflict in run.conflicts
        if conflict.edit_seq in by_seq
    ]


def answer_conflict(
    store: Store, clock: Clock, seq: int, *, is_accepted: bool, actor: str, lens: str | None = None
) -> EditResult:
    """Undo an edit that the cases contradict (accepted), or confirm the edit.

    Raises:
        NotFound: No case contradicts that edit.
        UsageError: The edit was confirmed already.
        ContradictoryEdit
    """
    review = next((review for review in list_conflicts_to_review(store, lens) if review.conflict.edit_seq == seq), None)
    if review is None:
        raise NotFound("conflict with decision", str(seq))
    if review.answer is not None:
        raise UsageError(f"Decision {seq} was confirmed already, by {cite_edit(review.answer)}. Undo that first.")
    if is_accepted:
        return submit_edit(store, clock, undo_request(seq, actor=actor))
    confirmation = ThemeEditRequest(action=EditAction.DECLINE, actor=actor, lens=review.edit.lens, answers=seq)
    return submit_edit(store, clock, confirmation)


# Proposed edits ------------------------------------------------------------------------------------------------------


def list_proposed_edits(store: Store, lens: str | None = None) -> list[ProposedEdit]:
    """List the proposed edits that were not undone, oldest first, each with its active answer."""
    log = store.edits.list_all(lens)
    return _proposed_edits(log, active_edits(log))


def _proposed_edits(log: Sequence[Edit], active_edits: Sequence[Edit]) -> list[ProposedEdit]:
    undone = {edit.undoes for edit in log if edit.undoes and not edit.proposed}
    answers = {edit.answers: edit for edit in active_edits if edit.answers and not edit.proposed}
    return [ProposedEdit(edit, answers.get(edit.seq)) for edit in log if edit.proposed and edit.seq not in undone]


def answer_proposed_edit(
    store: Store, clock: Clock, seq: int, *, is_accepted: bool, actor: str, note: str = ""
) -> EditResult:
    """Apply or decline a proposed edit. Both are logged as an edit of the person who decides.

    Raises:
        NotFound: The proposal does not exist.
        UsageError: The proposal was answered already, or does not fit the themes any more.
        ContradictoryEdit: An active edit says otherwise.
    """
    proposal = next((proposal for proposal in list_proposed_edits(store) if proposal.edit.seq == seq), None)
    if proposal is None:
        raise NotFound("proposal", str(seq))
    if proposal.answer is not None:
        raise UsageError(f"This proposal was answered already, by {cite_edit(proposal.answer)}. Undo that first.")
    proposed = proposal.edit
    accepted = ThemeEditRequest(
        action=proposed.action,
        actor=actor,
        lens=proposed.lens,
        theme_id=proposed.theme_id,
        other_theme_id=proposed.other_theme_id,
        case_ids=proposed.case_ids,
        name=proposed.name if "name" in ACTIONS[proposed.action].fields else "",
        undoes=proposed.undoes,
        note=note or proposed.note,
        answers=seq,
    )
    declined = ThemeEditRequest(action=EditAction.DECLINE, actor=actor, lens=proposed.lens, note=note, answers=seq)
    return submit_edit(store, clock, accepted if is_accepted else declined)
