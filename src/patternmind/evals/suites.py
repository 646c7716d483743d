"""Suites, which decide the evals that run on each data set."""

import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import CaseKind
from patternmind.errors import UsageError
from patternmind.evals.baselines import expected_keys, find_baselines, read_baselines
from patternmind.evals.datasets.corpora import (
    ARXIV,
    BANKING77,
    CORPORA,
    LESSONS,
    PII_FILE,
    SAMPLE,
    Corpus,
    SampleNetwork,
    check_corpora,
    gold_labels,
    write_arxiv_subset,
)
from patternmind.evals.datasets.planted_quotes import plant_quotes
from patternmind.evals.gates import Score, apply_gates
from patternmind.evals.report import EvalReport
from patternmind.evals.scorers import (
    grounding,
    injection,
    lenses,
    name_informativeness,
    name_redaction,
    redaction,
    retrieval,
    sentence_roles,
    stability,
    theme_names,
    themes,
)
from patternmind.evals.steps.encoders import CachingEncoder
from patternmind.evals.steps.groupings import Grouping
from patternmind.evals.steps.network_runs import EvalContext, NetworkRun, fit_grouping, run_corpus, run_sample
from patternmind.ports import Encoder, Progress
from patternmind.settings import Settings

SUITES = ("ci", "full")

CI_STABILITY_FITS, FULL_STABILITY_FITS = 4, 10
N_PLANTED_SENTENCES = 150
MAX_KNOWN_ITEMS = 100
"""Limit of both suites. A figure has one baseline, whichever suite measures it."""

CI_MAX_PREREADINGS = 5
"""Maximum of each real corpus in the "ci" suite. The full suite takes every theme, as both suites do for the sample."""


def run_suite(suite: str, *, corpora: Path | None, progress: Progress | None = None) -> EvalReport:
    """Measure a suite and compare it with the baselines of this version.

    Args:
        corpora: folder of the real corpora; "ci" can do without, "full" cannot.

    Raises:
        UsageError: The suite is unknown or the folder lacks a file; nothing was measured.
    """
    check_suite(suite, corpora)
    baselines = read_baselines(find_baselines())
    started = time.perf_counter()
    with eval_context(progress=progress) as context:
        scores = measure_suite(suite, corpora, context)
        encoder = context.encoder.id
    expected = expected_keys(baselines, modes_of(suite, corpora))
    results = apply_gates(scores, baselines, expected=expected)
    return EvalReport(suite=suite, encoder=encoder, results=results, seconds=time.perf_counter() - started)


def check_suite(suite: str, corpora: Path | None) -> None:
    if suite not in SUITES:
        raise UsageError(f'Unknown suite "{suite}". Choose one of: {", ".join(SUITES)}.')
    if suite == "full" and corpora is None:
        raise UsageError("The full suite measures on the real corpora. Name their folder with --corpora.")
    if corpora is not None:
        check_corpora(corpora, full=suite == "full")


def modes_of(suite: str, corpora: Path | None) -> list[str]:
    """Return the ways of measuring that a call includes; each baseline names those that yield it."""
    return [suite, "ci+corpora"] if suite == "ci" and corpora is not None else [suite]


def mode_of(suite: str, score: Score) -> str:
    """Return the way of measuring that a score needs; the real corpora are extra to "ci"."""
    packaged = score.dataset in (SAMPLE, grounding.DATASET, injection.DATASET)
    return suite if packaged or suite == "full" else "ci+corpora"


@contextmanager
def eval_context(
    *, progress: Progress | None = None, encoder: Encoder | None = None, seed: int = 0
) -> Generator[EvalContext]:
    """Provide a temporary folder for data folders and the default encoder. The encoder caches what it embeds."""
    with tempfile.TemporaryDirectory(prefix="patternmind-eval-") as folder:
        base_encoder = encoder or CachingEncoder(AppContext(Settings(home=Path(folder))).encoder)
        yield EvalContext(Path(folder), base_encoder, seed, progress)


def measure_suite(suite: str, corpora: Path | None, context: EvalContext) -> list[Score]:
    """Return every score of a suite, data set by data set."""
    full = suite == "full"
    steps: list[Callable[[], list[Score]]] = [
        partial(measure_sample, context, full=full),
        partial(injection.score_injection, context),
    ]
    if corpora is not None:
        steps += [partial(measure_corpus, corpus, corpora / corpus.file, context, full=full) for corpus in CORPORA]
        steps.append(partial(redaction.score_pii, corpora / PII_FILE))
        steps.append(partial(name_redaction.score_known_names, corpora / PII_FILE, seed=context.seed))
        steps.append(partial(name_redaction.score_possible_names, corpora / PII_FILE))
        steps.append(
            partial(name_redaction.score_false_alarms, LESSONS.name, corpora / LESSONS.file, corpora / PII_FILE)
        )
        if full:
            steps.append(partial(measure_arxiv, corpora, context))
    scores: list[Score] = []
    for done, step in enumerate(steps):
        if context.progress:
            context.progress("eval", done, len(steps))
        scores += step()
    return scores


def measure_sample(context: EvalContext, *, full: bool = False) -> list[Score]:
    sample = SampleNetwork()
    network = run_sample(sample, context)
    planted = plant_quotes(network.cases, n_sentences=N_PLANTED_SENTENCES, seed=context.seed)
    return [
        *_score_conservation(network),
        *_score_sample_themes(network, sample, context),
        *_score_stability(network, context, n_fits=FULL_STABILITY_FITS if full else CI_STABILITY_FITS),
        *_score_names(network, context),
        *lenses.score_side_classification(SAMPLE, network.cases),
        *grounding.score_exported_quotes(network),
        *grounding.score_planted_quotes(planted, network.cases),
        *retrieval.score_theme_search(network, sample),
        *retrieval.score_known_item(network, max_queries=MAX_KNOWN_ITEMS, seed=context.seed),
        *redaction.score_canaries(network, sample),
    ]


def _score_sample_themes(network: NetworkRun, sample: SampleNetwork, context: EvalContext) -> list[Score]:
    """Score the themes of the sample.

    Agreement is counted over cases; bounds over everything that is grouped, including recaps.
    """
    rows = [row for row, case in enumerate(network.cases) if case.kind is CaseKind.CASE]
    truth = [sample.themes_of_cases.get(network.external_ids[row]) for row in rows]
    hdbscan = fit_grouping(network.vectors, engine="hdbscan", seed=context.seed)
    hdbscan_scores = [
        *themes.score_agreement(SAMPLE, hdbscan.rows(rows), truth),
        *themes.score_bounds(SAMPLE, hdbscan, is_large=False),
    ]
    return [
        *themes.score_agreement(SAMPLE, network.grouping.rows(rows), truth),
        *themes.score_outliers(SAMPLE, network.grouping.rows(rows), truth),
        *themes.score_duplicates(SAMPLE, duplicate_pairs(network), sample.near_duplicates),
        *themes.score_bounds(SAMPLE, network.grouping, is_large=False),
        *themes.as_reference(hdbscan_scores, "hdbscan"),
    ]


def measure_corpus(corpus: Corpus, path: Path, context: EvalContext, *, full: bool = False) -> list[Score]:
    network = run_corpus(corpus, path, context)
    scores = _score_conservation(network)
    gold = gold_labels(path) if corpus.is_labelled else {}
    scores += _score_themes(corpus, network.grouping, network.gold_labels(gold))
    hdbscan = fit_grouping(network.vectors, engine="hdbscan", seed=context.seed)
    scores += themes.as_reference(_score_themes(corpus, hdbscan, network.gold_labels(gold)), "hdbscan")
    if full:
        scores += _score_stability(network, context, n_fits=FULL_STABILITY_FITS)
    scores += _score_names(network, context)
    if corpus.is_drafted:
        scores += grounding.score_exported_quotes(network, max_prereadings=None if full else CI_MAX_PREREADINGS)
        scores += retrieval.score_known_item(network, max_queries=MAX_KNOWN_ITEMS, seed=context.seed)
    if corpus is LESSONS:
        scores += _score_lenses(network, context, full=full)
    if corpus is BANKING77:
        scores += retrieval.score_label_search(network, gold, seed=context.seed)
    return scores


def measure_arxiv(corpora: Path, context: EvalContext) -> list[Score]:
    """Measure agreement with categories, and bounds, at a large size.

    The corpus holds 20,000 of the 300,000 titles and sentences.
    """
    path = write_arxiv_subset(corpora, context.folder)
    network = run_corpus(ARXIV, path, context)
    return [
        *_score_conservation(network),
        *_score_themes(ARXIV, network.grouping, network.gold_labels(gold_labels(path))),
        *_score_names(network, context),
    ]


def duplicate_pairs(network: NetworkRun) -> frozenset[frozenset[str]]:
    """Return pairs of external ids of duplicates. One case of each pair is marked as a duplicate of the other."""
    external_ids = dict(zip((case.id for case in network.cases), network.external_ids, strict=True))
    return frozenset(
        frozenset((external_ids[case.id], external_ids[case.duplicate_of]))
        for case in network.cases
        if case.duplicate_of in external_ids
    )


def _score_conservation(network: NetworkRun) -> list[Score]:
    """Score how many rows of the files are accounted for.

    A row counts if it is a placed case, a newer version of it, or a repetition of it.
    """
    n_read = sum(report.accepted + report.unchanged + len(report.rejected) for report in network.intake_reports)
    n_accounted_for = len(network.cases) + sum(report.updated + report.unchanged for report in network.intake_reports)
    return [themes.score_conservation(network.name, n_accounted_for, n_read)]


def _score_themes(corpus: Corpus, grouping: Grouping, gold: Sequence[str | None]) -> list[Score]:
    agreement = themes.score_agreement(corpus.name, grouping, gold) if corpus.is_labelled else []
    return [*agreement, *themes.score_bounds(corpus.name, grouping, is_large=corpus.is_large)]


def _score_stability(network: NetworkRun, context: EvalContext, *, n_fits: int) -> list[Score]:
    fit = partial(fit_grouping, engine="graph", seed=context.seed)
    return stability.score_stability(network.name, network.vectors, fit, n_fits=n_fits, seed=context.seed)


def _score_lenses(network: NetworkRun, context: EvalContext, *, full: bool) -> list[Score]:
    """Score lenses and sentence roles on the lessons.

    The lessons have separate fields for event, lesson and recommendation.
    """
    scores = lenses.score_side_classification(network.name, network.cases)
    cohesion = {assignment.case_id: assignment.strength for assignment in network.ctx.store.runs.assignments()}
    network_themes = network.ctx.store.themes.list_all()
    scores += sentence_roles.score_sentence_roles(
        network.name, network_themes, network.cases, cohesion, seed=context.seed
    )
    if full:
        fit = partial(fit_grouping, engine="graph", seed=context.seed)
        scores += lenses.score_lens_themes(network.name, network.cases, context.encoder, fit)
    return scores


def _score_names(network: NetworkRun, context: EvalContext) -> list[Score]:
    texts = {case.id: "\n".join(case.text.values()) for case in network.cases}
    network_themes = network.ctx.store.themes.list_all()
    return [
        *theme_names.score_theme_names(network.name, network_themes, texts),
        *name_informativeness.score_name_informativeness(
            network.name, network_themes, network.cases, network.vectors, context.encoder, seed=context.seed
        ),
    ]
