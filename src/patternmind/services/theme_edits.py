"""Edits of themes by people: checked against active edits, logged, and applied at once without a run."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from patternmind.assembly import RunAssembler
from patternmind.domain.cases import Case
from patternmind.domain.edits import (
    BINDING_ACTIONS,
    Edit,
    EditAction,
    EditConflict,
    active_edits,
    binding_edits,
)
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.members import require_actor
from patternmind.domain.themes import (
    OUTLIER,
    Assignment,
    Lineage,
    Theme,
    Vectors,
)
from patternmind.edits import find_contradictory_edits
from patternmind.embedding.lenses import lens_text
from patternmind.embedding.vectors import text_hash
from patternmind.errors import (
    ContradictoryEdit,
    ErrorCode,
    NotFound,
    UsageError,
    VersionConflict,
)
from patternmind.ingestion.redaction.redactor import contains_name
from patternmind.ingestion.redaction.roster import Roster
from patternmind.lineage import PreviousRun
from patternmind.pipeline import build_outcome
from patternmind.ports import (
    Clock,
    RunRecord,
    RunRevision,
    Store,
)

MAX_ATTEMPTS = 3
"""Attempts to save an edit when a run or another edit is saved concurrently."""

MAX_THEME_NAME_CHARS = 120

EDIT_LINEAGES = frozenset((Lineage.MERGED, Lineage.SPLIT, Lineage.RETURNED, Lineage.RETIRED))
"""Lineages that an edit sets; all others stay as the run reported them."""

ACTIONS_REQUIRING_THEME = BINDING_ACTIONS - {EditAction.TOGETHER, EditAction.APART, EditAction.SPLIT_OFF} | {
    EditAction.OWN
}
ACTIONS_REQUIRING_CASES = frozenset(
    (
        EditAction.MOVE_OUT,
        EditAction.MOVE_IN,
        EditAction.PIN,
        EditAction.SPLIT_OFF,
        EditAction.TOGETHER,
        EditAction.APART,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeEditRequest:
    """A person's request for an edit. Fields not listed here are as in ``Edit``.

    ``lens`` None selects the lens of the last run. ``case_ids`` may be external ids. ``expected_seq`` is the number of
    the newest edit that was displayed; None skips the check.
    """

    action: EditAction
    actor: str
    lens: str | None = None
    theme_id: str | None = None
    other_theme_id: str | None = None
    case_ids: tuple[str, ...] = ()
    name: str = ""
    undoes: int | None = None
    note: str = ""
    proposed: bool = False
    answers: int | None = None
    run_id: str = ""
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class EditResult:
    """The logged edit, and the conflicts with it in the data."""

    edit: Edit
    conflicts: tuple[EditConflict, ...]


@dataclass(frozen=True, slots=True)
class LoggedEdit:
    """An edit and the number of the edit that undid it, if any."""

    edit: Edit
    undone_by: int | None


def submit_edit(store: Store, clock: Clock, request: ThemeEditRequest) -> EditResult:
    """Log an edit and apply it to the last run's themes, in one transaction.

    Raises:
        UsageError: A field is missing, empty, too long, or contains a person's name.
        NotFound: The lens has no such theme, case or edit.
        ContradictoryEdit: An active edit says otherwise.
        VersionConflict: The same themes or cases were edited after ``expected_seq``, or others saved edits during all
            attempts.
    """
    return submit_edits(store, clock, [request])[0]


def submit_edits(
    store: Store, clock: Clock, requests: Sequence[ThemeEditRequest], *, is_chained: bool = False
) -> list[EditResult]:
    """Log several edits of one lens in one transaction.

    Args:
        is_chained: All edits depend on the first one, and are active only while it is.

    Raises:
        UsageError, NotFound, ContradictoryEdit, VersionConflict: See ``submit_edit``.
    """
    for attempt in range(MAX_ATTEMPTS):
        try:
            return _submit_once(store, clock, requests, is_chained=is_chained)
        except VersionConflict:
            if attempt == MAX_ATTEMPTS - 1:
                raise
    raise AssertionError


def list_logged_edits(store: Store, lens: str | None = None) -> list[LoggedEdit]:
    """List the edits of a lens, or of all lenses, oldest first."""
    log = store.edits.list_all(lens)
    undone = {edit.undoes: edit.seq for edit in log if edit.undoes is not None and not edit.proposed}
    return [LoggedEdit(edit, undone.get(edit.seq) or undone.get(edit.because or 0)) for edit in log]


def get_last_edit_seq(store: Store) -> int:
    """Return the number of the newest edit of all lenses; 0 if there are no edits."""
    log = store.edits.list_all()
    return log[-1].seq if log else 0


def _submit_once(
    store: Store, clock: Clock, requests: Sequence[ThemeEditRequest], *, is_chained: bool
) -> list[EditResult]:
    all_edits = store.edits.list_all()
    newest_seq = all_edits[-1].seq if all_edits else 0
    lens = _request_lens(store, requests[0], all_edits)
    last_run = store.runs.latest(lens)
    log = [edit for edit in all_edits if edit.lens == lens]
    added: list[Edit] = []
    for request in requests:
        _check_expected_seq(request, log)
        context = _EditContext(store=store, lens=lens, last_run=last_run, log=[*log, *added])
        edit = context.build_edit(request, seq=newest_seq + 1 + len(added), clock=clock)
        context.check_contradictions(edit)
        added.append(replace(edit, because=added[0].seq) if is_chained and added else edit)
    changes_themes = any(edit.changes_themes for edit in added)
    revision = apply_edit(store, last_run, [*log, *added]) if last_run and changes_themes else None
    store.append_edits(added, expected_seq=newest_seq, revision=revision)
    conflicts = revision.conflicts if revision else ()
    return [
        EditResult(edit, tuple(conflict for conflict in conflicts if conflict.edit_seq == edit.seq)) for edit in added
    ]


def _check_expected_seq(request: ThemeEditRequest, log: Sequence[Edit]) -> None:
    """Refuse an edit if others edited the same themes or cases after ``expected_seq``."""
    if request.expected_seq is None:
        return
    theme_ids = {request.theme_id, request.other_theme_id} - {None}
    for edit in log:
        overlaps = theme_ids & {edit.theme_id, edit.other_theme_id} or set(request.case_ids) & set(edit.case_ids)
        same_undo = request.undoes is not None and request.undoes in {edit.seq, edit.undoes}
        if edit.seq > request.expected_seq and not edit.proposed and (overlaps or same_undo):
            raise VersionConflict("themes of lens", edit.lens)


def _request_lens(store: Store, request: ThemeEditRequest, log: Sequence[Edit]) -> str:
    if request.action is EditAction.UNDO:
        undone = next((edit for edit in log if edit.seq == request.undoes), None)
        if undone is None or (request.lens and undone.lens != request.lens):
            raise NotFound("decision", str(request.undoes))
        return undone.lens
    if request.lens is not None:
        return request.lens
    last_run = store.runs.latest()
    return last_run.parameters.lens if last_run else "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class _EditContext:
    """The state of a lens when an edit is made."""

    store: Store
    lens: str
    last_run: RunRecord | None
    log: Sequence[Edit]

    def build_edit(self, request: ThemeEditRequest, *, seq: int, clock: Clock) -> Edit:
        """Validate a request and return the edit to log."""
        actor = require_actor(request.actor)
        themes = {theme.id: theme for theme in self.store.themes.list_all(self.lens)} if self.last_run else {}
        case_ids = tuple(dict.fromkeys(self.store.cases.get(case_id).id for case_id in request.case_ids))
        edit = Edit(
            seq=seq,
            lens=self.lens,
            action=request.action,
            by=actor,
            at=clock.now(),
            theme_id=self._require_theme(request.theme_id, themes),
            other_theme_id=self._require_theme(request.other_theme_id, themes),
            case_ids=case_ids,
            name=self._clean_name(request.name, request.action),
            undoes=request.undoes,
            note=self._clean_text(request.note, "note"),
            proposed=request.proposed,
            answers=request.answers,
            run_id=request.run_id,
        )
        _check_required_fields(edit)
        if edit.action is EditAction.UNDO:
            self._check_undo(edit)
            return edit
        filled = self._fill_in(edit, themes)
        return replace(filled, other_theme_id=None) if edit.proposed and edit.action is EditAction.SPLIT_OFF else filled

    def check_contradictions(self, edit: Edit) -> None:
        """Refuse an edit that contradicts active edits.

        Raises:
            ContradictoryEdit
        """
        if edit.action not in BINDING_ACTIONS | {EditAction.UNDO}:
            return
        binding = binding_edits(self.log)
        if edit.action is EditAction.UNDO:
            binding = binding_edits([*self.log, replace(edit, proposed=False)])
            contradictory = find_contradictory_edits(binding) or self._blocking_locks(edit, binding)
        else:
            contradictory = find_contradictory_edits(binding, edit)
        if contradictory:
            raise ContradictoryEdit(
                edit.describe(), [other.describe() for other in contradictory], [other.seq for other in contradictory]
            )

    def _blocking_locks(self, undo: Edit, active_edits: Sequence[Edit]) -> tuple[Edit, ...]:
        """Return the locks that hold a name which an undo would revert."""
        undone = next(edit for edit in self.log if edit.seq == undo.undoes)
        is_rename = undone.action is EditAction.RENAME
        locks = (edit for edit in active_edits if edit.action is EditAction.LOCK and edit.theme_id == undone.theme_id)
        return tuple(lock for lock in locks if is_rename and lock.seq > undone.seq)

    def _require_theme(self, theme_id: str | None, themes: dict[str, Theme]) -> str | None:
        if theme_id is None or theme_id in themes:
            return theme_id
        if theme_id in self.store.themes.all_ids():
            remedy = f'It belongs to another lens than "{self.lens}".'
            raise NotFound("theme", theme_id, remedy, code=ErrorCode.OTHER_LENS)
        raise NotFound("theme", theme_id)

    def _clean_name(self, name: str, action: EditAction) -> str:
        name = self._clean_text(name, "name")
        if action is EditAction.RENAME and not any(character.isalnum() for character in name):
            raise UsageError("Give the theme a name with at least one word.", field="name")
        if len(name) > MAX_THEME_NAME_CHARS:
            raise UsageError(
                f"Use at most {MAX_THEME_NAME_CHARS} characters for the name; this one has {len(name)}.", field="name"
            )
        return name

    def _clean_text(self, text: str, field: str) -> str:
        """Normalise white space, and refuse a person's name: every export would include it."""
        text = " ".join(text.split())
        if text and contains_name(text, Roster.of(self.store.network.roster())):
            raise UsageError(
                f"The {field} contains a person's name or contact details. Please leave that out.", field=field
            )
        return text

    def _check_undo(self, edit: Edit) -> None:
        undone = next(other for other in self.log if other.seq == edit.undoes)
        if undone.action is EditAction.UNDO:
            raise UsageError(f"Decision {undone.seq} is itself an undo. Repeat the decision that it undid.")
        previous_undo = next((other for other in self.log if other.undoes == undone.seq and not other.proposed), None)
        if previous_undo is not None:
            raise UsageError(f"Decision {undone.seq} was undone already, by {previous_undo.describe()}.")
        if undone not in active_edits(self.log):
            raise UsageError(f"Decision {undone.seq} was made for decision {undone.because}, which was undone.")

    def _fill_in(self, edit: Edit, themes: dict[str, Theme]) -> Edit:
        """Add what the request leaves out: members, names, and the id of a theme split off."""
        theme = themes.get(edit.theme_id or "")
        assignments = self.store.runs.assignments(self.lens) if self.last_run else []
        theme_by_case = {assignment.case_id: assignment.theme_id for assignment in assignments}
        match edit.action:
            case EditAction.RENAME if theme:
                return replace(edit, former_name=theme.name)
            case EditAction.LOCK if theme:
                return replace(edit, case_ids=tuple(sorted(theme.case_ids)), name=theme.name)
            case EditAction.RETIRE if theme:
                return replace(edit, case_ids=tuple(sorted(theme.case_ids)))
            case EditAction.MOVE_OUT if theme:
                outside = [case_id for case_id in edit.case_ids if theme_by_case.get(case_id) != theme.id]
                if outside:
                    raise UsageError(
                        f"{', '.join(outside)}: not in {theme.id}, so it cannot be moved out of it.", field="case_ids"
                    )
                return edit
            case EditAction.SPLIT_OFF:
                return replace(edit, other_theme_id=self._new_theme_id(edit, theme, theme_by_case))
            case _:
                return edit

    def _new_theme_id(self, edit: Edit, theme: Theme | None, theme_by_case: dict[str, str | None]) -> str:
        """Return the id of the theme to split off; refuse cases from elsewhere, and a split of the whole theme."""
        source_id = theme.id if theme else None
        outside = [
            case_id for case_id in edit.case_ids if case_id not in theme_by_case or theme_by_case[case_id] != source_id
        ]
        if outside:
            source = f"in {source_id}" if source_id else "among the last run's cases without a theme"
            raise UsageError(
                f"{', '.join(outside)}: not {source}, so it cannot be split off from there.", field="case_ids"
            )
        if theme and set(theme.case_ids) <= set(edit.case_ids):
            raise UsageError(f"Nothing would be left of {theme.id}. Rename it instead, or leave a case in it.")
        used_ids = self.store.themes.all_ids()
        salt = 0
        while True:
            content = "\n".join((self.lens, str(edit.seq), str(salt), *sorted(edit.case_ids)))
            theme_id = f"t-{hashlib.sha256(content.encode()).hexdigest()[:10]}"
            if theme_id not in used_ids:
                return theme_id
            salt += 1


def _check_required_fields(edit: Edit) -> None:
    if edit.action in ACTIONS_REQUIRING_THEME and edit.theme_id is None:
        raise UsageError(f"Name the theme to {edit.action.value.replace('_', ' ')}.")
    if edit.action in ACTIONS_REQUIRING_CASES and not edit.case_ids:
        raise UsageError("Name at least one case.", field="case_ids")
    if edit.action in {EditAction.TOGETHER, EditAction.APART} and len(edit.case_ids) < 2:
        raise UsageError(f"Name at least two different cases to keep {edit.action.value}.", field="case_ids")
    if edit.action in {EditAction.ACCEPT, EditAction.DECLINE} and not (edit.answers or (edit.run_id and edit.theme_id)):
        raise UsageError("Name what to accept or decline: a run's change of a theme, or a decision by its number.")
    if edit.action is EditAction.MERGE and edit.other_theme_id in {None, edit.theme_id}:
        raise UsageError("Name two different themes to merge.", field="other_theme_id")


# Apply edits without a run -------------------------------------------------------------------------------------------


def apply_edit(store: Store, last_run: RunRecord, log: Sequence[Edit]) -> RunRevision:
    """Apply an edit log to the last run's machine result, as a new run would.

    Raises:
        UsageError: The run stored no machine result (made by an older version), or one of its cases is gone.
    """
    machine_result = store.runs.machine_result(last_run.id)
    by_id = {case.id: case for case in store.cases.list_all()}
    if machine_result is None or any(case_id not in by_id for case_id in machine_result.case_ids):
        raise UsageError(
            "The cases changed since the last run. Start a new run first, then decide.", code=ErrorCode.OUTDATED_RUN
        )
    cases = [replace(by_id[id], duplicate_of=machine_result.duplicate_of.get(id)) for id in machine_result.case_ids]
    before = store.themes.list_all(last_run.parameters.lens)
    vectors = _case_vectors(store, cases, machine_result, last_run.parameters.lens)
    previous = PreviousRun(
        themes=before,
        seen_case_ids=frozenset(machine_result.case_ids),
        used_theme_ids=store.themes.all_ids(),
        encoder=machine_result.encoder,
        vectors=dict(zip(machine_result.case_ids, vectors, strict=True)),
    )
    assembler = RunAssembler(
        cases=cases, vectors=vectors, machine_result=machine_result, previous=previous, run=last_run, edit_log=log
    )
    outcome = build_outcome(assembler, None, [draft for draft, _, _ in store.drafts.list_all()])
    return RunRevision(
        run_id=last_run.id,
        themes=_with_reported_lineage(outcome.themes, before),
        areas=outcome.areas,
        assignments=_with_map_positions(outcome.assignments, store.runs.assignments(last_run.parameters.lens)),
        drafts=outcome.drafts,
        conflicts=outcome.conflicts,
    )


def _case_vectors(store: Store, cases: Sequence[Case], result: MachineResult, lens: str) -> Vectors:
    """Return the vectors (n, d); a case whose text changed since the run gets its cluster's centroid."""
    import numpy as np  # 0.1 s

    hashes = [text_hash(lens_text(case, lens)) for case in cases]
    vectors_by_hash = store.vectors.get_many(result.encoder, hashes)
    partition = result.partition
    d = partition.centres.shape[1]
    vectors = np.zeros((len(cases), d), np.float32)
    for row, key in enumerate(hashes):
        if key in vectors_by_hash:
            vectors[row] = vectors_by_hash[key]
        elif partition.labels[row] != OUTLIER:
            vectors[row] = partition.centres[partition.labels[row]]
    return vectors


def _with_reported_lineage(themes: Sequence[Theme], before: Sequence[Theme]) -> list[Theme]:
    """Restore the lineage that the run reported, unless the edit itself sets the lineage."""
    reported = {theme.id: theme.lineage for theme in before if theme.case_ids and theme.lineage is not Lineage.RETIRED}
    return [
        theme
        if theme.lineage in EDIT_LINEAGES or theme.id not in reported or not theme.case_ids
        else replace(theme, lineage=reported[theme.id])
        for theme in themes
    ]


def _with_map_positions(assignments: Sequence[Assignment], before: Sequence[Assignment]) -> list[Assignment]:
    """Copy the map positions: an edit does not change the data, so no case moves on the map."""
    positions = {assignment.case_id: (assignment.x, assignment.y) for assignment in before}
    return [
        replace(assignment, x=positions[assignment.case_id][0], y=positions[assignment.case_id][1])
        for assignment in assignments
    ]
