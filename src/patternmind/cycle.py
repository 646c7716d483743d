"""The line: cases in, themes and grounded drafts out. ``run_cycle`` is all of it; the rest of the file serves it."""

import hashlib
import json
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from patternmind import __version__, describe
from patternmind.carry import (
    Group,
    Past,
    carry_areas,
    carry_themes,
    describe_changes,
    keep_in_mind,
    lay_to_rest,
    newer_than,
    periods_with,
)
from patternmind.cluster.duplicates import near_duplicates
from patternmind.cluster.exemplars import choose_exemplars
from patternmind.cluster.neighbours import nearest_neighbours, similarity
from patternmind.cluster.partition import FEWEST_CASES, n_neighbours, partition
from patternmind.draft.choose import of_roles, pick
from patternmind.draft.evidence import ThemeEvidence, gather_evidence
from patternmind.draft.keyphrases import Phrase, PhraseCounts
from patternmind.draft.names import ThemeName, name_themes
from patternmind.draft.patterns import draft_pattern
from patternmind.draft.prompted import draft_theme_name
from patternmind.draft.sentences import Role
from patternmind.embed import check_lens, lens_text, missing_texts, stack_vectors, text_hash
from patternmind.errors import GatewayFailed, PatternmindError
from patternmind.ground import ground
from patternmind.model.cases import Case
from patternmind.model.drafts import Draft, GroundedDraft
from patternmind.model.themes import OUTLIER, Assignment, Lineage, Partition, Theme, ThemeChange, Vectors
from patternmind.ports import (
    Clock,
    Encoder,
    LanguageModel,
    Progress,
    PromptBook,
    RunOutcome,
    RunParameters,
    RunRecord,
    Store,
)

CHUNK = 512
"""Texts embedded between two commits: what a killed run has to do again, at most."""


@dataclass(frozen=True, slots=True)
class Namer:
    """A language model and its prompts; without one, names come from key phrases."""

    model: LanguageModel
    prompts: PromptBook


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
    inputs = fingerprint(cases, parameters, encoder.id, namer)
    if last is not None and last.fingerprint == inputs:
        return last
    run = store.begin_run(parameters, clock.now())
    steps = Steps()
    try:
        with steps.timed("embed"):
            vectors = embed_cases(store, encoder, cases, parameters.lens, progress=progress)
        with steps.timed("cluster"):
            neighbours = nearest_neighbours(vectors, n_neighbours(len(cases)))
            texts = [lens_text(case, parameters.lens) for case in cases]
            repeats = {cases[row].id: cases[first].id for row, first in near_duplicates(texts, neighbours).items()}
            found = partition(
                vectors, neighbours, engine=parameters.engine, seed=parameters.seed, level=parameters.level
            )
        cases = [replace(case, duplicate_of=repeats.get(case.id)) for case in cases]
        with steps.timed("carry"):
            past = read_past(store, cases, vectors, lens=parameters.lens, encoder=encoder.id)
            old = cases_before_period(store, parameters)
            line = Line(cases=cases, vectors=vectors, found=found, past=past, old=old, run=run)
            theme_ids = carry_themes(line.groups, past, lens=parameters.lens)
            changes = describe_changes(line.groups, theme_ids, past, label=parameters.label)
        with steps.timed("draft"):
            themes, areas = line.themes(changes)
            themes, notes = name_by_model(line, themes, namer)
            drafts = [ground(draft, line.by_id) for draft in line.patterns(themes)] if parameters.draft else []
        outcome = RunOutcome(
            themes=themes,
            areas=areas,
            changes=changes,
            assignments=line.assignments(themes),
            duplicate_of=repeats,
            drafts=[grounded.draft for grounded in drafts],
            n_refused_claims=sum(len(grounded.refused) for grounded in drafts),
            seconds=steps.seconds,
            notes=[*line.notes(drafts), *notes],
            fingerprint=inputs,
        )
        return store.finish_run(run.id, outcome, clock.now())
    except PatternmindError as error:
        store.fail_run(run.id, type(error).__name__, clock.now())
        raise


def embed_cases(
    store: Store, encoder: Encoder, cases: Sequence[Case], lens: str, *, progress: Progress | None = None
) -> Vectors:
    """The vector of each case under a lens; only texts never seen are embedded, and kept as soon as they are."""
    texts = [lens_text(case, lens) for case in cases]
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


def fingerprint(cases: Sequence[Case], parameters: RunParameters, encoder_id: str, namer: Namer | None) -> str:
    """Everything the outcome of a run depends on, beside the themes of the run before it."""
    seen = [
        [case.id, case.text_version, str(case.date), case.team, case.contributor, list(case.linked_cases)]
        for case in cases
    ]
    model = namer.model.name if namer else None
    said = json.dumps([__version__, asdict(parameters), encoder_id, model, seen], ensure_ascii=False)
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


@dataclass
class Line:
    """What one run knows, handed from step to step. ``cases[i]`` has row i of ``vectors`` and of ``found``.

    ``old`` are the cases that were there before the period that the run belongs to.
    """

    cases: Sequence[Case]
    vectors: Vectors
    found: Partition
    past: Past
    old: frozenset[str]
    run: RunRecord

    def __post_init__(self) -> None:
        self.by_id: Mapping[str, Case] = {case.id: case for case in self.cases}
        self.members = [self.found.rows_of(label) for label in range(self.found.n_clusters)]
        self.groups = [
            Group(frozenset(self.cases[row].id for row in rows), centre, n_new=self._count_new(rows))
            for rows, centre in zip(self.members, self.found.centres, strict=True)
        ]
        self.firmness = {
            case.id: float(strength) for case, strength in zip(self.cases, self.found.strength, strict=True)
        }
        self.phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in self.cases})
        self._found_phrases: dict[str, list[Phrase]] = {}

    def _count_new(self, rows: Sequence[int]) -> int:
        counted = describe.count_cases([self.cases[row] for row in rows]).cases
        return sum(case.id not in self.old for case in counted)

    def themes(self, changes: Sequence[ThemeChange]) -> tuple[list[Theme], dict[str, str]]:
        """The theme cards by falling size, those without a group last; and the areas' names by id.

        Args:
            changes: first those of the groups, in order, then those of the themes that have none.
        """
        former = {theme.id: theme for theme in self.past.themes}
        with_group, without = changes[: len(self.groups)], changes[len(self.groups) :]
        theme_ids = [change.theme_id for change in with_group]
        areas = [int(area) for area in self.found.areas]
        area_of = carry_areas(self.groups, areas, self.past, lens=self.run.parameters.lens)
        self._found_phrases = {
            theme_id: self.phrases.distinguishing(self._told_once(rows))
            for theme_id, rows in zip(theme_ids, self.members, strict=True)
        }
        names = name_themes(self._found_phrases, kept={theme.id: theme.name for theme in self.past.themes})
        cards: list[Theme] = []
        for position, change in enumerate(with_group):
            card = self._card(position, change.theme_id, area_of, names[change.theme_id])
            cards.append(self._carried(card, change, former.get(change.theme_id)))
        rest = [
            self._in_period(lay_to_rest(former[change.theme_id], change.lineage), change, former[change.theme_id])
            for change in without
        ]
        return [*self._with_nearest(cards), *rest], self._name_areas(cards)

    def _carried(self, card: Theme, change: ThemeChange, before: Theme | None) -> Theme:
        """The card with what it has from its former self."""
        locked = before.name_locked if before else False
        card = replace(card, new_cases=change.n_new, lineage=change.lineage, name_locked=locked)
        return self._in_period(keep_in_mind(card, before, self.by_id), change, before)

    def _in_period(self, theme: Theme, change: ThemeChange, before: Theme | None) -> Theme:
        periods = periods_with(before, label=self.run.parameters.label, n_new=change.n_new)
        return replace(theme, quiet_runs=change.quiet_runs, new_by_period=periods)

    def _told_once(self, rows: Sequence[int]) -> list[str]:
        """The cases that name a theme: each story once, unless there are too few stories to have anything in common."""
        members = [self.cases[row] for row in rows]
        once = [case.id for case in members if case.duplicate_of is None]
        return once if len(once) > 1 else [case.id for case in members]

    def _card(self, position: int, theme_id: str, area_of: Mapping[int, str], name: ThemeName) -> Theme:
        rows = sorted(self.members[position], key=lambda row: (-float(self.found.strength[row]), row))
        speaks = choose_exemplars(self.vectors, self.members[position], self.found.centres[position])
        counts = describe.count_cases([self.cases[row] for row in rows])
        return Theme(
            id=theme_id,
            lens=self.run.parameters.lens,
            area_id=area_of[int(self.found.areas[position])],
            name=name.name,
            keywords=name.keywords,
            case_ids=tuple(self.cases[row].id for row in rows),
            exemplars=tuple(self.cases[row].id for row in speaks.central),
            edge_case=self.cases[speaks.edge].id if speaks.edge is not None else None,
            n_cases=len(counts.cases),
            n_teams=counts.n_teams,
            n_contributors=counts.n_contributors,
            share=len(rows) / len(self.cases),
            stability=float(self.found.stability[position]),
            cohesion=speaks.cohesion,
            trend=describe.trend_by_quarter(counts.cases),
            centre=tuple(float(x) for x in self.found.centres[position]),
            encoder=self.past.encoder,
        )

    def _with_nearest(self, cards: Sequence[Theme]) -> list[Theme]:
        """Each card with its nearest theme, the phrases it holds far more often than that one, and a gist."""
        cosine = similarity(self.found.centres, self.found.centres)
        np.fill_diagonal(cosine, -np.inf)
        told: list[Theme] = []
        for position, card in enumerate(cards):
            nearest = cards[int(cosine[position].argmax())] if len(cards) > 1 else None
            differs = self._differs_by(card, nearest) if nearest else ()
            told.append(
                replace(
                    card, nearest_theme_id=nearest.id if nearest else None, differs_by=differs, gist=self._gist(card)
                )
            )
        return told

    def _differs_by(self, card: Theme, other: Theme) -> tuple[str, ...]:
        def lead(phrase: Phrase) -> float:
            there = sum(self.phrases.holds(case_id, phrase.words) for case_id in other.case_ids)
            return phrase.share - there / max(1, len(other.case_ids))

        ranked = sorted(self._found_phrases[card.id], key=lambda phrase: (-lead(phrase), phrase.words))
        return tuple(phrase.text for phrase in ranked[:3])

    def _gist(self, card: Theme) -> str:
        """The sentence that best says the theme's problem, word for word from one of its cases."""
        evidence = self.evidence(card)
        telling = of_roles(evidence.sentences, Role.PROBLEM, Role.HAPPENED)
        central = [sentence for sentence in telling if sentence.case_id in card.exemplars]
        best = pick(central or telling, evidence.score, limit=1)
        return best[0].text if best else ""

    def evidence(self, theme: Theme) -> ThemeEvidence:
        return gather_evidence(theme, self.by_id, phrases=self._found_phrases[theme.id], firmness=self.firmness)

    def _name_areas(self, cards: Sequence[Theme]) -> dict[str, str]:
        inside: dict[str, list[str]] = {}
        for card in cards:
            inside.setdefault(card.area_id, []).extend(card.case_ids)
        names = name_themes({area: self.phrases.distinguishing(ids) for area, ids in inside.items()})
        return {area: names[area].name for area in inside}

    def patterns(self, themes: Sequence[Theme]) -> Iterator[Draft]:
        for theme in themes:
            if theme.case_ids:
                yield draft_pattern(self.evidence(theme), run_id=self.run.id)

    def assignments(self, themes: Sequence[Theme]) -> list[Assignment]:
        """One line a case, by case id: in one theme, or an outlier with the nearest theme and the reason."""
        placed = [theme for theme in themes if theme.case_ids]
        return [self._assignment(row, placed) for row in range(len(self.cases))]

    def _assignment(self, row: int, placed: Sequence[Theme]) -> Assignment:
        label, nearest = int(self.found.labels[row]), int(self.found.nearest[row])
        theme = placed[label] if label != OUTLIER else None
        return Assignment(
            case_id=self.cases[row].id,
            theme_id=theme.id if theme else None,
            area_id=theme.area_id if theme else None,
            strength=round(float(self.found.strength[row]), 4),
            nearest_theme_id=placed[nearest].id if nearest != OUTLIER else None,
            reason="" if theme else self._why_alone(bool(placed)),
        )

    def _why_alone(self, any_theme: bool) -> str:
        if len(self.cases) < FEWEST_CASES:
            return "too few cases to group"
        return "not close enough to any other cases" if any_theme else "nothing recurs yet"

    def notes(self, drafts: Sequence[GroundedDraft]) -> list[str]:
        refused = sum(len(grounded.refused) for grounded in drafts)
        notes = [f"{refused} claims were refused because their quote was not found."] if refused else []
        if len(self.cases) < FEWEST_CASES:
            notes.append(f"Too few to group: {len(self.cases)} cases, {FEWEST_CASES} are needed.")
        elif not self.groups:
            notes.append("Nothing recurs yet.")
        return notes


def name_by_model(line: Line, themes: Sequence[Theme], namer: Namer | None) -> tuple[list[Theme], list[str]]:
    """New themes renamed by the model where its answer holds; a failed call is a note, and the key phrases stay."""
    if namer is None:
        return list(themes), []
    named: list[Theme] = []
    notes: list[str] = []
    for position, theme in enumerate(themes):
        now = [*named, *themes[position:]]
        proposal = _ask_for_name(line, theme, now, namer) if theme.lineage is Lineage.NEW else theme
        if isinstance(proposal, str):
            notes.append(f"Theme {theme.id} keeps its key phrases as a name: {proposal}.")
        named.append(theme if isinstance(proposal, str) else proposal)
    return named, notes


def _ask_for_name(line: Line, theme: Theme, themes: Sequence[Theme], namer: Namer) -> Theme | str:
    """The theme with the model's name and gist, or why it keeps its own."""
    siblings = [other for other in themes if other.area_id == theme.area_id and other.id != theme.id and other.case_ids]
    nearest = next((other for other in themes if other.id == theme.nearest_theme_id), None)
    contrast = ["\n".join(line.by_id[case_id].text.values()) for case_id in (nearest.exemplars if nearest else ())]
    try:
        draft = draft_theme_name(
            line.evidence(theme),
            siblings=siblings,
            contrast=contrast,
            model=namer.model,
            prompts=namer.prompts,
            run_id=line.run.id,
        )
    except GatewayFailed as failed:
        return failed.reason
    grounded = ground(draft, line.by_id)
    if not grounded.draft.claims:
        return "its quotes were not found in the cases"
    if any(other.name.casefold() == draft.name.casefold() for other in themes if other.id != theme.id):
        return "another theme bears that name"
    return replace(theme, name=draft.name, gist=grounded.draft.claims[0].text)


__all__ = ["CHUNK", "Namer", "embed_cases", "fingerprint", "run_cycle"]
