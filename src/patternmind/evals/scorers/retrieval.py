"""Quality of search: similar cases, the recap of a theme, a case by one of its sentences."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import numpy as np

from patternmind.domain.cases import Case, CaseKind
from patternmind.evals.datasets.corpora import SAMPLE, SampleNetwork
from patternmind.evals.gates import Score
from patternmind.evals.report import ScoreUnit
from patternmind.evals.steps.network_runs import NetworkRun
from patternmind.ports import VectorIndex
from patternmind.services.search import search
from patternmind.storage.search.exact import ExactIndex
from patternmind.text import extract_sentences

EVAL = "retrieval"
MAX_QUERIES = 1000
MIN_SENTENCES = 3

SearchFunction = Callable[[str, str | None, int], list[str]]
"""Function from query, kind and k to external ids, best first."""


def score_theme_search(network: NetworkRun, sample: SampleNetwork) -> list[Score]:
    """Score searches with a themed case as the query. Its nearest cases and the recap of its theme are expected."""
    themes, recaps = sample.themes_of_cases, sample.themes_of_recaps
    themed = [case for case in network.cases if case.kind is CaseKind.CASE and themes.get(case.external_id or "")]
    queries = {case.external_id or "": _query_text(case) for case in themed}
    precisions: list[float] = []
    ranks: list[float] = []
    with network.ctx.open_index() as index:
        search_ids = make_search(network, index, list(queries.values()))
        for external_id, query in queries.items():
            near = [case_id for case_id in search_ids(query, CaseKind.CASE, 6) if case_id != external_id][:5]
            precisions.append(precision([themes.get(case_id) for case_id in near], themes[external_id]))
            if themes[external_id] in recaps.values():
                recap_ids = search_ids(query, CaseKind.RECAP, len(recaps))
                ranks.append(reciprocal_rank([recaps.get(hit) for hit in recap_ids], themes[external_id]))
    return [
        _mean_score(SAMPLE, "5 nearest cases of the same theme", precisions),
        _mean_score(SAMPLE, "recap of the theme, reciprocal rank", ranks, unit=ScoreUnit.SCORE),
    ]


def score_label_search(network: NetworkRun, gold: Mapping[str, str], *, seed: int) -> list[Score]:
    """Score how many of the ten nearest other cases have the same label. The queries are up to 1,000 cases."""
    labels = network.gold_labels(gold)
    rows = shuffle_rows(len(labels), seed=seed)[:MAX_QUERIES]
    by_id = {case.id: label for case, label in zip(network.cases, labels, strict=True)}
    index = ExactIndex([case.id for case in network.cases], network.vectors)
    precisions: list[float] = []
    for row in rows:
        hits = [hit.case_id for hit in index.search(network.vectors[row], 11)]
        near = [case_id for case_id in hits if case_id != network.cases[row].id][:10]
        precisions.append(precision([by_id[case_id] for case_id in near], labels[row]))
    return [_mean_score(network.name, "10 nearest cases of the same label", precisions)]


def score_known_item(network: NetworkRun, *, max_queries: int, seed: int) -> list[Score]:
    """Score how often a case is found by one of its sentences.

    The sentence is from the middle of the case; the case must be among the first three results.
    """
    drawn = [network.cases[row] for row in shuffle_rows(len(network.cases), seed=seed)]
    case_sentences = ((case.id, text) for case in drawn if (text := middle_sentence(case)))
    chosen = dict(islice(case_sentences, max_queries))
    if not chosen:
        return []
    external_ids = {case.id: case.external_id or case.id for case in network.cases}
    with network.ctx.open_index() as index:
        search_ids = make_search(network, index, list(chosen.values()))
        outcomes = [float(external_ids[case_id] in search_ids(text, None, 3)) for case_id, text in chosen.items()]
    return [_mean_score(network.name, "case found by a sentence of it, first 3", outcomes)]


def make_search(network: NetworkRun, index: VectorIndex, queries: Sequence[str]) -> SearchFunction:
    """Return a search function that works as it does for users.

    All queries are encoded first, in one call, and the encoder caches them.
    """
    ctx, encoder = network.ctx, network.encoder
    encoder.encode(queries)

    def search_ids(query: str, kind: str | None, k: int) -> list[str]:
        results = search(ctx.store, encoder, index, query, kind=kind, k=k)
        return [result.external_id or result.id for result in results]

    return search_ids


def shuffle_rows(n: int, *, seed: int) -> list[int]:
    return [int(row) for row in np.random.default_rng(seed).permutation(n)]


def middle_sentence(case: Case) -> str | None:
    """Return the sentence halfway through a case, or ``None`` if the case has too few.

    It is neither the first nor the last sentence.
    """
    quotable = [sentence for sentence in extract_sentences(case) if sentence.is_quotable]
    return quotable[len(quotable) // 2].text if len(quotable) >= MIN_SENTENCES else None


def precision(labels: Sequence[str | None], expected: str | None) -> float:
    return sum(label == expected for label in labels) / len(labels) if labels else 0.0


def reciprocal_rank(labels: Sequence[str | None], expected: str | None) -> float:
    """Return one over the rank of the first expected label, or 0 without one."""
    return next((1 / rank for rank, label in enumerate(labels, start=1) if label == expected), 0.0)


def _query_text(case: Case) -> str:
    return "\n".join(case.text[field] for field in ("title", "problem") if field in case.text) or case.title


def _mean_score(dataset: str, name: str, values: Sequence[float], *, unit: ScoreUnit = ScoreUnit.SHARE) -> Score:
    mean = float(np.mean(values)) if values else 0.0
    return Score(EVAL, dataset, name, mean, unit=unit, note=f"{len(values)} queries")
