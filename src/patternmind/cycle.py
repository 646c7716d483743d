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
from patternmind.carry import (
    Past,
    carry_areas,
    carry_themes,
    describe_changes,
    is_resting,
    keep_in_mind,
    lay_to_rest,
    newer_than,
)
from patternmind.cluster.duplicates import near_duplicates
from patternmind.cluster.exemplars import choose_exemplars
from patternmind.cluster.finding import MOST_FITTED, group_rows
from patternmind.cluster.layout import QUICK_STEPS, WARM_STEPS, lay_out
from patternmind.cluster.neighbours import nearest_neighbours
from patternmind.cluster.partition import make_fits, n_neighbours, partition
from patternmind.cluster.warm import FEWEST_ROWS, mark_rows, start_warm
from patternmind.embed import check_lens, lens_notes, lens_text, look_through, missing_texts, stack_vectors, text_hash
from patternmind.errors import BrokenDecision, ChangedMeanwhile, PatternmindError
from patternmind.intake.redaction import Roster
from patternmind.line import Line, groups_of
from patternmind.model.calls import current_run
from patternmind.model.cases import Case, Kind
from patternmind.model.drafts import Draft
from patternmind.model.edits import Edit, standing
from patternmind.model.fits import Fits, KeptFits
from patternmind.model.found import Found
from patternmind.model.themes import Assignment, Neighbours, Partition, Theme, ThemeChange, Vectors
from patternmind.overlay import disagreements, read_decisions, violations
from patternmind.ports import (
    Clock,
    Encoder,
    Progress,
    RunOutcome,
    RunParameters,
    RunRecord,
    Store,
)
from patternmind.writing import Namer, Writer, Written, draft_patterns, name_by_model, pair_similarity

CHUNK = 512
"""Texts embedded between two commits: what a killed run has to do again, at most."""

METHOD = "lens/3 map/1 themes/6 counter/1"
"""Part of every fingerprint: a network whose last run was made by another method is run anew."""

UNFINISHED = ""
"""The fingerprint of a run in which calls to the model failed: it stands, and the next run asks again."""

MAPPED = 15
"""Neighbours that pull on the map; the themes' own graph is wider, and would pull every island towards the middle."""


def run_cycle(
    store: Store,
    encoder: Encoder,
    clock: Clock,
    parameters: RunParameters,
    *,
    namer: Namer | None = None,
    progress: Progress | None = None,
) -> RunRecord:
    """Group all cases to date, carry the themes on, draft their patterns, and store the outcome whole or not at all.

    The same cases, former themes and parameters give the same outcome; where nothing changed since the last finished
    run of this lens, that run is the answer and nothing is computed.
    """
    check_lens(parameters.lens)
    cases = store.cases(since=parameters.since)
    last = store.last_run(parameters.lens)
    inputs = fingerprint(cases, parameters, encoder.id, namer, standing(store.edits(parameters.lens)))
    if last is not None and last.fingerprint == inputs and not parameters.afresh:
        return last
    run = store.begin_run(parameters, clock.now())
    outside = current_run.set(run.id)
    steps = Steps()
    try:
        with steps.timed("embed"):
            looked = [look_through(case, parameters.lens) for case in cases]
            texts = [one.text for one in looked]
            vectors = embed_texts(store, encoder, texts, progress=progress)
        with steps.timed("cluster"):
            basis = find_basis(store, cases, vectors, run, encoder.id)
            neighbours = basis.neighbours
            repeats = {cases[row].id: cases[first].id for row, first in near_duplicates(texts, neighbours).items()}
            part = _group(vectors, basis, parameters, repeats=_tell_again(cases, repeats))
        cases = [_repeating(case, repeats.get(case.id)) for case in cases]
        with steps.timed("carry"):
            past = read_past(store, cases, vectors, lens=parameters.lens, encoder=encoder.id)
            new = frozenset(case.id for case in cases) - cases_before_period(store, parameters)
            found = carry_on(store, cases, vectors, part, past, new=new, run=run)
        compared = namer and replace(namer, similarity=namer.similarity or pair_similarity(encoder))
        writer = Writer(compared, Roster.of(store.roster())) if compared else None
        while True:  # ends: it goes on only where somebody decided about a theme in the moment it took
            log = store.edits(parameters.lens)
            with steps.timed("draft"):
                line = Line(
                    cases=cases,
                    vectors=vectors,
                    found=found,
                    past=past,
                    run=run,
                    log=log,
                    encode=encoder.encode,
                )
                former = [draft for draft, _, _ in store.drafts(current=False)] if writer else []
                outcome = draft_outcome(line, writer, former)
            with steps.timed("map"):
                outcome = replace(outcome, assignments=on_the_map(store, line, basis, outcome.assignments))
            inputs = fingerprint(cases, parameters, encoder.id, namer, line.edits)
            if writer and writer.n_failed:
                inputs = UNFINISHED
            notes = [*basis.notes, *outcome.notes, *lens_notes(looked, parameters.lens)]
            outcome = replace(outcome, notes=notes, seconds=steps.seconds, fingerprint=inputs, fits=basis.kept)
            try:
                return store.finish_run(run.id, outcome, clock.now())
            except ChangedMeanwhile:
                continue
    except PatternmindError as error:
        store.fail_run(run.id, type(error).__name__, clock.now())
        raise
    finally:
        current_run.reset(outside)


def _repeating(case: Case, first: str | None) -> Case:
    return case if case.duplicate_of == first else replace(case, duplicate_of=first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a run groups its cases by; ``kept`` is what the next may continue, and ``notes`` say what this one did."""

    neighbours: Neighbours
    fits: Fits | None = None
    kept: KeptFits | None = None
    notes: tuple[str, ...] = ()
    continues: bool = False


def _tell_again(cases: Sequence[Case], repeats: Mapping[str, str]) -> NDArray[np.bool_]:
    """Which cases, (n,), tell again what another tells: near-duplicates, and recaps of cases that are there."""
    known = {case.id for case in cases} | {case.external_id for case in cases if case.external_id}
    return np.array(
        [case.id in repeats or (case.kind is Kind.RECAP and not known.isdisjoint(case.linked_cases)) for case in cases],
        np.bool_,
    )


def _group(vectors: Vectors, basis: Basis, given: RunParameters, *, repeats: NDArray[np.bool_]) -> Partition:
    if basis.fits is None:
        return group_rows(
            vectors, basis.neighbours, engine=given.engine, seed=given.seed, level=given.level, repeats=repeats
        )
    return partition(
        vectors,
        basis.neighbours,
        engine=given.engine,
        seed=given.seed,
        level=given.level,
        fits=basis.fits,
        repeats=repeats,
    )


def find_basis(store: Store, cases: Sequence[Case], vectors: Vectors, run: RunRecord, encoder: str) -> Basis:
    """Neighbours and fits: those of the last run of the lens brought up to date where little changed, or made anew."""
    given = run.parameters
    if given.engine != "graph" or not FEWEST_ROWS <= len(cases) <= MOST_FITTED:
        return Basis(neighbours=nearest_neighbours(vectors, n_neighbours(len(cases))))
    said = json.dumps([__version__, METHOD, given.engine, given.seed, given.level, encoder])
    holds_for = hashlib.sha256(said.encode()).hexdigest()
    marks = mark_rows([case.id for case in cases], vectors)
    last = None if given.afresh else store.fits(given.lens)
    warm = start_warm(last, vectors, marks, seed=given.seed) if last and last.holds_for == holds_for else None
    if last and warm:
        first, neighbours, fits = last.first, warm.neighbours, warm.fits
        notes = (f"Continued from {last.run_id}: {warm.n_new} of {len(cases)} cases are new or changed.",)
    else:
        neighbours = nearest_neighbours(vectors, n_neighbours(len(cases)))
        first, fits, notes = marks, make_fits(neighbours, seed=given.seed), ()
    kept = KeptFits(run_id=run.id, holds_for=holds_for, marks=marks, first=first, neighbours=neighbours, fits=fits)
    return Basis(neighbours=neighbours, fits=fits, kept=kept, notes=notes, continues=warm is not None)


def draft_outcome(line: Line, writer: Writer | None, former: Sequence[Draft] = ()) -> RunOutcome:
    """Everything the line says of a run, and the proof that it breaks no decision.

    Args:
        former: all drafts there ever were; what a theme has already is not asked for again.

    Raises:
        BrokenDecision
    """
    themes, areas = line.themes(line.changes())
    themes, notes = name_by_model(line, themes, writer)
    written = draft_patterns(line, themes, writer, former) if line.run.parameters.draft else Written([], [])
    assignments = line.assignments(themes)
    check_decisions(themes, assignments, line.edits)
    return RunOutcome(
        themes=themes,
        areas=areas,
        changes=line.changes(),
        assignments=assignments,
        duplicate_of=line.found.duplicate_of,
        drafts=[grounded.draft for grounded in written.drafts],
        n_refused_claims=sum(len(grounded.refused) for grounded in written.drafts),
        notes=[*line.notes(written.drafts), *notes, *written.notes, *(writer.notes() if writer else ())],
        proposals=disagreements(line.found, line.edits),
        found=line.found,
        decided=line.log[-1].seq if line.log else 0,
    )


def on_the_map(store: Store, line: Line, basis: Basis, assignments: Sequence[Assignment]) -> list[Assignment]:
    """The assignments with their places; a case that the last map of the lens had stays about where it was."""
    parameters = line.run.parameters
    last = {one.case_id: (one.x, one.y) for one in store.assignments(parameters.lens) if one.x is not None}
    former = np.array([last.get(one.case_id, (None, None)) for one in assignments], np.float32).reshape(-1, 2)
    places = lay_out(
        basis.neighbours.first(MAPPED),
        line.part.labels,
        line.part.centres,
        former=former,
        seed=parameters.seed,
        steps=QUICK_STEPS if basis.continues else WARM_STEPS,
    )
    return [replace(one, x=float(x), y=float(y)) for one, (x, y) in zip(assignments, places, strict=True)]


def check_decisions(themes: Sequence[Theme], assignments: Sequence[Assignment], edits: Sequence[Edit]) -> None:
    """Refuse themes that break a standing decision: a mistake of the program, and nothing of it is stored.

    Raises:
        BrokenDecision
    """
    broken = violations({one.case_id: one.theme_id for one in assignments}, themes, edits)
    if broken:
        raise BrokenDecision(broken[0].edit.told(), broken[0].how, len(broken))


def embed_cases(
    store: Store, encoder: Encoder, cases: Sequence[Case], lens: str, *, progress: Progress | None = None
) -> Vectors:
    """The vector of each case under a lens."""
    return embed_texts(store, encoder, [lens_text(case, lens) for case in cases], progress=progress)


def embed_texts(store: Store, encoder: Encoder, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
    """The vector of each text; only texts never seen are embedded, and kept as soon as they are."""
    known = store.vectors(encoder.id, [text_hash(text) for text in texts])
    missing = list(missing_texts(texts, known).items())
    for start in range(0, len(missing), CHUNK):
        chunk = dict(missing[start : start + CHUNK])
        shown = _shifted(progress, start, len(missing))
        fresh = dict(zip(chunk, encoder.encode(list(chunk.values()), progress=shown), strict=True))
        store.save_vectors(encoder.id, fresh)
        known |= fresh
    return stack_vectors(texts, known, encoder.dimensions)


def _shifted(progress: Progress | None, start: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda step, done, _: progress(step, start + done, total)


def fingerprint(
    cases: Sequence[Case],
    parameters: RunParameters,
    encoder_id: str,
    namer: Namer | None,
    edits: Sequence[Edit] = (),
) -> str:
    """Everything the outcome of a run depends on, beside the themes of the run before it."""
    seen = [
        [case.id, case.text_version, str(case.date), case.team, case.contributor, list(case.linked_cases)]
        for case in cases
    ]
    model = [namer.model.name, namer.prompts.hash_of()] if namer else None
    decided = [
        [edit.seq, edit.action, edit.theme_id, edit.other_theme_id, list(edit.case_ids), edit.name] for edit in edits
    ]
    chosen = asdict(replace(parameters, afresh=False))
    said = json.dumps([__version__, METHOD, chosen, encoder_id, model, seen, decided], ensure_ascii=False)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def read_past(store: Store, cases: Sequence[Case], vectors: Vectors, *, lens: str, encoder: str) -> Past:
    """What this run of the lens continues; row i of ``vectors`` is the encoder's for ``cases[i]``."""
    return Past(
        themes=store.themes(lens),
        known=frozenset(store.cases_seen(lens) & {case.id for case in cases}),
        taken=store.theme_ids(),
        encoder=encoder,
        vectors={case.id: vector for case, vector in zip(cases, vectors, strict=True)},
    )


def carry_on(
    store: Store,
    cases: Sequence[Case],
    vectors: Vectors,
    part: Partition,
    past: Past,
    *,
    new: frozenset[str],
    run: RunRecord,
) -> Found:
    """What the machine found, as it continues what it found before; people's decisions have no part in it.

    Were a cluster matched with themes as people changed them, two merged themes would drift apart by every run, and
    taking a decision back would not give what had been there.
    """
    lens = run.parameters.lens
    before = replace(past, themes=remembered_themes(store, past, lens=lens))
    members = [part.rows_of(label) for label in range(part.n_clusters)]
    groups = groups_of(cases, members, part.centres, new)
    theme_ids = carry_themes(groups, before, lens=lens)
    area_of = carry_areas(groups, [int(area) for area in part.areas], before, lens=lens)
    found = Found(
        case_ids=tuple(case.id for case in cases),
        theme_ids=theme_ids,
        area_ids=tuple(area_of[int(area)] for area in part.areas),
        partition=part,
        encoder=past.encoder,
        new_cases=tuple(sorted(new)),
        duplicate_of={case.id: case.duplicate_of for case in cases if case.duplicate_of},
    )
    changes = describe_changes(groups, theme_ids, before, label=run.parameters.label)
    return replace(found, memory=tuple(remember(found, vectors, before.themes, changes, lens=lens)))


def remember(
    found: Found, vectors: Vectors, former: Sequence[Theme], changes: Sequence[ThemeChange], *, lens: str
) -> Iterator[Theme]:
    """Every theme as the next run has to know it: cases, exemplars, centre, and the rest it may be at; no words."""
    known = {theme.id: theme for theme in former}
    n_groups = len(found.theme_ids)
    for label, change in enumerate(changes[:n_groups]):
        rows = found.partition.rows_of(label)
        speaks = choose_exemplars(vectors, rows, found.partition.centres[label])
        theme = Theme(
            id=change.theme_id,
            lens=lens,
            area_id=found.area_ids[label],
            name="",
            case_ids=tuple(found.case_ids[row] for row in rows),
            exemplars=tuple(found.case_ids[row] for row in speaks.central),
            n_cases=0,
            n_teams=0,
            n_contributors=0,
            lineage=change.lineage,
            centre=tuple(float(x) for x in found.partition.centres[label]),
            encoder=found.encoder,
        )
        yield keep_in_mind(theme, known.get(change.theme_id), found.case_ids)
    for change in changes[n_groups:]:
        former_self = replace(known[change.theme_id], name="", gist="", keywords=(), differs_by=())
        yield lay_to_rest(former_self, change.lineage)


def remembered_themes(store: Store, past: Past, *, lens: str) -> list[Theme]:
    """The themes as the machine knows them, and those it does not know awake that people keep cases in.

    The second kind, such as a theme that was split off, is matched as soon as the data sees it too.
    """
    last = store.last_run(lens)
    found = store.found(last.id) if last else None
    if found is None:
        return list(past.themes)
    held = {theme_id for theme_id, _ in read_decisions(standing(store.edits(lens))).held.values()}
    awake = {theme.id for theme in found.memory if not is_resting(theme)}
    kept = [theme for theme in past.themes if theme.id in held - awake]
    return [*(theme for theme in found.memory if theme.id not in {one.id for one in kept}), *kept]


def cases_before_period(store: Store, parameters: RunParameters) -> frozenset[str]:
    """The cases that are not new in the period that the run belongs to."""
    closed = newer_than(store.runs(), lens=parameters.lens, label=parameters.label)
    return frozenset(store.cases_seen(through=closed.number)) if closed else frozenset()


@dataclass
class Steps:
    """Seconds a step, in the order they were taken."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def timed(self, step: str) -> Generator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - begun, 3)


__all__ = ["CHUNK", "Namer", "draft_outcome", "embed_cases", "fingerprint", "run_cycle"]
