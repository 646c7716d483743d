"""Random sequences of decisions, runs, new cases and undos on a real store, and a checker that knows nothing of ours.

The checker reads what a person reads: the themes and where every case is. It keeps a list of its own of what was
decided and follows merges by itself.
"""

import datetime as dt
import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.builders import NOON, a_case, a_submission

from patternmind.adapters.clock import FixedClock
from patternmind.adapters.hashing_encoder import HashingEncoder
from patternmind.adapters.store import SqlStore
from patternmind.cluster.finding import group_rows
from patternmind.cycle import run_cycle
from patternmind.errors import Contradiction, UsageError
from patternmind.model.cases import Case
from patternmind.model.edits import BINDING, Edit, EditAction
from patternmind.model.themes import Neighbours, Partition, Vectors
from patternmind.ports import Encoder, Progress, RunParameters
from patternmind.verbs.editing import Asked, decide_themes

SUBJECTS = (
    "scanner battery dock charger freezer display",
    "pallet lane tape forklift ramp shelf",
    "login password account portal reset browser",
    "pump valve hose leak gasket pressure",
    "invoice supplier ledger credit booking auditor",
    "ladder harness helmet scaffold permit railing",
    "vaccine fridge label courier dose thermometer",
)
COMMON = "morning shift colleague window late again office report floor phone night door meeting".split()

EDITS = [action for action in EditAction if action in BINDING]


class OtherEncoder:
    """Implements ``ports.Encoder`` with fewer dimensions and another id: the same texts, another space."""

    id = "hashing-projected/1"
    dimensions = 48

    def __init__(self) -> None:
        self._inner = HashingEncoder()
        draw = np.random.default_rng(3).standard_normal((self._inner.dimensions, self.dimensions))
        self._projection = draw.astype(np.float32)

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        rows = self._inner.encode(texts, progress=progress) @ self._projection
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


BATCH = 6
"""New cases come by as many, so that sequences meet the same partitions and each is computed once."""


def short_cases(pool: int, first: int, n: int) -> list[Case]:
    """Cases of a few words from one of several pools; one in twelve is about nothing that recurs."""
    return [_short_case(pool, number) for number in range(first, first + n)]


def _short_case(pool: int, number: int) -> Case:
    draw = random.Random(f"{pool} {number}")
    said = [*draw.sample(draw.choice(SUBJECTS).split(), 4), *draw.sample(COMMON, 3)]
    if draw.random() < 1 / 12:
        said = [f"stray{number}word{i}" for i in range(7)]
    day = dt.date(2026, 1, 1) + dt.timedelta(days=number)
    return a_case(f"c-{number:03d}", {"problem": f"The {' '.join(said)}."}, date=day, content_hash=str(number))


_partitions: dict[object, Partition] = {}


def group_once(vectors: Vectors, neighbours: Neighbours, *, repeats: NDArray[np.bool_], **how: Any) -> Partition:
    """The real ``group_rows``, computed once for the same vectors: between two runs that differ in decisions alone."""
    rows = hashlib.sha256(vectors.tobytes() + repeats.tobytes()).digest()
    key = (rows, vectors.shape, tuple(sorted(how.items())))
    if key not in _partitions:
        _partitions[key] = group_rows(vectors, neighbours, repeats=repeats, **how)
    return _partitions[key]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much happens: every new number of cases under every engine and encoder is a partition to compute."""

    pools: int
    first_cases: tuple[int, ...]
    most_cases: int
    most_events: int
    taken_back: int


QUICK = Size(pools=1, first_cases=(46,), most_cases=58, most_events=14, taken_back=3)
LONG = Size(pools=3, first_cases=(40, 58, 82), most_cases=120, most_events=30, taken_back=5)


@dataclass
class Said:
    """One decision as the checker remembers it."""

    seq: int
    action: EditAction
    theme: str | None = None
    other: str | None = None
    cases: tuple[str, ...] = ()
    name: str = ""


@dataclass
class History:
    """One network, one stream of random events; ``counts`` says what happened."""

    folder: Path
    seed: int
    size: "Size"
    standing: list[Said] = field(default_factory=list[Said])
    counts: Counter[str] = field(default_factory=Counter[str])
    broken: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.store = SqlStore(self.folder / "patternmind.db")
        self.clock = FixedClock(NOON)
        self.encoder: Encoder = HashingEncoder()
        self.engine = "graph"
        self.n_cases = 0
        self.last_inputs: object = None
        self.take_in(self.draw.choice(self.size.first_cases))

    def take_in(self, n: int) -> None:
        cases = short_cases(self.seed % self.size.pools, self.n_cases, n)
        self.n_cases += n
        self.store.save_cases([(a_submission(case.text, external_id=case.external_id), case) for case in cases])

    def run(self, **known: Any) -> None:
        self.clock.at += dt.timedelta(minutes=1)
        parameters = RunParameters(engine=self.engine, draft=False, **known)
        inputs = (self.engine, self.encoder.id, self.n_cases, known.get("since"))
        before = self.shown()
        run_cycle(self.store, self.encoder, self.clock, parameters)
        self.counts["run"] += 1
        self.check("run")
        if inputs == self.last_inputs:
            self.counts["run on the same cases"] += 1
            if self.shown() != before:
                self.broken.append(f"seed {self.seed}: a run on the same cases changed what people saw")
        self.last_inputs = inputs

    def play(self) -> None:
        """1-30 events between a first run and a last one; then all is taken back that is decided after it."""
        self.run()
        for _ in range(self.draw.randint(1, self.size.most_events)):
            self.step()
        self.run(label="last")
        before, stood = self.shown(), {one.seq for one in self.standing}
        for _ in range(self.size.taken_back):
            self.edit()
        for one in reversed([one for one in self.standing if one.seq not in stood]):
            self.decide(Asked(action=EditAction.UNDO, by="Bo", undoes=one.seq))
        known = {theme[0] for theme in before[0]}
        after = self.shown()
        if [theme for theme in after[0] if theme[0] in known] != before[0] or after[1:] != before[1:]:
            self.broken.append(f"seed {self.seed}: what was decided and taken back left a trace")

    def shown(self) -> list[Any]:
        """What people see, without the words that tell what changed since.

        Of a theme without cases that is its name: the rest of its card is from the last time that it had any.
        """
        themes = [
            (one.id, one.name, one.area_id, one.case_ids, one.exemplars, one.gist, one.keywords, one.nearest_theme_id)
            if one.case_ids
            else (one.id, one.name)
            for one in sorted(self.store.themes("all"), key=lambda theme: theme.id)
        ]
        assignments = [replace(one, x=None, y=None) for one in self.store.assignments("all")]
        return [themes, assignments, self.store.areas("all")]

    def step(self) -> None:
        event = self.draw.choices(("edit", "undo", "run", "new", "engine", "encoder"), (60, 10, 12, 8, 6, 4))[0]
        self.counts[event] += event != "run"
        match event:
            case "edit":
                self.edit()
            case "undo":
                self.undo()
            case "new":
                if self.n_cases < self.size.most_cases:
                    self.take_in(BATCH)
                self.run()
            case "engine":
                self.engine = "hdbscan" if self.engine == "graph" else "graph"
                self.run()
            case "encoder":
                self.encoder = OtherEncoder() if isinstance(self.encoder, HashingEncoder) else HashingEncoder()
                self.run()
            case _:
                since = "2026-01-20" if self.draw.random() < 0.2 else None
                self.run(label=self.draw.choice(("", "2026Q1", "2026Q2", "2026Q3")), since=since)

    # decisions

    def edit(self) -> None:
        action = self.draw.choice(EDITS)
        themes = self.store.themes("all")
        filled = [theme for theme in themes if theme.case_ids]
        placed = {one.case_id: one.theme_id for one in self.store.assignments("all")}
        everyone = [case.id for case in self.store.cases()]
        theme = self.draw.choice(filled if filled and self.draw.random() < 0.9 else themes) if themes else None
        some = tuple(self.draw.sample(everyone, self.draw.choice((1, 1, 2, 3))))
        asked: dict[str, Any] = {"theme_id": theme.id if theme else None}
        match action:
            case EditAction.RENAME:
                asked["name"] = f"Name {self.draw.randint(1, 99)}"
            case EditAction.MERGE:
                asked["other_theme_id"] = self.draw.choice(themes).id if themes else None
            case EditAction.MOVE_OUT if theme and theme.case_ids:
                asked["case_ids"] = (self.draw.choice(theme.case_ids),)
            case EditAction.SPLIT_OFF:
                inside = [case_id for case_id in placed if placed[case_id] == asked["theme_id"]]
                asked["case_ids"] = tuple(self.draw.sample(inside, min(len(inside), self.draw.randint(1, 4))))
            case EditAction.TOGETHER | EditAction.APART:
                n = min(len(everyone), self.draw.randint(2, 3))
                asked = {"case_ids": tuple(self.draw.sample(everyone, n))}
            case EditAction.LOCK | EditAction.RETIRE:
                pass
            case _:
                asked["case_ids"] = some
        self.decide(Asked(action=action, by="Ada", lens="all", **asked))

    def undo(self) -> None:
        if self.standing:
            seq = self.draw.choice(self.standing).seq
            self.decide(Asked(action=EditAction.UNDO, by="Bo", undoes=seq))

    def decide(self, asked: Asked) -> None:
        before = self.state()
        edit, refused = self._try(asked)
        if edit is None:
            self._check_refusal(refused, before)
            return
        self.counts[edit.action.value] += 1
        if edit.action is EditAction.UNDO:
            self.standing = [one for one in self.standing if one.seq != edit.undoes]
        else:
            self.standing.append(
                Said(edit.seq, edit.action, edit.theme_id, edit.other_theme_id, edit.case_ids, edit.name)
            )
        self.check(f"{edit.action.value} {edit.seq}")

    def _try(self, asked: Asked) -> tuple[Edit | None, Contradiction | UsageError | None]:
        try:
            return decide_themes(self.store, self.clock, asked).edit, None
        except (Contradiction, UsageError) as refused:
            return None, refused

    def _check_refusal(self, refused: Contradiction | UsageError | None, before: list[object]) -> None:
        """A refusal changes nothing, and a contradiction names decisions that stand."""
        self.counts[type(refused).__name__] += 1
        stands = {one.seq for one in self.standing}
        if isinstance(refused, Contradiction) and not (refused.numbers and set(refused.numbers) <= stands):
            self.broken.append(f"seed {self.seed}: refused because of decisions that do not stand")
        if self.state() != before:
            self.broken.append(f"seed {self.seed}: a refused decision changed something")

    def state(self) -> list[object]:
        return [self.store.edits(), self.store.themes("all"), self.store.assignments("all"), self.store.areas("all")]

    # the checker

    def check(self, after: str) -> None:
        themes = {theme.id: theme for theme in self.store.themes("all")}
        place = {one.case_id: one.theme_id for one in self.store.assignments("all")}
        self.broken += [f"seed {self.seed} after {after}: {what}" for what in self._wrong(themes, place)]
        members = {case_id: theme.id for theme in themes.values() for case_id in theme.case_ids}
        if members != {case_id: theme_id for case_id, theme_id in place.items() if theme_id}:
            self.broken.append(f"seed {self.seed} after {after}: cards and places differ")
        self.counts["checked"] += len(self.standing)

    def _wrong(self, themes: dict[str, Any], place: dict[str, str | None]) -> list[str]:
        merged = {one.theme: one.other for one in self.standing if one.action is EditAction.MERGE}

        def now(theme: str | None) -> str | None:
            while theme in merged:
                theme = merged[theme]
            return theme

        wrong: list[str] = []
        last_name: dict[str, Said] = {}
        for one in self.standing:
            here = [case_id for case_id in one.cases if case_id in place]
            where = {place[case_id] for case_id in here}
            home = one.other if one.action is EditAction.SPLIT_OFF else one.theme
            if one.action in {EditAction.RENAME, EditAction.LOCK}:
                last_name[one.theme or ""] = one
            ok = {
                EditAction.RENAME: one.theme in themes,
                EditAction.MERGE: one.theme not in place.values() and one.other in themes,
                EditAction.MOVE_OUT: now(one.theme) not in where,
                EditAction.MOVE_IN: where <= {now(home)},
                EditAction.SPLIT_OFF: where <= {now(home)} and home in themes,
                EditAction.TOGETHER: len(where) <= 1,
                EditAction.APART: len([place[id] for id in here if place[id]])
                == len({place[id] for id in here if place[id]}),
                EditAction.PIN: where <= {now(home)},
                EditAction.LOCK: where <= {now(home)} and home in themes,
                EditAction.RETIRE: where <= {now(home)} and home in themes and themes[home].lineage == "retired",
            }[one.action]
            if not ok:
                wrong.append(f"{one} does not hold")
        wrong += [f"{one} lost its name" for theme, one in last_name.items() if themes[theme].name != one.name]
        return wrong


def play_sequences(folder: Path, seeds: Sequence[int], size: Size) -> tuple[Counter[str], list[str]]:
    """What happened in all of them, and what did not hold."""
    counts: Counter[str] = Counter()
    broken: list[str] = []
    for seed in seeds:
        place = folder / str(seed)
        place.mkdir()
        one = History(place, seed, size)
        one.play()
        one.store.close()
        counts += one.counts
        broken += one.broken
    return counts, broken
