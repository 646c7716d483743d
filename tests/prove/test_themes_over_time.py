"""Themes through time: eight periods of real corpora through the real line, planted histories, another encoder.

Whether a theme "mostly remains" is decided here from the exported assignments alone, by an oracle that knows nothing of
how carrying decides: of the cases that both runs held, some theme of the second run has at least half of the first
theme's, and they are at least half of what it has.
"""

import datetime as dt
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fixtures.builders import NOON, build_case, build_submission
from tests.fixtures.corpora import corpus_rows
from tests.fixtures.planted_histories import PlantedHistory

from patternmind.clock import FixedClock
from patternmind.domain.cases import Case
from patternmind.domain.themes import Assignment, Lineage, Vectors
from patternmind.embedding.lenses import lens_text
from patternmind.embedding.minilm_encoder import MiniLMEncoder
from patternmind.evals.steps.encoders import CachingEncoder
from patternmind.pipeline import run_pipeline
from patternmind.ports import Encoder, Progress, RunParameters
from patternmind.storage import SqlStore

pytestmark = pytest.mark.prove

N_PERIODS = 8
SEEDS = 5


def quarter(row: Mapping[str, Any]) -> str:
    day = str(row["date"])
    return f"{day[:4]}Q{(int(day[5:7]) + 2) // 3}"


def month(row: Mapping[str, Any]) -> str:
    return str(row["date"])[:7]


def of_window(rows: Sequence[dict[str, Any]], when: Callable[[Mapping[str, Any]], str], first: str, last: str) -> Any:
    """The rows of each quarter or month from the first to the last."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if len(str(row["date"])) >= len("2000-01") and first <= when(row) <= last:
            found[when(row)].append(row)
    return [found[name] for name in sorted(found)]


def in_blocks(rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Eight blocks in order of date; lessons are about 130 each."""
    ordered = sorted(rows, key=lambda row: (str(row["date"]), str(row["id"])))
    bounds = [len(ordered) * period // N_PERIODS for period in range(N_PERIODS + 1)]
    return [ordered[start:end] for start, end in pairwise(bounds)]


PERIODS: Mapping[str, Callable[[], list[list[dict[str, Any]]]]] = {
    "arxiv_titles": lambda: of_window(corpus_rows("arxiv_titles"), quarter, "2000Q1", "2001Q4"),
    "complaints": lambda: of_window(corpus_rows("complaints"), month, "2023-01", "2023-08"),
    "lessons": lambda: in_blocks(corpus_rows("lessons")),
    "bills": lambda: in_blocks(corpus_rows("bills")),
}


def as_case(row: Mapping[str, Any]) -> Case:
    fields = {"what_happened": "driving_event", "lesson": "lesson", "recommendation": "recommendation"}
    said = {field: str(row[name]) for field, name in fields.items() if row.get(name)}
    text = said or {"problem": "\n".join(str(row[name]) for name in ("title", "text") if row.get(name))}
    return build_case(str(row["id"]), text, date=None, content_hash=str(row["id"]))


@dataclass
class Network:
    store: SqlStore
    clock: FixedClock

    def take_in(self, rows: Sequence[Mapping[str, Any]]) -> None:
        cases = [as_case(row) for row in rows]
        self.store.save_cases([(build_submission(case.text, external_id=case.external_id), case) for case in cases])

    def run(self, encoder: Encoder, label: str) -> list[Assignment]:
        self.clock.at += dt.timedelta(days=90)
        run_pipeline(self.store, encoder, self.clock, RunParameters(label=label, draft=False))
        return self.store.assignments()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> CachingEncoder:
    """The real encoder; its vectors are kept between proofs in PATTERNMIND_EVALCACHE."""
    kept = Path(os.environ.get("PATTERNMIND_EVALCACHE", Path(tempfile.gettempdir()) / "evalcache"))
    verdicts = tmp_path_factory.mktemp("verdicts") / "verdicts.json"
    return CachingEncoder(MiniLMEncoder(None, precision_cache=verdicts), folder=kept)


class OtherEncoder:
    """TF-IDF and a singular value decomposition to 100 dimensions, fitted on the texts of one network."""

    id = "tfidf-svd-100"
    dimensions = 100

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._words: Any = TfidfVectorizer(stop_words="english", sublinear_tf=True, min_df=2)
        self._reduce: Any = TruncatedSVD(self.dimensions, random_state=0)
        self._reduce.fit(self._words.fit_transform(texts))

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        reduced = np.asarray(self._reduce.transform(self._words.transform(texts)), np.float64)
        lengths = np.linalg.norm(reduced, axis=1, keepdims=True)
        return (reduced / np.where(lengths > 0, lengths, 1)).astype(np.float32)


Groups = dict[str, set[str]]


def grouped(assignments: Sequence[Assignment], by: Callable[[Assignment], str | None]) -> Groups:
    groups: Groups = defaultdict(set)
    for one in assignments:
        if (name := by(one)) is not None:
            groups[name].add(one.case_id)
    return dict(groups)


def successors(before: Groups, now: Groups, both: set[str]) -> dict[str, set[str]]:
    """Of every group that mostly remains, the groups it may be found in: one, or two where it was halved evenly."""
    found: dict[str, set[str]] = {}
    for old, members in before.items():
        for new, others in now.items():
            n = len(members & others & both)
            if n and 2 * n >= len(members & both) and 2 * n >= len(others & both):
                found.setdefault(old, set()).add(new)
    return found


@dataclass
class Tally:
    """Groups of all runs but the last; those that mostly remain in the next; those of them that keep their id."""

    n: int = 0
    remain: int = 0
    kept: int = 0

    def add(self, before: Groups, now: Groups, both: set[str]) -> None:
        found = successors(before, now, both)
        self.n += len(before)
        self.remain += len(found)
        self.kept += sum(name in names for name, names in found.items())

    def __str__(self) -> str:
        return (
            f"{self.n}, mostly remain {self.remain / self.n:.2f}, of these keep their id {self.kept / self.remain:.3f}"
        )


def change_encoder(network: Network, corpus: str, last: Sequence[Assignment]) -> None:
    """The same cases under TF-IDF: at least 70 % of the themes are still there by their ids."""
    other = OtherEncoder([lens_text(case, "all") for case in network.store.cases()])
    now = network.run(other, "another encoder")
    before, after = (grouped(found, lambda one: one.theme_id) for found in (last, now))
    kept = before.keys() & after.keys()
    remain = successors(before, after, {one.case_id for one in now})
    print(
        f"{corpus}, another encoder: {len(kept)} of {len(before)} ids kept ({len(kept) / len(before):.2f}), "
        f"{len(remain)} mostly remain, {len(after)} themes after"
    )
    assert len(kept) >= 0.7 * len(before)
    assert all(name in after and name in names for name, names in remain.items())


@pytest.mark.parametrize("corpus", PERIODS)
def test_themes_keep_their_id_while_most_cases_remain(corpus: str, tmp_path: Path, encoder: CachingEncoder) -> None:
    """Eight cumulative periods; then, but for arXiv, the last one again under another encoder."""
    network = Network(SqlStore(tmp_path / "patternmind.db"), FixedClock(NOON))
    periods = PERIODS[corpus]()
    assert len(periods) == N_PERIODS
    themes, areas, ever = Tally(), Tally(), set[str]()
    last: list[Assignment] = []
    for number, rows in enumerate(periods):
        network.take_in(rows)
        now = network.run(encoder, f"period {number}")
        encoder.save()
        both = {one.case_id for one in last} & {one.case_id for one in now}
        after = grouped(now, lambda one: one.theme_id)
        themes.add(grouped(last, lambda one: one.theme_id), after, both)
        areas.add(grouped(last, lambda one: one.area_id), grouped(now, lambda one: one.area_id), both)
        ever |= after.keys()
        assert network.store.theme_ids() == ever, "an id once given stays on record"
        last = now
    words = [change.lineage.value for run in network.store.runs() for change in network.store.theme_changes(run.id)]
    told = {word: words.count(word) for word in sorted(set(words))}
    print(f"\n{corpus}: {len(last)} cases; themes {themes}; areas {areas}; {told}")
    if corpus != "arxiv_titles":
        change_encoder(network, corpus, last)
    network.store.close()
    assert themes.kept >= 0.9 * themes.remain
    assert areas.kept >= 0.9 * areas.remain


@pytest.mark.parametrize("seed", range(SEEDS))
def test_planted_histories_are_reported_correctly(seed: int) -> None:
    history = PlantedHistory(seed=seed)
    words = (Lineage.SPLIT, Lineage.MERGED, Lineage.NEW, Lineage.DORMANT, Lineage.RETURNED)
    scores = {word.value: history.scores(word) for word in words}
    print(f"\nseed {seed}, precision and recall: {scores}; ids kept where nothing was done: {history.ids_kept()}")
    assert all(min(pair) >= 0.9 for pair in scores.values())
    assert history.ids_kept() >= 0.9
