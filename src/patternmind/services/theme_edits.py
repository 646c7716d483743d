"""People's decisions about themes: checked against those that stand, logged, and seen at once without a run."""

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
from patternmind.domain.themes import (
    OUTLIER,
    Assignment,
    Lineage,
    Theme,
    Vectors,
)
from patternmind.edits import find_contradictory_edits
from patternmind.embedding.lenses import lens_text, text_hash
from patternmind.errors import (
    ContradictoryEdit,
    NotFound,
    UsageError,
    VersionConflict,
)
from patternmind.ingestion.redaction.roster import Roster
from patternmind.lineage import PreviousRun
from patternmind.pipeline import build_outcome
from patternmind.ports import (
    Clock,
    RunRecord,
    RunRevision,
    Store,
)
from patternmind.services.network import contains_name

MAX_ATTEMPTS = 3
"""How often a decision is tried again when a run or another decision came in between."""

MAX_THEME_NAME_CHARS = 120

EDIT_LINEAGES = frozenset((Lineage.MERGED, Lineage.SPLIT, Lineage.RETURNED, Lineage.RETIRED))
"""What a decision does to a theme; any other word of lineage stays what the run said."""

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
    """What a person wants done, as they said it.

    ``lens`` None means that of the last run; ``case_ids`` may be external ids. ``seen`` is the number of the newest
    line of the log that the person had seen; None decides on whatever stands. The others are as in ``Edit``.
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
    """The line that was added to the log, and what the data says against it, if it does firmly."""

    edit: Edit
    conflicts: tuple[EditConflict, ...]


@dataclass(frozen=True, slots=True)
class LoggedEdit:
    """``undone_by`` is the number of the undo that took it back."""

    edit: Edit
    undone_by: int | None


def submit_edit(store: Store, clock: Clock, request: ThemeEditRequest) -> EditResult:
    """Write a decision down and put the themes of the last run as it leaves them, in one transaction.

    Raises:
        UsageError: something is missing, empty, or a person's name.
        NotFound: no such theme, case or decision in this lens.
        Contradiction: a decision that stands says otherwise.
        ChangedMeanwhile: somebody decided about the same after ``seen``, or others went on deciding through all
            attempts.
    """
    return submit_edits(store, clock, [request])[0]


def submit_edits(
    store: Store, clock: Clock, requests: Sequence[ThemeEditRequest], *, is_chained: bool = False
) -> list[EditResult]:
    """Write several decisions about one lens down, all of them or none.

    Args:
        chained: those after the first are made because of it, and stand only while it does.

    Raises:
        as ``decide_themes``.
    """
    for attempt in range(MAX_ATTEMPTS):
        try:
            return _submit_once(store, clock, requests, is_chained=is_chained)
        except VersionConflict:
            if attempt == MAX_ATTEMPTS - 1:
                raise
    raise AssertionError


def list_logged_edits(store: Store, lens: str | None = None) -> list[LoggedEdit]:
    """Every decision about themes, oldest first, of a lens where one is named."""
    log = store.edits(lens)
    undone = {edit.undoes: edit.seq for edit in log if edit.undoes is not None and not edit.proposed}
    return [LoggedEdit(edit, undone.get(edit.seq) or undone.get(edit.because or 0)) for edit in log]


def get_last_edit_seq(store: Store) -> int:
    """The number of the newest line of the log, over all lenses; 0 where there is none."""
    log = store.edits()
    return log[-1].seq if log else 0


def _submit_once(
    store: Store, clock: Clock, requests: Sequence[ThemeEditRequest], *, is_chained: bool
) -> list[EditResult]:
    everything = store.edits()
    newest = everything[-1].seq if everything else 0
    lens = _request_lens(store, requests[0], everything)
    last = store.last_run(lens)
    log = [one for one in everything if one.lens == lens]
    added: list[Edit] = []
    for one in requests:
        _check_expected_seq(one, log)
        desk = _EditContext(store=store, lens=lens, last=last, log=[*log, *added])
        edit = desk.edit(one, seq=newest + 1 + len(added), clock=clock)
        desk.check(edit)
        added.append(replace(edit, because=added[0].seq) if is_chained and added else edit)
    changes = any(edit.changes_themes for edit in added)
    amended = apply_edit(store, last, [*log, *added]) if last and changes else None
    store.append_edits(added, expected_seq=newest, revision=amended)
    doubts = amended.conflicts if amended else ()
    return [EditResult(edit, tuple(one for one in doubts if one.edit_seq == edit.seq)) for edit in added]


def _check_expected_seq(request: ThemeEditRequest, log: Sequence[Edit]) -> None:
    """Refuse a decision on something that others decided about since the person looked."""
    if request.expected_seq is None:
        return
    about = {request.theme_id, request.other_theme_id} - {None}
    for line in log:
        meets = about & {line.theme_id, line.other_theme_id} or set(request.case_ids) & set(line.case_ids)
        same = request.undoes is not None and request.undoes in {line.seq, line.undoes}
        if line.seq > request.expected_seq and not line.proposed and (meets or same):
            raise VersionConflict("themes of lens", line.lens)


def _request_lens(store: Store, request: ThemeEditRequest, log: Sequence[Edit]) -> str:
    if request.action is EditAction.UNDO:
        undone = next((edit for edit in log if edit.seq == request.undoes), None)
        if undone is None or (request.lens and undone.lens != request.lens):
            raise NotFound("decision", str(request.undoes), "List them with `patternmind themes log`.")
        return undone.lens
    if request.lens is not None:
        return request.lens
    last = store.last_run()
    return last.parameters.lens if last else "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class _EditContext:
    """The lens as it stands when a decision is made."""

    store: Store
    lens: str
    last: RunRecord | None
    log: Sequence[Edit]

    def edit(self, asked: ThemeEditRequest, *, seq: int, clock: Clock) -> Edit:
        """The line to be added, everything in it known and well-formed."""
        if not asked.actor.strip():
            raise UsageError("Say who decides, with --by.", field="by")
        themes = {theme.id: theme for theme in self.store.themes(self.lens)} if self.last else {}
        cases = tuple(dict.fromkeys(self.store.case(case_id).id for case_id in asked.case_ids))
        edit = Edit(
            seq=seq,
            lens=self.lens,
            action=asked.action,
            by=" ".join(asked.actor.split()),
            at=clock.now(),
            theme_id=self._known(asked.theme_id, themes),
            other_theme_id=self._known(asked.other_theme_id, themes),
            case_ids=cases,
            name=self._name(asked.name, asked.action),
            undoes=asked.undoes,
            note=self._words(asked.note, "note"),
            proposed=asked.proposed,
            answers=asked.answers,
            run_id=asked.run_id,
        )
        _check_required_fields(edit)
        if edit.action is EditAction.UNDO:
            self._check_undo(edit)
            return edit
        done = self._fill_in(edit, themes)
        return replace(done, other_theme_id=None) if edit.proposed and edit.action is EditAction.SPLIT_OFF else done

    def check(self, edit: Edit) -> None:
        """Refuse what cannot stand beside the decisions that stand.

        Raises:
            Contradiction
        """
        if edit.action not in BINDING_ACTIONS | {EditAction.UNDO}:
            return
        stand = binding_edits(self.log)
        if edit.action is EditAction.UNDO:
            stand = binding_edits([*self.log, replace(edit, proposed=False)])
            against = find_contradictory_edits(stand) or self._blocking_locks(edit, stand)
        else:
            against = find_contradictory_edits(stand, edit)
        if against:
            raise ContradictoryEdit(edit.describe(), [one.describe() for one in against], [one.seq for one in against])

    def _blocking_locks(self, undo: Edit, active_edits: Sequence[Edit]) -> tuple[Edit, ...]:
        """The locks that hold the name which an undo would take back."""
        undone = next(edit for edit in self.log if edit.seq == undo.undoes)
        named = undone.action is EditAction.RENAME
        locks = (edit for edit in active_edits if edit.action is EditAction.LOCK and edit.theme_id == undone.theme_id)
        return tuple(lock for lock in locks if named and lock.seq > undone.seq)

    def _known(self, theme_id: str | None, themes: dict[str, Theme]) -> str | None:
        if theme_id is None or theme_id in themes:
            return theme_id
        remedy = "List them with `patternmind themes --all`."
        if theme_id in self.store.theme_ids():
            remedy = f'It belongs to another lens than "{self.lens}"; name that with --lens.'
        raise NotFound("theme", theme_id, remedy)

    def _name(self, name: str, action: EditAction) -> str:
        name = self._words(name, "name")
        if action is EditAction.RENAME and not any(character.isalnum() for character in name):
            raise UsageError("Give the theme a name with at least one word.", field="name")
        if len(name) > MAX_THEME_NAME_CHARS:
            raise UsageError(
                f"A theme's name has at most {MAX_THEME_NAME_CHARS} characters; this one has {len(name)}.", field="name"
            )
        return name

    def _words(self, text: str, field: str) -> str:
        """A text on one line that names nobody: a person's name would leave with every export."""
        text = " ".join(text.split())
        if text and contains_name(text, Roster.of(self.store.roster())):
            raise UsageError(f"The {field} names a person or holds contact data. Say it without, please.", field=field)
        return text

    def _check_undo(self, edit: Edit) -> None:
        undone = next(one for one in self.log if one.seq == edit.undoes)
        if undone.action is EditAction.UNDO:
            raise UsageError(f"Decision {undone.seq} is an undo itself. Decide anew what it took back.")
        before = next((one for one in self.log if one.undoes == undone.seq and not one.proposed), None)
        if before is not None:
            raise UsageError(f"Decision {undone.seq} was taken back already, by {before.describe()}.")
        if undone not in active_edits(self.log):
            raise UsageError(f"Decision {undone.seq} was made for decision {undone.because}, which was taken back.")

    def _fill_in(self, edit: Edit, themes: dict[str, Theme]) -> Edit:
        """The edit with what the person did not have to say: members, names, the id of a theme split off."""
        theme = themes.get(edit.theme_id or "")
        placed = {one.case_id: one.theme_id for one in self.store.assignments(self.lens)} if self.last else {}
        match edit.action:
            case EditAction.RENAME if theme:
                return replace(edit, former_name=theme.name)
            case EditAction.LOCK if theme:
                return replace(edit, case_ids=tuple(sorted(theme.case_ids)), name=theme.name)
            case EditAction.RETIRE if theme:
                return replace(edit, case_ids=tuple(sorted(theme.case_ids)))
            case EditAction.MOVE_OUT if theme:
                strangers = [case_id for case_id in edit.case_ids if placed.get(case_id) != theme.id]
                if strangers:
                    raise UsageError(
                        f"{', '.join(strangers)}: not in {theme.id}, so it cannot be moved out of it.", field="case_ids"
                    )
                return edit
            case EditAction.SPLIT_OFF:
                return replace(edit, other_theme_id=self._new_theme_id(edit, theme, placed))
            case _:
                return edit

    def _new_theme_id(self, edit: Edit, theme: Theme | None, theme_by_case: dict[str, str | None]) -> str:
        """The id of the new theme; none where nothing would be left of the old one, or the cases are not known yet."""
        home = theme.id if theme else None
        strangers = [
            case_id for case_id in edit.case_ids if case_id not in theme_by_case or theme_by_case[case_id] != home
        ]
        if strangers:
            place = f"in {home}" if home else "known to the last run and in no theme"
            raise UsageError(
                f"{', '.join(strangers)}: not {place}, so it cannot be split off from there.", field="case_ids"
            )
        if theme and set(theme.case_ids) <= set(edit.case_ids):
            raise UsageError(f"Nothing would be left of {theme.id}. Rename it instead, or leave a case in it.")
        taken = self.store.theme_ids()
        salt = 0
        while True:
            told = "\n".join((self.lens, str(edit.seq), str(salt), *sorted(edit.case_ids)))
            theme_id = f"t-{hashlib.sha256(told.encode()).hexdigest()[:10]}"
            if theme_id not in taken:
                return theme_id
            salt += 1


def _check_required_fields(edit: Edit) -> None:
    if edit.action in ACTIONS_REQUIRING_THEME and edit.theme_id is None:
        raise UsageError(f"Name the theme to {edit.action.value.replace('_', ' ')}.")
    if edit.action in ACTIONS_REQUIRING_CASES and not edit.case_ids:
        raise UsageError("Name at least one case.", field="case_ids")
    if edit.action in {EditAction.TOGETHER, EditAction.APART} and len(edit.case_ids) < 2:
        raise UsageError(f"It takes two different cases to be kept {edit.action.value}.", field="case_ids")
    if edit.action in {EditAction.ACCEPT, EditAction.DECLINE} and not (edit.answers or (edit.run_id and edit.theme_id)):
        raise UsageError("Say what is accepted or declined: what a run made of a theme, or a decision by its number.")
    if edit.action is EditAction.MERGE and edit.other_theme_id in {None, edit.theme_id}:
        raise UsageError("Name two different themes to merge.", field="other_theme_id")


# At once -------------------------------------------------------------------------------------------------------------


def apply_edit(store: Store, last_run: RunRecord, log: Sequence[Edit]) -> RunRevision:
    """The last run of a lens with a log of edits laid over what it found: what the next run finds in the same cases.

    Raises:
        UsageError: that run was made by a program that did not keep what it found, or a case of it is gone.
    """
    found = store.found(last_run.id)
    by_id = {case.id: case for case in store.cases()}
    if found is None or any(case_id not in by_id for case_id in found.case_ids):
        raise UsageError("The last run does not fit the cases any more. Run `patternmind run` first, then decide.")
    cases = [replace(by_id[id], duplicate_of=found.duplicate_of.get(id)) for id in found.case_ids]
    before = store.themes(last_run.parameters.lens)
    vectors = _case_vectors(store, cases, found, last_run.parameters.lens)
    past = PreviousRun(
        themes=before,
        seen_case_ids=frozenset(found.case_ids),
        used_theme_ids=store.theme_ids(),
        encoder=found.encoder,
        vectors=dict(zip(found.case_ids, vectors, strict=True)),
    )
    line = RunAssembler(cases=cases, vectors=vectors, machine_result=found, previous=past, run=last_run, edit_log=log)
    outcome = build_outcome(line, None, [draft for draft, _, _ in store.drafts()])
    return RunRevision(
        run_id=last_run.id,
        themes=_with_reported_lineage(outcome.themes, before),
        areas=outcome.areas,
        assignments=_with_map_positions(outcome.assignments, store.assignments(last_run.parameters.lens)),
        drafts=outcome.drafts,
        conflicts=outcome.conflicts,
    )


def _case_vectors(store: Store, cases: Sequence[Case], result: MachineResult, lens: str) -> Vectors:
    """(n, d); a case whose text changed since the run stands where its cluster does until the next one."""
    import numpy as np  # 0.1 s

    hashes = [text_hash(lens_text(case, lens)) for case in cases]
    known = store.vectors(result.encoder, hashes)
    part = result.partition
    d = part.centres.shape[1]
    vectors = np.zeros((len(cases), d), np.float32)
    for row, key in enumerate(hashes):
        if key in known:
            vectors[row] = known[key]
        elif part.labels[row] != OUTLIER:
            vectors[row] = part.centres[part.labels[row]]
    return vectors


def _with_reported_lineage(themes: Sequence[Theme], before: Sequence[Theme]) -> list[Theme]:
    """The themes with the lineage that the run told, but where the decision itself made another of it."""
    told = {theme.id: theme.lineage for theme in before if theme.case_ids and theme.lineage is not Lineage.RETIRED}
    return [
        theme
        if theme.lineage in EDIT_LINEAGES or theme.id not in told or not theme.case_ids
        else replace(theme, lineage=told[theme.id])
        for theme in themes
    ]


def _with_map_positions(assignments: Sequence[Assignment], before: Sequence[Assignment]) -> list[Assignment]:
    """A decision moves no case on the map: the data are what they were."""
    places = {one.case_id: (one.x, one.y) for one in before}
    return [replace(one, x=places[one.case_id][0], y=places[one.case_id][1]) for one in assignments]
