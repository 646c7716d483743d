"""Whether search brings what belongs together: cases of one theme, a theme's recap, a case by a sentence of its own."""

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
from patternmind.storage.search.chroma import ExactIndex
from patternmind.text import extract_sentences

EVAL = "retrieval"
MAX_QUERIES = 1000
MIN_SENTENCES = 3

SearchFunction = Callable[[str, str | None, int], list[str]]
"""Query, kind and k to external ids, best first."""


def score_theme_search(network: NetworkRun, sample: SampleNetwork) -> list[Score]:
    """A themed case as the query: its nearest other cases, and the recap of its theme."""
    themes, recaps = sample.themes_of_cases, sample.themes_of_recaps
    themed = [case for case in network.cases if case.kind is CaseKind.CASE and themes.get(case.external_id or "")]
    queries = {case.external_id or "": _query_text(case) for case in themed}
    precisions: list[float] = []
    ranks: list[float] = []
    with network.ctx.open_index() as index:
        find = make_search(network, index, list(queries.values()))
        for external_id, query in queries.items():
            near = [found for found in find(query, CaseKind.CASE, 6) if found != external_id][:5]
            precisions.append(precision([themes.get(found) for found in near], themes[external_id]))
            if themes[external_id] in recaps.values():
                found = find(query, CaseKind.RECAP, len(recaps))
                ranks.append(reciprocal_rank([recaps.get(one) for one in found], themes[external_id]))
    return [
        _mean_score(SAMPLE, "5 nearest cases of the same theme", precisions),
        _mean_score(SAMPLE, "recap of the theme, reciprocal rank", ranks, unit=ScoreUnit.SCORE),
    ]


def score_label_search(network: NetworkRun, gold: Mapping[str, str], *, seed: int) -> list[Score]:
    """Up to 1,000 cases as queries: how many of the ten nearest others bear the same label."""
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
    """A sentence from the middle of a case as the query: the case must be among the first three found."""
    drawn = [network.cases[row] for row in shuffle_rows(len(network.cases), seed=seed)]
    telling = ((case.id, text) for case in drawn if (text := middle_sentence(case)))
    chosen = dict(islice(telling, max_queries))
    if not chosen:
        return []
    external = {case.id: case.external_id or case.id for case in network.cases}
    with network.ctx.open_index() as index:
        find = make_search(network, index, list(chosen.values()))
        found = [float(external[case_id] in find(text, None, 3)) for case_id, text in chosen.items()]
    return [_mean_score(network.name, "case found by a sentence of it, first 3", found)]


def make_search(network: NetworkRun, index: VectorIndex, queries: Sequence[str]) -> SearchFunction:
    """Search as users have it; the encoder is given all queries at once before, and remembers them."""
    house, encoder = network.ctx, network.encoder
    encoder.encode(queries)

    def find(query: str, kind: str | None, k: int) -> list[str]:
        results = search(house.store, encoder, index, query, kind=kind, k=k)
        return [result.external_id or result.id for result in results]

    return find


def shuffle_rows(n: int, *, seed: int) -> list[int]:
    return [int(row) for row in np.random.default_rng(seed).permutation(n)]


def middle_sentence(case: Case) -> str | None:
    """The sentence halfway through a case, if it has enough of them; none of its beginning and none of its end."""
    quotable = [sentence for sentence in extract_sentences(case) if sentence.is_quotable]
    return quotable[len(quotable) // 2].text if len(quotable) >= MIN_SENTENCES else None


def precision(labels: Sequence[str | None], expected: str | None) -> float:
    return sum(label == expected for label in labels) / len(labels) if labels else 0.0


def reciprocal_rank(labels: Sequence[str | None], expected: str | None) -> float:
    """One over the place of the first that is wanted; 0 where none is."""
    return next((1 / place for place, label in enumerate(labels, start=1) if label == expected), 0.0)


def _query_text(case: Case) -> str:
    return "\n".join(case.text[field] for field in ("title", "problem") if field in case.text) or case.title


def _mean_score(dataset: str, name: str, values: Sequence[float], *, unit: ScoreUnit = ScoreUnit.SHARE) -> Score:
    mean = float(np.mean(values)) if values else 0.0
    return Score(eval=EVAL, dataset=dataset, name=name, value=mean, unit=unit, note=f"{len(values)} queries")
