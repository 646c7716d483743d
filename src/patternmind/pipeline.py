"""Pipeline of a run: from cases to themes and grounded drafts. ``run_pipeline`` is its entry point."""

import hashlib
import json
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial

import numpy as np

from patternmind import __version__
from patternmind.assembly import RunAssembler, build_groups
from patternmind.clustering.clusterer import MAX_FITTED_ROWS, group_rows
from patternmind.clustering.duplicates import find_near_duplicates
from patternmind.clustering.exemplars import choose_exemplars
from patternmind.clustering.layout import FEW_CHANGES_STEPS, WARM_START_STEPS, compute_layout
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.partition import default_n_neighbours, make_fits, partition_rows
from patternmind.clustering.warm_start import MIN_ROWS, hash_rows, warm_start_fits
from patternmind.domain.calls import current_run_id
from patternmind.domain.cases import Case
from patternmind.domain.drafts import Draft
from patternmind.domain.edits import Edit, binding_edits
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.stored_fits import FitLabels, StoredFits
from patternmind.domain.theme_counts import counted_as
from patternmind.domain.themes import Assignment, Neighbours, Partition, Theme, ThemeChange, Vectors
from patternmind.edits import cite_edit, find_conflicts, find_violations, resolve_edits
from patternmind.embedding.lenses import check_lens, extract_lens_text, lens_notes
from patternmind.embedding.vectors import embed_texts
from patternmind.errors import EditsViolated, PatternmindError, VersionConflict
from patternmind.ingestion.redaction.roster import Roster
from patternmind.lineage import (
    PreviousRun,
    describe_changes,
    is_dormant,
    keep_unseen_members,
    last_closed_run,
    mark_dormant,
    match_areas,
    match_themes,
)
from patternmind.llm_drafting import (
    LlmContext,
    LlmSession,
    PatternDrafts,
    draft_patterns,
    name_new_themes,
    pair_similarity,
)
from patternmind.ports import Clock, Encoder, Progress, RunOutcome, RunParameters, RunRecord, Store

METHOD_VERSION = "lens/3 map/1 themes/6 counter/1"
"""Part of every fingerprint, so that a new method computes a run again."""

INCOMPLETE_FINGERPRINT = ""
"""Fingerprint of a run with failed model calls; the next run repeats the calls."""

MAP_NEIGHBOURS = 15
"""Number of neighbours for the map layout.

The clustering graph has more, which would pull every theme towards the centre of the map.
"""


def run_pipeline(
    store: Store,
    encoder: Encoder,
    clock: Clock,
    parameters: RunParameters,
    *,
    llm: LlmContext | None = None,
    progress: Progress | None = None,
) -> RunRecord:
    """Group all cases, continue former themes, draft patterns, and store the outcome in one transaction.

    The same cases, former themes and parameters give the same outcome. If nothing changed since the last finished run
    of the lens, that run is returned and nothing is computed.
    """
    check_lens(parameters.lens)
    cases = store.cases.list_all(since=parameters.since)
    last_run = store.runs.latest(parameters.lens)
    fingerprint = compute_fingerprint(
        cases, parameters, encoder.id, llm, binding_edits(store.edits.list_all(parameters.lens))
    )
    if last_run is not None and last_run.fingerprint == fingerprint and not parameters.from_scratch:
        return last_run
    run = store.runs.begin(parameters, clock.now())
    run_context = current_run_id.set(run.id)
    steps = StepTimer()
    try:
        with steps.timed("embed"):
            lens_texts = [extract_lens_text(case, parameters.lens) for case in cases]
            texts = [lens_text.text for lens_text in lens_texts]
            vectors = embed_texts(store, encoder, texts, progress=progress)
        with steps.timed("cluster"):
            clustering_inputs = prepare_clustering(store, cases, vectors, run, encoder.id)
            neighbours = clustering_inputs.neighbours
            duplicate_of = {
                cases[row].id: cases[first].id for row, first in find_near_duplicates(texts, neighbours).items()
            }
            cases = [_with_duplicate_of(case, duplicate_of.get(case.id)) for case in cases]
            counted = counted_as(cases)
            group = partial(partition_rows, fits=clustering_inputs.fits) if clustering_inputs.fits else group_rows
            partition = group(
                vectors,
                neighbours,
                engine=parameters.engine,
                seed=parameters.seed,
                level=parameters.level,
                is_duplicate=np.array([counted[case.id] != case.id for case in cases], np.bool_),
            )
        with steps.timed("carry"):
            previous = read_previous_run(store, cases, vectors, lens=parameters.lens, encoder=encoder.id)
            new_case_ids = frozenset(case.id for case in cases) - cases_before_period(store, parameters)
            machine_result = continue_run(
                store, cases, vectors, partition, previous, new_case_ids=new_case_ids, run=run
            )
        llm_context = llm and replace(llm, similarity=llm.similarity or pair_similarity(encoder))
        llm_session = LlmSession(llm_context, Roster.of(store.network.roster())) if llm_context else None
        while True:  # retries only if a theme was edited concurrently
            edit_log = store.edits.list_all(parameters.lens)
            with steps.timed("draft"):
                assembler = RunAssembler(
                    cases=cases,
                    vectors=vectors,
                    machine_result=machine_result,
                    previous=previous,
                    run=run,
                    edit_log=edit_log,
                    encode=encoder.encode,
                )
                former_drafts = [draft for draft, _, _ in store.drafts.list_all(current=False)] if llm_session else []
                outcome = build_outcome(assembler, llm_session, former_drafts)
            with steps.timed("map"):
                outcome = replace(
                    outcome, assignments=add_map_positions(store, assembler, clustering_inputs, outcome.assignments)
                )
            fingerprint = compute_fingerprint(cases, parameters, encoder.id, llm, assembler.edits)
            if llm_session and llm_session.n_failed:
                fingerprint = INCOMPLETE_FINGERPRINT
            notes = [*clustering_inputs.notes, *outcome.notes, *lens_notes(lens_texts, parameters.lens)]
            outcome = replace(
                outcome,
                notes=notes,
                seconds=steps.seconds,
                fingerprint=fingerprint,
                fits=clustering_inputs.fits_to_store,
            )
            try:
                return store.finish_run(run.id, outcome, clock.now())
            except VersionConflict:
                continue
    except PatternmindError as error:
        store.runs.fail(run.id, type(error).__name__, clock.now())
        raise
    finally:
        current_run_id.reset(run_context)


def _with_duplicate_of(case: Case, original_id: str | None) -> Case:
    return case if case.duplicate_of == original_id else replace(case, duplicate_of=original_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringInputs:
    """Neighbours and fits from which a run groups its cases.

    Attributes:
        neighbours: nearest neighbours of the cases.
        fits: fits of the graph engine; None if the partition makes its own.
        fits_to_store: fits that the next run can extend.
        notes: notes of the run on a warm start.
        is_warm_start: True if the fits extend those of the last run.
    """

    neighbours: Neighbours
    fits: FitLabels | None = None
    fits_to_store: StoredFits | None = None
    notes: tuple[str, ...] = ()
    is_warm_start: bool = False


def prepare_clustering(
    store: Store, cases: Sequence[Case], vectors: Vectors, run: RunRecord, encoder: str
) -> ClusteringInputs:
    """Prepare neighbours and fits: extend those of the lens's last run if little changed, else compute all."""
    parameters = run.parameters
    if parameters.engine != "graph" or not MIN_ROWS <= len(cases) <= MAX_FITTED_ROWS:
        return ClusteringInputs(neighbours=find_nearest_neighbours(vectors, default_n_neighbours(len(cases))))
    config = json.dumps([__version__, METHOD_VERSION, parameters.engine, parameters.seed, parameters.level, encoder])
    config_hash = hashlib.sha256(config.encode()).hexdigest()
    row_hashes = hash_rows([case.id for case in cases], vectors)
    stored = None if parameters.from_scratch else store.runs.stored_fits(parameters.lens)
    warm_start = (
        warm_start_fits(stored, vectors, row_hashes, seed=parameters.seed)
        if stored and stored.config_hash == config_hash
        else None
    )
    if stored and warm_start:
        baseline_digests, neighbours, fits = stored.baseline_digests, warm_start.neighbours, warm_start.fits
        notes = (f"Continued from {stored.run_id}: {warm_start.n_new} of {len(cases)} cases are new or changed.",)
    else:
        neighbours = find_nearest_neighbours(vectors, default_n_neighbours(len(cases)))
        baseline_digests, fits, notes = row_hashes, make_fits(neighbours, seed=parameters.seed), ()
    fits_to_store = StoredFits(
        run_id=run.id,
        config_hash=config_hash,
        row_digests=row_hashes,
        baseline_digests=baseline_digests,
        neighbours=neighbours,
        labels=fits,
    )
    return ClusteringInputs(
        neighbours=neighbours, fits=fits, fits_to_store=fits_to_store, notes=notes, is_warm_start=warm_start is not None
    )


def build_outcome(
    assembler: RunAssembler, llm_session: LlmSession | None, former_drafts: Sequence[Draft] = ()
) -> RunOutcome:
    """Build the outcome of a run and check it against all active edits.

    Args:
        assembler: the run's cases, machine result and edits.
        llm_session: session for names and drafts; None to use no language model.
        former_drafts: all earlier drafts; a draft that exists already is not requested again.

    Raises:
        EditsViolated: The outcome violates an edit.
    """
    themes, areas = assembler.themes(assembler.changes())
    themes, notes = name_new_themes(assembler, themes, llm_session)
    patterns = (
        draft_patterns(assembler, themes, llm_session, former_drafts)
        if assembler.run.parameters.draft
        else PatternDrafts([], [])
    )
    assignments = assembler.assignments(themes)
    check_edits(themes, assignments, assembler.edits)
    return RunOutcome(
        themes=themes,
        areas=areas,
        changes=assembler.changes(),
        assignments=assignments,
        duplicate_of=assembler.machine_result.duplicate_of,
        drafts=[grounded.draft for grounded in patterns.drafts],
        n_refused_claims=sum(len(grounded.refused_claims) for grounded in patterns.drafts),
        notes=[
            *assembler.notes(patterns.drafts),
            *notes,
            *patterns.notes,
            *(llm_session.notes() if llm_session else ()),
        ],
        conflicts=find_conflicts(assembler.machine_result, assembler.edits),
        machine_result=assembler.machine_result,
        last_edit_seq=assembler.edit_log[-1].seq if assembler.edit_log else 0,
    )


def add_map_positions(
    store: Store, assembler: RunAssembler, inputs: ClusteringInputs, assignments: Sequence[Assignment]
) -> list[Assignment]:
    """Return the assignments with map positions; cases of the lens's last map stay near their position."""
    parameters = assembler.run.parameters
    last_position = {
        assignment.case_id: (assignment.x, assignment.y)
        for assignment in store.runs.assignments(parameters.lens)
        if assignment.x is not None
    }
    former = np.array(
        [last_position.get(assignment.case_id, (None, None)) for assignment in assignments], np.float32
    ).reshape(-1, 2)
    positions = compute_layout(
        inputs.neighbours.top(MAP_NEIGHBOURS),
        assembler.partition.labels,
        assembler.partition.centres,
        former=former,
        seed=parameters.seed,
        steps=FEW_CHANGES_STEPS if inputs.is_warm_start else WARM_START_STEPS,
    )
    return [
        replace(assignment, x=float(x), y=float(y)) for assignment, (x, y) in zip(assignments, positions, strict=True)
    ]


def check_edits(themes: Sequence[Theme], assignments: Sequence[Assignment], edits: Sequence[Edit]) -> None:
    """Check that themes and assignments satisfy all active edits.

    Raises:
        EditsViolated: They violate an edit. This is a bug of the program, and nothing is stored.
    """
    violations = find_violations({assignment.case_id: assignment.theme_id for assignment in assignments}, themes, edits)
    if violations:
        raise EditsViolated(cite_edit(violations[0].edit), violations[0].detail, len(violations))


def compute_fingerprint(
    cases: Sequence[Case],
    parameters: RunParameters,
    encoder_id: str,
    llm: LlmContext | None,
    edits: Sequence[Edit] = (),
) -> str:
    """Hash all inputs of a run's outcome, except the themes of the previous run."""
    case_facts = [
        [case.id, case.text_version, str(case.date), case.team, case.contributor, list(case.linked_cases)]
        for case in cases
    ]
    model = [llm.model.name, llm.prompts.content_hash()] if llm else None
    edit_facts = [
        [edit.seq, edit.action, edit.theme_id, edit.other_theme_id, list(edit.case_ids), edit.name] for edit in edits
    ]
    # stored fingerprints hash the former name of from_scratch: with another key, every network would run again once
    parameter_values = {"afresh" if key == "from_scratch" else key: value for key, value in asdict(parameters).items()}
    parameter_values["afresh"] = False
    inputs = json.dumps(
        [__version__, METHOD_VERSION, parameter_values, encoder_id, model, case_facts, edit_facts], ensure_ascii=False
    )
    return hashlib.sha256(inputs.encode("utf-8", "surrogatepass")).hexdigest()


def read_previous_run(store: Store, cases: Sequence[Case], vectors: Vectors, *, lens: str, encoder: str) -> PreviousRun:
    """Read the themes that this run of the lens continues; row i of ``vectors`` belongs to ``cases[i]``."""
    return PreviousRun(
        themes=store.themes.list_all(lens),
        seen_case_ids=frozenset(store.runs.seen_case_ids(lens) & {case.id for case in cases}),
        used_theme_ids=store.themes.all_ids(),
        encoder=encoder,
        vectors={case.id: vector for case, vector in zip(cases, vectors, strict=True)},
    )


def continue_run(
    store: Store,
    cases: Sequence[Case],
    vectors: Vectors,
    partition: Partition,
    previous: PreviousRun,
    *,
    new_case_ids: frozenset[str],
    run: RunRecord,
) -> MachineResult:
    """Match clusters with the previous machine result; user edits are ignored.

    If clusters were matched with edited themes, two merged themes would drift apart with every run, and undoing an edit
    would not restore the former result.
    """
    lens = run.parameters.lens
    previous_result = replace(previous, themes=load_theme_memory(store, previous, lens=lens))
    members = [partition.rows_of(label) for label in range(partition.n_clusters)]
    groups = build_groups(cases, members, partition.centres, new_case_ids)
    theme_ids = match_themes(groups, previous_result, lens=lens)
    area_of = match_areas(groups, [int(area) for area in partition.areas], previous_result, lens=lens)
    machine_result = MachineResult(
        case_ids=tuple(case.id for case in cases),
        theme_ids=theme_ids,
        area_ids=tuple(area_of[int(area)] for area in partition.areas),
        partition=partition,
        encoder=previous.encoder,
        new_cases=tuple(sorted(new_case_ids)),
        duplicate_of={case.id: case.duplicate_of for case in cases if case.duplicate_of},
    )
    changes = describe_changes(groups, theme_ids, previous_result, label=run.parameters.label)
    return replace(
        machine_result,
        known_themes=tuple(build_theme_memory(machine_result, vectors, previous_result.themes, changes, lens=lens)),
    )


def build_theme_memory(
    machine_result: MachineResult,
    vectors: Vectors,
    former: Sequence[Theme],
    changes: Sequence[ThemeChange],
    *,
    lens: str,
) -> Iterator[Theme]:
    """Yield a snapshot of each theme for the next run: cases, exemplars, centroid, dormancy; no text."""
    former_by_id = {theme.id: theme for theme in former}
    n_groups = len(machine_result.theme_ids)
    for label, change in enumerate(changes[:n_groups]):
        rows = machine_result.partition.rows_of(label)
        exemplars = choose_exemplars(vectors, rows, machine_result.partition.centres[label])
        theme = Theme(
            id=change.theme_id,
            lens=lens,
            area_id=machine_result.area_ids[label],
            name="",
            case_ids=tuple(machine_result.case_ids[row] for row in rows),
            exemplars=tuple(machine_result.case_ids[row] for row in exemplars.central),
            n_cases=0,
            n_teams=0,
            n_contributors=0,
            lineage=change.lineage,
            centre=tuple(float(x) for x in machine_result.partition.centres[label]),
            encoder=machine_result.encoder,
        )
        yield keep_unseen_members(theme, former_by_id.get(change.theme_id), machine_result.case_ids)
    for change in changes[n_groups:]:
        former_self = replace(former_by_id[change.theme_id], name="", gist="", keywords=(), differs_by=())
        yield mark_dormant(former_self, change.lineage)


def load_theme_memory(store: Store, previous: PreviousRun, *, lens: str) -> list[Theme]:
    """Return the themes of the last machine result, plus themes held by people only.

    The latter, such as a theme that a person split off, are matched as soon as the data shows them too.
    """
    last = store.runs.latest(lens)
    machine_result = store.runs.machine_result(last.id) if last else None
    if machine_result is None:
        return list(previous.themes)
    held_theme_ids = {
        theme_id for theme_id, _ in resolve_edits(binding_edits(store.edits.list_all(lens))).required_theme.values()
    }
    active_theme_ids = {theme.id for theme in machine_result.known_themes if not is_dormant(theme)}
    held_themes = [theme for theme in previous.themes if theme.id in held_theme_ids - active_theme_ids]
    return [
        *(
            theme
            for theme in machine_result.known_themes
            if theme.id not in {held_theme.id for held_theme in held_themes}
        ),
        *held_themes,
    ]


def cases_before_period(store: Store, parameters: RunParameters) -> frozenset[str]:
    """Return the cases that are not new in the period of the run."""
    closed_run = last_closed_run(store.runs.list_all(), lens=parameters.lens, label=parameters.label)
    return frozenset(store.runs.seen_case_ids(up_to_number=closed_run.number)) if closed_run else frozenset()


@dataclass
class StepTimer:
    """Seconds per step, in order of execution."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def timed(self, step: str) -> Generator[None]:
        started = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - started, 3)


__all__ = ["LlmContext", "build_outcome", "compute_fingerprint", "run_pipeline"]
