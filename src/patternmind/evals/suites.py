"""The suites: which data set goes through which evals. ``run_suite`` is what ``patternmind eval`` asks."""

import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from patternmind.bootstrap import House
from patternmind.errors import UsageError
from patternmind.evals import (
    grounding,
    injection,
    lenses,
    names,
    naming,
    redaction,
    retrieval,
    roles,
    stability,
    telling,
    themes,
)
from patternmind.evals.baselines import expected_keys, find_baselines, read_baselines
from patternmind.evals.datasets import (
    ARXIV,
    BANKING77,
    CORPORA,
    LESSONS,
    PII,
    SAMPLE,
    Corpus,
    Sample,
    check_corpora,
    gold_labels,
    write_arxiv_subset,
)
from patternmind.evals.false_quotes import plant
from patternmind.evals.gates import Score, judge
from patternmind.evals.groupings import Grouping
from patternmind.evals.networks import Conditions, RunNetwork, fit, run_corpus, run_sample
from patternmind.evals.report import Report
from patternmind.evals.vectors import RememberingEncoder
from patternmind.model.cases import Kind
from patternmind.ports import Encoder, Progress
from patternmind.settings import Settings

SUITES = ("ci", "full")

FITS_IN_CI, FITS_IN_FULL = 4, 10
PLANTED_SENTENCES = 150
KNOWN_ITEMS = 100
"""The same in both suites: a figure has one baseline, whichever suite measures it."""

PREREADINGS_IN_CI = 5
"""Of each real corpus; the full suite, like the sample always, takes every theme."""


def run_suite(suite: str, *, corpora: Path | None, progress: Progress | None = None) -> Report:
    """Measure everything of a suite and judge it by the baselines of this version.

    Args:
        corpora: folder of the real corpora; "ci" can do without, "full" cannot.

    Raises:
        UsageError: no such suite, or the folder lacks a file; nothing was measured.
    """
    check_suite(suite, corpora)
    baselines = read_baselines(find_baselines())
    begun = time.perf_counter()
    with conditions(progress=progress) as given:
        scores = measure(suite, corpora, given)
        encoder = given.encoder.id
    expected = expected_keys(baselines, modes_of(suite, corpora))
    figures = judge(scores, baselines, expected=expected)
    return Report(suite=suite, encoder=encoder, figures=figures, seconds=time.perf_counter() - begun)


def check_suite(suite: str, corpora: Path | None) -> None:
    if suite not in SUITES:
        raise UsageError(f'There is no suite "{suite}". Choose one of: {", ".join(SUITES)}.')
    if suite == "full" and corpora is None:
        raise UsageError("The full suite measures on the real corpora. Name their folder with --corpora.")
    if corpora is not None:
        check_corpora(corpora, full=suite == "full")


def modes_of(suite: str, corpora: Path | None) -> list[str]:
    """The ways of measuring of a call; each figure's baseline says which of them yield it."""
    return [suite, "ci+corpora"] if suite == "ci" and corpora is not None else [suite]


def mode_of(suite: str, score: Score) -> str:
    """The way of measuring that a score needed: the real corpora are extra to "ci"."""
    packaged = score.on in (SAMPLE, grounding.PLANTED, injection.ORDERS)
    return suite if packaged or suite == "full" else "ci+corpora"


@contextmanager
def conditions(
    *, progress: Progress | None = None, encoder: Encoder | None = None, seed: int = 0
) -> Generator[Conditions]:
    """A folder for data folders that is thrown away, and the default encoder, which remembers what it embedded."""
    with tempfile.TemporaryDirectory(prefix="patternmind-eval-") as folder:
        default = encoder or RememberingEncoder(House(Settings(home=Path(folder))).encoder)
        yield Conditions(Path(folder), default, seed, progress)


def measure(suite: str, corpora: Path | None, given: Conditions) -> list[Score]:
    """Every score of a suite, data set by data set."""
    full = suite == "full"
    steps: list[Callable[[], list[Score]]] = [
        partial(measure_sample, given, full=full),
        partial(injection.score_injection, given),
    ]
    if corpora is not None:
        steps += [partial(measure_corpus, corpus, corpora / corpus.file, given, full=full) for corpus in CORPORA]
        steps.append(partial(redaction.score_pii, corpora / PII))
        steps.append(partial(names.score_known_names, corpora / PII, seed=given.seed))
        steps.append(partial(names.score_possible_names, corpora / PII))
        steps.append(partial(names.score_false_alarms, LESSONS.name, corpora / LESSONS.file, corpora / PII))
        if full:
            steps.append(partial(measure_arxiv, corpora, given))
    scores: list[Score] = []
    for done, step in enumerate(steps):
        if given.progress:
            given.progress("eval", done, len(steps))
        scores += step()
    return scores


def measure_sample(given: Conditions, *, full: bool = False) -> list[Score]:
    sample = Sample()
    network = run_sample(sample, given)
    planted = plant(network.cases, n_sentences=PLANTED_SENTENCES, seed=given.seed)
    return [
        *_conservation(network),
        *_sample_themes(network, sample, given),
        *_stability(network, given, n_fits=FITS_IN_FULL if full else FITS_IN_CI),
        *_naming(network, given),
        *lenses.score_telling_apart(SAMPLE, network.cases),
        *grounding.score_exported_quotes(network),
        *grounding.score_planted_quotes(planted, network.cases),
        *retrieval.score_theme_search(network, sample),
        *retrieval.score_known_item(network, most=KNOWN_ITEMS, seed=given.seed),
        *redaction.score_canaries(network, sample),
    ]


def _sample_themes(network: RunNetwork, sample: Sample, given: Conditions) -> list[Score]:
    """Agreement is counted over cases; bounds over all that is grouped, recaps too."""
    rows = [row for row, case in enumerate(network.cases) if case.kind is Kind.CASE]
    truth = [sample.themes_of_cases.get(network.external_ids[row]) for row in rows]
    hdbscan = fit(network.vectors, engine="hdbscan", seed=given.seed)
    of_hdbscan = [
        *themes.score_agreement(SAMPLE, hdbscan.rows(rows), truth),
        *themes.score_bounds(SAMPLE, hdbscan, large=False),
    ]
    return [
        *themes.score_agreement(SAMPLE, network.grouping.rows(rows), truth),
        *themes.score_strangers(SAMPLE, network.grouping.rows(rows), truth),
        *themes.score_duplicates(SAMPLE, found_duplicates(network), sample.near_duplicates),
        *themes.score_bounds(SAMPLE, network.grouping, large=False),
        *themes.for_comparison(of_hdbscan, "hdbscan"),
    ]


def measure_corpus(corpus: Corpus, path: Path, given: Conditions, *, full: bool = False) -> list[Score]:
    network = run_corpus(corpus, path, given)
    scores = _conservation(network)
    gold = gold_labels(path) if corpus.labelled else {}
    scores += _themes(corpus, network.grouping, network.gold(gold))
    hdbscan = fit(network.vectors, engine="hdbscan", seed=given.seed)
    scores += themes.for_comparison(_themes(corpus, hdbscan, network.gold(gold)), "hdbscan")
    if full:
        scores += _stability(network, given, n_fits=FITS_IN_FULL)
    scores += _naming(network, given)
    if corpus.drafted:
        scores += grounding.score_exported_quotes(network, most_prereadings=None if full else PREREADINGS_IN_CI)
        scores += retrieval.score_known_item(network, most=KNOWN_ITEMS, seed=given.seed)
    if corpus is LESSONS:
        scores += _lenses(network, given, full=full)
    if corpus is BANKING77:
        scores += retrieval.score_label_search(network, gold, seed=given.seed)
    return scores


def measure_arxiv(corpora: Path, given: Conditions) -> list[Score]:
    """20,000 of the 300,000 titles and sentences: agreement with their categories and bounds at size."""
    path = write_arxiv_subset(corpora, given.folder)
    network = run_corpus(ARXIV, path, given)
    return [
        *_conservation(network),
        *_themes(ARXIV, network.grouping, network.gold(gold_labels(path))),
        *_naming(network, given),
    ]


def found_duplicates(network: RunNetwork) -> frozenset[frozenset[str]]:
    """Pairs of external ids of which one is marked as the other told again."""
    external = dict(zip((case.id for case in network.cases), network.external_ids, strict=True))
    return frozenset(
        frozenset((external[case.id], external[case.duplicate_of]))
        for case in network.cases
        if case.duplicate_of in external
    )


def _conservation(network: RunNetwork) -> list[Score]:
    """Rows of the files that are a placed case, its newer version, or a repetition of it."""
    n_read = sum(report.accepted + report.unchanged + len(report.rejected) for report in network.intake)
    n_known = len(network.cases) + sum(report.updated + report.unchanged for report in network.intake)
    return [themes.score_conservation(network.name, n_known, n_read)]


def _themes(corpus: Corpus, grouping: Grouping, gold: Sequence[str | None]) -> list[Score]:
    agreement = themes.score_agreement(corpus.name, grouping, gold) if corpus.labelled else []
    return [*agreement, *themes.score_bounds(corpus.name, grouping, large=corpus.large)]


def _stability(network: RunNetwork, given: Conditions, *, n_fits: int) -> list[Score]:
    fitted = partial(fit, engine="graph", seed=given.seed)
    return stability.score_stability(network.name, network.vectors, fitted, n_fits=n_fits, seed=given.seed)


def _lenses(network: RunNetwork, given: Conditions, *, full: bool) -> list[Score]:
    """The lessons keep event, lesson and recommendation apart."""
    scores = lenses.score_telling_apart(network.name, network.cases)
    firmness = {one.case_id: one.strength for one in network.house.store.assignments()}
    found = network.house.store.themes()
    scores += roles.score_roles(network.name, found, network.cases, firmness, seed=given.seed)
    if full:
        fitted = partial(fit, engine="graph", seed=given.seed)
        scores += lenses.score_lens_themes(network.name, network.cases, given.encoder, fitted)
    return scores


def _naming(network: RunNetwork, given: Conditions) -> list[Score]:
    texts = {case.id: "\n".join(case.text.values()) for case in network.cases}
    found = network.house.store.themes()
    return [
        *naming.score_names(network.name, found, texts),
        *telling.score_telling(network.name, found, network.cases, network.vectors, given.encoder, seed=given.seed),
    ]


__all__: Sequence[str] = ("SUITES", "check_suite", "conditions", "measure", "mode_of", "modes_of", "run_suite")
