"""The line: cases in, themes and grounded drafts out. ``run_cycle`` is all of it; the rest of the file serves it."""

import hashlib
import json
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

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
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import Draft
from patternmind.domain.edits import Edit, binding_edits
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.stored_fits import FitLabels, StoredFits
from patternmind.domain.themes import (
    Assignment,
    Neighbours,
    Partition,
    Theme,
    ThemeChange,
    Vectors,
)
from patternmind.edits import find_conflicts, find_violations, resolve_edits
from patternmind.embedding.lenses import (
    check_lens,
    extract_lens_text,
    lens_notes,
    lens_text,
    missing_texts,
    stack_vectors,
    text_hash,
)
from patternmind.errors import EditsViolated, PatternmindError, VersionConflict
from patternmind.ingestion.redaction.redactor import Roster
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
from patternmind.ports import (
    Clock,
    Encoder,
    Progress,
    RunOutcome,
    RunParameters,
    RunRecord,
    Store,
)

EMBEDDING_CHUNK_SIZE = 512
"""Texts embedded between two commits: what a killed run has to do again, at most."""

METHOD_VERSION = "lens/3 map/1 themes/6 counter/1"
"""Part of every fingerprint: a network whose last run was made by another method is run anew."""

INCOMPLETE_FINGERPRINT = ""
"""The fingerprint of a run in which calls to the model failed: it stands, and the next run asks again."""

MAP_NEIGHBOURS = 15
"""Neighbours that pull on the map; the themes' own graph is wider, and would pull every island towards the middle."""


def run_pipeline(
    store: Store,
    encoder: Encoder,
    clock: Clock,
    parameters: RunParameters,
    *,
    llm: LlmContext | None = None,
    progress: Progress | None = None,
) -> RunRecord:
    """Group all cases to date, carry the themes on, draft their patterns, and store the outcome whole or not at all.

    The same cases, former themes and parameters give the same outcome; where nothing changed since the last finished
    run of this lens, that run is the answer and nothing is computed.
    """
    check_lens(parameters.lens)
    cases = store.cases(since=parameters.since)
    last = store.last_run(parameters.lens)
    inputs = compute_fingerprint(cases, parameters, encoder.id, llm, binding_edits(store.edits(parameters.lens)))
    if last is not None and last.fingerprint == inputs and not parameters.from_scratch:
        return last
    run = store.begin_run(parameters, clock.now())
    outside = current_run_id.set(run.id)
    steps = StepTimer()
    try:
        with steps.timed("embed"):
            looked = [extract_lens_text(case, parameters.lens) for case in cases]
            texts = [one.text for one in looked]
            vectors = embed_texts(store, encoder, texts, progress=progress)
        with steps.timed("cluster"):
            basis = prepare_clustering(store, cases, vectors, run, encoder.id)
            neighbours = basis.neighbours
            repeats = {cases[row].id: cases[first].id for row, first in find_near_duplicates(texts, neighbours).items()}
            part = _partition_cases(vectors, basis, parameters, is_duplicate=_find_duplicates(cases, repeats))
        cases = [_with_duplicate_of(case, repeats.get(case.id)) for case in cases]
        with steps.timed("carry"):
            past = read_previous_run(store, cases, vectors, lens=parameters.lens, encoder=encoder.id)
            new = frozenset(case.id for case in cases) - cases_before_period(store, parameters)
            found = continue_run(store, cases, vectors, part, past, new_case_ids=new, run=run)
        compared = llm and replace(llm, similarity=llm.similarity or pair_similarity(encoder))
        writer = LlmSession(compared, Roster.of(store.roster())) if compared else None
        while True:  # ends: it goes on only where somebody decided about a theme in the moment it took
            log = store.edits(parameters.lens)
            with steps.timed("draft"):
                line = RunAssembler(
                    cases=cases,
                    vectors=vectors,
                    machine_result=found,
                    previous=past,
                    run=run,
                    edit_log=log,
                    encode=encoder.encode,
                )
                former = [draft for draft, _, _ in store.drafts(current=False)] if writer else []
                outcome = build_outcome(line, writer, former)
            with steps.timed("map"):
                outcome = replace(outcome, assignments=add_map_positions(store, line, basis, outcome.assignments))
            inputs = compute_fingerprint(cases, parameters, encoder.id, llm, line.edits)
            if writer and writer.n_failed:
                inputs = INCOMPLETE_FINGERPRINT
            notes = [*basis.notes, *outcome.notes, *lens_notes(looked, parameters.lens)]
            outcome = replace(outcome, notes=notes, seconds=steps.seconds, fingerprint=inputs, fits=basis.fits_to_store)
            try:
                return store.finish_run(run.id, outcome, clock.now())
            except VersionConflict:
                continue
    except PatternmindError as error:
        store.fail_run(run.id, type(error).__name__, clock.now())
        raise
    finally:
        current_run_id.reset(outside)


def _with_duplicate_of(case: Case, original_id: str | None) -> Case:
    return case if case.duplicate_of == original_id else replace(case, duplicate_of=original_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringInputs:
    """What a run groups its cases by; ``kept`` is what the next may continue, and ``notes`` say what this one did."""

    neighbours: Neighbours
    fits: FitLabels | None = None
    fits_to_store: StoredFits | None = None
    notes: tuple[str, ...] = ()
    is_warm_start: bool = False


def _find_duplicates(cases: Sequence[Case], duplicate_of: Mapping[str, str]) -> NDArray[np.bool_]:
    """Which cases, (n,), tell again what another tells: near-duplicates, and recaps of cases that are there."""
    known = {case.id for case in cases} | {case.external_id for case in cases if case.external_id}
    return np.array(
        [
            case.id in duplicate_of or (case.kind is CaseKind.RECAP and not known.isdisjoint(case.linked_cases))
            for case in cases
        ],
        np.bool_,
    )


def _partition_cases(
    vectors: Vectors, inputs: ClusteringInputs, parameters: RunParameters, *, is_duplicate: NDArray[np.bool_]
) -> Partition:
    if inputs.fits is None:
        return group_rows(
            vectors,
            inputs.neighbours,
            engine=parameters.engine,
            seed=parameters.seed,
            level=parameters.level,
            is_duplicate=is_duplicate,
        )
    return partition_rows(
        vectors,
        inputs.neighbours,
        engine=parameters.engine,
        seed=parameters.seed,
        level=parameters.level,
        fits=inputs.fits,
        is_duplicate=is_duplicate,
    )


def prepare_clustering(
    store: Store, cases: Sequence[Case], vectors: Vectors, run: RunRecord, encoder: str
) -> ClusteringInputs:
    """Neighbours and fits: those of the last run of the lens brought up to date where little changed, or made anew."""
    given = run.parameters
    if given.engine != "graph" or not MIN_ROWS <= len(cases) <= MAX_FITTED_ROWS:
        return ClusteringInputs(neighbours=find_nearest_neighbours(vectors, default_n_neighbours(len(cases))))
    said = json.dumps([__version__, METHOD_VERSION, given.engine, given.seed, given.level, encoder])
    holds_for = hashlib.sha256(said.encode()).hexdigest()
    marks = hash_rows([case.id for case in cases], vectors)
    last = None if given.from_scratch else store.fits(given.lens)
    warm = warm_start_fits(last, vectors, marks, seed=given.seed) if last and last.config_hash == holds_for else None
    if last and warm:
        first, neighbours, fits = last.baseline_digests, warm.neighbours, warm.fits
        notes = (f"Continued from {last.run_id}: {warm.n_new} of {len(cases)} cases are new or changed.",)
    else:
        neighbours = find_nearest_neighbours(vectors, default_n_neighbours(len(cases)))
        first, fits, notes = marks, make_fits(neighbours, seed=given.seed), ()
    kept = StoredFits(
        run_id=run.id,
        config_hash=holds_for,
        row_digests=marks,
        baseline_digests=first,
        neighbours=neighbours,
        labels=fits,
    )
    return ClusteringInputs(
        neighbours=neighbours, fits=fits, fits_to_store=kept, notes=notes, is_warm_start=warm is not None
    )


def build_outcome(
    assembler: RunAssembler, llm_session: LlmSession | None, former_drafts: Sequence[Draft] = ()
) -> RunOutcome:
    """Everything the line says of a run, and the proof that it breaks no decision.

    Args:
        former: all drafts there ever were; what a theme has already is not asked for again.

    Raises:
        BrokenDecision
    """
    themes, areas = assembler.themes(assembler.changes())
    themes, notes = name_new_themes(assembler, themes, llm_session)
    written = (
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
        drafts=[grounded.draft for grounded in written.drafts],
        n_refused_claims=sum(len(grounded.refused_claims) for grounded in written.drafts),
        notes=[*assembler.notes(written.drafts), *notes, *written.notes, *(llm_session.notes() if llm_session else ())],
        conflicts=find_conflicts(assembler.machine_result, assembler.edits),
        machine_result=assembler.machine_result,
        last_edit_seq=assembler.edit_log[-1].seq if assembler.edit_log else 0,
    )


def add_map_positions(
    store: Store, assembler: RunAssembler, inputs: ClusteringInputs, assignments: Sequence[Assignment]
) -> list[Assignment]:
    """The assignments with their places; a case that the last map of the lens had stays about where it was."""
    parameters = assembler.run.parameters
    last = {one.case_id: (one.x, one.y) for one in store.assignments(parameters.lens) if one.x is not None}
    former = np.array([last.get(one.case_id, (None, None)) for one in assignments], np.float32).reshape(-1, 2)
    places = compute_layout(
        inputs.neighbours.top(MAP_NEIGHBOURS),
        assembler.partition.labels,
        assembler.partition.centres,
        former=former,
        seed=parameters.seed,
        steps=FEW_CHANGES_STEPS if inputs.is_warm_start else WARM_START_STEPS,
    )
    return [replace(one, x=float(x), y=float(y)) for one, (x, y) in zip(assignments, places, strict=True)]


def check_edits(themes: Sequence[Theme], assignments: Sequence[Assignment], edits: Sequence[Edit]) -> None:
    """Refuse themes that break a standing decision: a mistake of the program, and nothing of it is stored.

    Raises:
        BrokenDecision
    """
    broken = find_violations({one.case_id: one.theme_id for one in assignments}, themes, edits)
    if broken:
        raise EditsViolated(broken[0].edit.describe(), broken[0].detail, len(broken))


def embed_cases(
    store: Store, encoder: Encoder, cases: Sequence[Case], lens: str, *, progress: Progress | None = None
) -> Vectors:
    """The vector of each case under a lens."""
    return embed_texts(store, encoder, [lens_text(case, lens) for case in cases], progress=progress)


def embed_texts(store: Store, encoder: Encoder, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
    """The vector of each text; only texts never seen are embedded, and kept as soon as they are."""
    known = store.vectors(encoder.id, [text_hash(text) for text in texts])
    missing = list(missing_texts(texts, known).items())
    for start in range(0, len(missing), EMBEDDING_CHUNK_SIZE):
        chunk = dict(missing[start : start + EMBEDDING_CHUNK_SIZE])
        shown = _offset_progress(progress, start, len(missing))
        fresh = dict(zip(chunk, encoder.encode(list(chunk.values()), progress=shown), strict=True))
        store.save_vectors(encoder.id, fresh)
        known |= fresh
    return stack_vectors(texts, known, encoder.dimensions)


def _offset_progress(progress: Progress | None, start: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda step, done, _: progress(step, start + done, total)


def compute_fingerprint(
    cases: Sequence[Case],
    parameters: RunParameters,
    encoder_id: str,
    llm: LlmContext | None,
    edits: Sequence[Edit] = (),
) -> str:
    """Everything the outcome of a run depends on, beside the themes of the run before it."""
    seen = [
        [case.id, case.text_version, str(case.date), case.team, case.contributor, list(case.linked_cases)]
        for case in cases
    ]
    model = [llm.model.name, llm.prompts.content_hash()] if llm else None
    decided = [
        [edit.seq, edit.action, edit.theme_id, edit.other_theme_id, list(edit.case_ids), edit.name] for edit in edits
    ]
    # "afresh" is what stored fingerprints hashed: with another key every network would be run again once
    chosen = {"afresh" if key == "from_scratch" else key: value for key, value in asdict(parameters).items()}
    chosen["afresh"] = False
    said = json.dumps([__version__, METHOD_VERSION, chosen, encoder_id, model, seen, decided], ensure_ascii=False)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def read_previous_run(store: Store, cases: Sequence[Case], vectors: Vectors, *, lens: str, encoder: str) -> PreviousRun:
    """What this run of the lens continues; row i of ``vectors`` is the encoder's for ``cases[i]``."""
    return PreviousRun(
        themes=store.themes(lens),
        seen_case_ids=frozenset(store.seen_case_ids(lens) & {case.id for case in cases}),
        used_theme_ids=store.theme_ids(),
        encoder=encoder,
        vectors={case.id: vector for case, vector in zip(cases, vectors, strict=True)},
    )


def continue_run(
    store: Store,
    cases: Sequence[Case],
    vectors: Vectors,
    part: Partition,
    previous: PreviousRun,
    *,
    new_case_ids: frozenset[str],
    run: RunRecord,
) -> MachineResult:
    """What the machine found, as it continues what it found before; people's decisions have no part in it.

    Were a cluster matched with themes as people changed them, two merged themes would drift apart by every run, and
    taking a decision back would not give what had been there.
    """
    lens = run.parameters.lens
    before = replace(previous, themes=load_theme_memory(store, previous, lens=lens))
    members = [part.rows_of(label) for label in range(part.n_clusters)]
    groups = build_groups(cases, members, part.centres, new_case_ids)
    theme_ids = match_themes(groups, before, lens=lens)
    area_of = match_areas(groups, [int(area) for area in part.areas], before, lens=lens)
    found = MachineResult(
        case_ids=tuple(case.id for case in cases),
        theme_ids=theme_ids,
        area_ids=tuple(area_of[int(area)] for area in part.areas),
        partition=part,
        encoder=previous.encoder,
        new_cases=tuple(sorted(new_case_ids)),
        duplicate_of={case.id: case.duplicate_of for case in cases if case.duplicate_of},
    )
    changes = describe_changes(groups, theme_ids, before, label=run.parameters.label)
    return replace(found, known_themes=tuple(build_theme_memory(found, vectors, before.themes, changes, lens=lens)))


def build_theme_memory(
    machine_result: MachineResult,
    vectors: Vectors,
    former: Sequence[Theme],
    changes: Sequence[ThemeChange],
    *,
    lens: str,
) -> Iterator[Theme]:
    """Every theme as the next run has to know it: cases, exemplars, centre, and the rest it may be at; no words."""
    known = {theme.id: theme for theme in former}
    n_groups = len(machine_result.theme_ids)
    for label, change in enumerate(changes[:n_groups]):
        rows = machine_result.partition.rows_of(label)
        speaks = choose_exemplars(vectors, rows, machine_result.partition.centres[label])
        theme = Theme(
            id=change.theme_id,
            lens=lens,
            area_id=machine_result.area_ids[label],
            name="",
            case_ids=tuple(machine_result.case_ids[row] for row in rows),
            exemplars=tuple(machine_result.case_ids[row] for row in speaks.central),
            n_cases=0,
            n_teams=0,
            n_contributors=0,
            lineage=change.lineage,
            centre=tuple(float(x) for x in machine_result.partition.centres[label]),
            encoder=machine_result.encoder,
        )
        yield keep_unseen_members(theme, known.get(change.theme_id), machine_result.case_ids)
    for change in changes[n_groups:]:
        former_self = replace(known[change.theme_id], name="", gist="", keywords=(), differs_by=())
        yield mark_dormant(former_self, change.lineage)


def load_theme_memory(store: Store, previous: PreviousRun, *, lens: str) -> list[Theme]:
    """The themes as the machine knows them, and those it does not know awake that people keep cases in.

    The second kind, such as a theme that was split off, is matched as soon as the data sees it too.
    """
    last = store.last_run(lens)
    found = store.found(last.id) if last else None
    if found is None:
        return list(previous.themes)
    held = {theme_id for theme_id, _ in resolve_edits(binding_edits(store.edits(lens))).required_theme.values()}
    awake = {theme.id for theme in found.known_themes if not is_dormant(theme)}
    kept = [theme for theme in previous.themes if theme.id in held - awake]
    return [*(theme for theme in found.known_themes if theme.id not in {one.id for one in kept}), *kept]


def cases_before_period(store: Store, parameters: RunParameters) -> frozenset[str]:
    """The cases that are not new in the period that the run belongs to."""
    closed = last_closed_run(store.runs(), lens=parameters.lens, label=parameters.label)
    return frozenset(store.seen_case_ids(up_to_number=closed.number)) if closed else frozenset()


@dataclass
class StepTimer:
    """Seconds a step, in the order they were taken."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def timed(self, step: str) -> Generator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - begun, 3)


__all__ = ["EMBEDDING_CHUNK_SIZE", "LlmContext", "build_outcome", "compute_fingerprint", "embed_cases", "run_pipeline"]
