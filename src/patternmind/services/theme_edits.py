"""Edits of themes by people: checked against active edits, logged, and applied at once without a run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from patternmind.assembly import RunAssembler
from patternmind.domain.cases import Case
from patternmind.domain.edits import Edit, EditAction, EditConflict
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.members import require_actor
from patternmind.domain.themes import OUTLIER, Assignment, Lineage, Theme, Vectors
from patternmind.edits import ACTIONS, ThemesToEdit, cite_edit, find_contradictions
from patternmind.embedding.lenses import lens_text
from patternmind.embedding.vectors import text_hash
from patternmind.errors import ContradictoryEdit, ErrorCode, NotFound, UsageError, VersionConflict
from patternmind.ingestion.redaction.redactor import contains_name
from patternmind.ingestion.redaction.roster import Roster
from patternmind.lineage import PreviousRun
from patternmind.pipeline import build_outcome
from patternmind.ports import Clock, RunRecord, RunRevision, Store

MAX_ATTEMPTS = 3
"""Attempts to save an edit when a run or another edit is saved concurrently."""

MAX_THEME_NAME_CHARS = 120

EDIT_LINEAGES = frozenset((Lineage.MERGED, Lineage.SPLIT, Lineage.RETURNED, Lineage.RETIRED))
"""Lineages that an edit sets; all others stay as the run reported them."""


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

    def to_edit(self, *, seq: int, lens: str, at: datetime) -> Edit:
        """Return the edit as requested, unchecked."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in _NOT_LOGGED}
        return Edit(seq=seq, lens=lens, by=self.actor, at=at, **values)


_NOT_LOGGED = frozenset(("actor", "lens", "expected_seq"))
"""Fields of a request that an edit does not have, or has under another name."""


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

    @property
    def may_be_undone(self) -> bool:
        """True for an active edit that no other edit caused."""
        return self.undone_by is None and self.edit.undoes is None and self.edit.because is None


def undo_request(seq: int, *, actor: str, note: str = "", lens: str | None = None) -> ThemeEditRequest:
    """Return the request to undo an edit."""
    return ThemeEditRequest(action=EditAction.UNDO, actor=actor, undoes=seq, note=note, lens=lens)


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
    before = _themes_to_edit(store, lens, last_run)
    added: list[Edit] = []
    for request in requests:
        _check_expected_seq(request, log)
        before = replace(before, log=[*log, *added])
        edit = request.to_edit(seq=newest_seq + 1 + len(added), lens=lens, at=clock.now())
        edit = ACTIONS[edit.action].complete(_clean(store, edit, before), before)
        _check_contradictions(before.log, edit)
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
    theme_ids, case_ids = {request.theme_id, request.other_theme_id}, set(request.case_ids)
    for edit in log:
        overlaps = theme_ids & set(edit.theme_ids) or case_ids & set(edit.case_ids)
        same_undo = request.undoes is not None and request.undoes in {edit.seq, edit.undoes}
        if edit.seq > request.expected_seq and not edit.proposed and (overlaps or same_undo):
            raise VersionConflict("themes of lens", edit.lens)


def _request_lens(store: Store, request: ThemeEditRequest, log: Sequence[Edit]) -> str:
    if request.undoes is not None:
        undone = next((edit for edit in log if edit.seq == request.undoes), None)
        if undone is None or (request.lens and undone.lens != request.lens):
            raise NotFound("decision", str(request.undoes))
        return undone.lens
    if request.lens is not None:
        return request.lens
    last_run = store.runs.latest()
    return last_run.parameters.lens if last_run else "all"


def _themes_to_edit(store: Store, lens: str, last_run: RunRecord | None) -> ThemesToEdit:
    themes = store.themes.list_all(lens) if last_run else []
    assignments = store.runs.assignments(lens) if last_run else []
    return ThemesToEdit(
        themes={theme.id: theme for theme in themes},
        theme_of={assignment.case_id: assignment.theme_id for assignment in assignments},
        log=(),
        used_theme_ids=store.themes.all_ids(),
    )


def _clean(store: Store, edit: Edit, before: ThemesToEdit) -> Edit:
    """Check the fields of an edit; return it with case ids and clean texts."""
    actor = require_actor(edit.by)
    case_ids = tuple(dict.fromkeys(store.cases.get(case_id).id for case_id in edit.case_ids))
    for theme_id in (edit.theme_id, edit.other_theme_id):
        _require_theme(theme_id, edit.lens, before)
    name, note = _clean_text(store, edit.name, "name"), _clean_text(store, edit.note, "note")
    if len(name) > MAX_THEME_NAME_CHARS:
        raise UsageError(
            f"Use at most {MAX_THEME_NAME_CHARS} characters for the name; this one has {len(name)}.", field="name"
        )
    edit = replace(edit, by=actor, case_ids=case_ids, name=name, note=note)
    ACTIONS[edit.action].check(edit)
    return edit


def _require_theme(theme_id: str | None, lens: str, before: ThemesToEdit) -> None:
    if theme_id is None or theme_id in before.themes:
        return
    if theme_id in before.used_theme_ids:
        raise NotFound("theme", theme_id, f'It belongs to another lens than "{lens}".', code=ErrorCode.OTHER_LENS)
    raise NotFound("theme", theme_id)


def _clean_text(store: Store, text: str, field: str) -> str:
    """Normalise white space, and refuse a person's name: every export would include it."""
    text = " ".join(text.split())
    if text and contains_name(text, Roster.of(store.network.roster())):
        raise UsageError(
            f"The {field} contains a person's name or contact details. Please leave that out.", field=field
        )
    return text


def _check_contradictions(log: Sequence[Edit], edit: Edit) -> None:
    """Refuse an edit that contradicts active edits.

    Raises:
        ContradictoryEdit
    """
    if contradictory := find_contradictions(log, edit):
        existing = [cite_edit(other) for other in contradictory]
        raise ContradictoryEdit(cite_edit(edit), existing, [other.seq for other in contradictory])


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
