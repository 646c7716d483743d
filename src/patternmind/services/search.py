"""Search by meaning over cases, recaps and accepted patterns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.clustering.neighbours import cosine_similarity
from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import Pattern
from patternmind.domain.themes import Vectors
from patternmind.drafting.sentence_selection import content_words
from patternmind.embedding.vectors import embed_cases, embed_texts
from patternmind.errors import UsageError
from patternmind.ports import Encoder, Progress, Store, VectorIndex
from patternmind.services.reviews import list_accepted_patterns
from patternmind.text import extract_sentences

MAX_SNIPPET_CHARS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """``kind`` is case, recap or pattern; ``score`` 0..1 is the cosine, negative ones counted as 0."""

    kind: str
    id: str
    external_id: str | None
    score: float
    snippet: str


def search(
    store: Store, encoder: Encoder, index: VectorIndex, text: str, *, kind: str | None = None, k: int = 10
) -> list[SearchResult]:
    """Return the k results most similar in meaning, best first.

    Args:
        index: over the vectors of all cases; ``index_vectors`` says which.
        kind: "case", "recap" or "pattern"; all of them where none is named.

    Raises:
        UsageError: there is nothing to search for.
    """
    if not text.strip():
        raise UsageError("Say what to search for.", field="query.q")
    query = encoder.encode([text])[0]
    results = _search_cases(store, index, query, text, kind, k) if kind != "pattern" else []
    results += _search_patterns(store, encoder, query) if kind in (None, "pattern") else []
    return sorted(results, key=lambda result: (-result.score, result.id))[:k]


def embed_all_cases(store: Store, encoder: Encoder, *, progress: Progress | None = None) -> tuple[list[str], Vectors]:
    """Return the ids of all cases and their whole-text vectors; embeds the texts that have none yet."""
    cases = store.cases.list_all()
    return [case.id for case in cases], embed_cases(store, encoder, cases, "all", progress=progress)


def _search_cases(
    store: Store, index: VectorIndex, query: Vectors, text: str, kind: str | None, k: int
) -> list[SearchResult]:
    hits = index.search(query, k, kind=CaseKind(kind) if kind else None)
    by_id = store.cases.get_many([hit.case_id for hit in hits])
    return [
        SearchResult(
            kind=case.kind.value,
            id=case.id,
            external_id=case.external_id,
            score=_to_score(hit.score),
            snippet=best_snippet(case, text),
        )
        for hit in hits
        if (case := by_id.get(hit.case_id)) is not None
    ]


def _search_patterns(store: Store, encoder: Encoder, query: Vectors) -> list[SearchResult]:
    patterns = list_accepted_patterns(store)
    if not patterns:
        return []
    scores = cosine_similarity(_pattern_vectors(store, encoder, patterns), query[None, :])[:, 0]
    return [
        SearchResult(
            kind="pattern",
            id=pattern.id,
            external_id=None,
            score=_to_score(float(score)),
            snippet=_truncate(str(pattern.fields.get("patlet", pattern.name))),
        )
        for pattern, score in zip(patterns, scores, strict=True)
    ]


def score_patterns(store: Store, encoder: Encoder, patterns: Sequence[Pattern], text: str) -> list[float]:
    """Return the similarity in meaning of each pattern to a text, 0..1, in their order."""
    if not patterns:
        return []
    query = encoder.encode([text])[0]
    return [
        _to_score(float(cosine))
        for cosine in cosine_similarity(_pattern_vectors(store, encoder, patterns), query[None, :])[:, 0]
    ]


def _pattern_vectors(store: Store, encoder: Encoder, patterns: Sequence[Pattern]) -> Vectors:
    texts = [f"{pattern.name}\n{pattern.fields.get('patlet', '')}" for pattern in patterns]
    return embed_texts(store, encoder, texts)


def _to_score(cosine: float) -> float:
    return round(min(1.0, max(0.0, cosine)), 4)


def best_snippet(case: Case, query: str) -> str:
    """Return the sentence of the case that shares most words with the query; by default its first."""
    query_words = content_words(query)
    sentences = extract_sentences(case)
    if not sentences:
        return _truncate(case.title)
    best = max(sentences, key=lambda s: (len(query_words & content_words(s.text)), -sentences.index(s)))
    return _truncate(best.text)


def _truncate(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= MAX_SNIPPET_CHARS else text[:MAX_SNIPPET_CHARS].rsplit(" ", 1)[0] + " …"
