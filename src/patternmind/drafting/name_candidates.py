"""Propose names for a theme: phrases of its cases, ranked by how distinctive their words are."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from patternmind.drafting.keyphrases import MIN_CASE_SHARE, VAGUE_WORDS, Phrase, PhraseCounts, is_content_word
from patternmind.drafting.noun_phrases import extract_noun_phrases
from patternmind.drafting.word_forms import WORD, normalize_word

MAX_CASES_READ = 200
"""Strongest cases of a theme whose phrases are read; words are counted over all its cases."""

FALLBACK_CASE_SHARES = (MIN_CASE_SHARE / 2, MIN_CASE_SHARE / 4)
"""Lower shares for a theme whose cases share few words: a rarer phrase is better than a single word."""

MIN_CANDIDATES = 12
"""Minimum number of phrases of several words to rank by meaning.

With fewer, rarer words are allowed, and finally one word that a single case uses.
"""

MIN_NOUN_CANDIDATES = 3
"""Number of noun phrases from which all other phrases are dropped."""

MAX_VERB_LOG_ODDS = -0.7
"""Log-odds below which a word inside a phrase is a verb: twice as often after "we" as after "the"."""

MAX_CANDIDATES = 48
"""Limit of candidates per theme, few enough to compare by meaning."""

RANK_WEIGHTS = (1.0, 0.7, 0.4, 0.2, 0.1)
"""Weights of a phrase's best word, its second, and so on: two strong words name a theme, five make a sentence."""

SIMILARITY_WEIGHT = 5.0
"""Weight of similarity in meaning, compared with the word score.

Word counts are noisy in a theme of ten cases, vectors less. Share of names that led to a held-out case of the sample,
and to a held-out recap: at 3, .77 and .77; at 5, .79 and .86; at 8, .78 and .85.
"""

SINGLE_WORD_PENALTY = 0.4
"""Penalty for a single word: "desk" names a place, "desk slots" a problem."""

MIN_PROPER_NAME_CASES = 3
MIN_PROPER_NAME_SHARE = 1 / 8
"""Minimum share of cases for a proper name: a rarer product or place does not describe the theme."""


@dataclass(frozen=True, slots=True)
class WordWeights:
    """The weight of each word for a theme, 0..1, and the cases that contain it."""

    weights: Mapping[str, float]
    case_ids_by_word: Mapping[str, frozenset[str]]


def propose_name_candidates(
    counts: PhraseCounts, case_ids: Sequence[str], *, contrast_case_ids: Sequence[str] = ()
) -> list[Phrase]:
    """Return phrases of a theme's cases, best first; several cases contain each content word of a phrase.

    Args:
        case_ids: Ids by descending strength.
        contrast_case_ids: Cases of the nearest theme, which the name must fit less well.
    """
    candidates = _collect_candidates(counts, case_ids, contrast_case_ids, min_case_share=MIN_CASE_SHARE)
    for min_case_share in FALLBACK_CASE_SHARES:
        if _has_too_few_candidates(candidates):
            candidates = _collect_candidates(counts, case_ids, contrast_case_ids, min_case_share=min_case_share)
    if _has_too_few_candidates(candidates):
        candidates = _collect_candidates(
            counts, case_ids, contrast_case_ids, min_case_share=MIN_CASE_SHARE, max_single_case_words=1
        )
    return candidates[:MAX_CANDIDATES]


def _has_too_few_candidates(candidates: Sequence[Phrase]) -> bool:
    return sum(" " in phrase.text for phrase in candidates) < MIN_CANDIDATES


def _collect_candidates(
    counts: PhraseCounts,
    case_ids: Sequence[str],
    contrast_case_ids: Sequence[str],
    *,
    min_case_share: float,
    max_single_case_words: int = 0,
) -> list[Phrase]:
    """Collect and rank the candidates for one minimum share of cases.

    Args:
        max_single_case_words: Content words per phrase that fewer cases may contain.
    """
    word_weights = weigh_words(counts, case_ids, contrast_case_ids, min_case_share=min_case_share)
    n_cases_by_key: Counter[tuple[str, ...]] = Counter()
    spellings: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for case_id in islice(case_ids, MAX_CASES_READ):
        for key, spelling in extract_noun_phrases(counts.texts[case_id]).items():
            unweighted = [
                word
                for word in key
                if is_content_word(word) and word not in VAGUE_WORDS and word not in word_weights.weights
            ]
            if len(unweighted) <= max_single_case_words:
                n_cases_by_key[key] += 1
                spellings[key][spelling] += 1
    candidates: list[Phrase] = []
    for key, n_cases_with_phrase in n_cases_by_key.items():
        scored = _score_candidate(key, n_cases_with_phrase, word_weights, len(case_ids), min_case_share=min_case_share)
        if scored is not None:
            text = min(spellings[key], key=lambda text, counts=spellings[key]: (-counts[text], text))
            candidates.append(Phrase(text, *scored))
    candidates = [
        phrase
        for phrase in candidates
        if not has_rare_proper_name(phrase.text, word_weights.case_ids_by_word, len(case_ids))
    ]
    noun_phrases = [phrase for phrase in candidates if is_noun_phrase(phrase.text, counts.word_usage.noun_log_odds)]
    candidates = noun_phrases if len(noun_phrases) >= MIN_NOUN_CANDIDATES else candidates
    candidates.sort(key=lambda phrase: (-phrase.score, phrase.text))
    spelling_counts: Counter[str] = Counter(
        word for case_id in islice(case_ids, MAX_CASES_READ) for word in WORD.findall(counts.texts[case_id])
    )
    return [replace(phrase, text=_lowercase_common_words(phrase.text, spelling_counts)) for phrase in candidates]


def is_noun_phrase(text: str, noun_log_odds: Callable[[str], float]) -> bool:
    """Return whether a phrase ends in a noun and contains no verb.

    A participle before its noun ("shared login") does not count as a verb.
    """
    words = text.split()
    content = [normalize_word(word) if is_content_word(normalize_word(word)) else "" for word in words]
    if noun_log_odds(content[-1]) < 0:
        return False
    for position, word in enumerate(content[:-1]):
        is_run_start = position == 0 or not content[position - 1]
        is_participle = word.endswith("ed") and is_run_start and content[position + 1]
        if word and noun_log_odds(word) < MAX_VERB_LOG_ODDS and not is_participle:
            return False
    return True


def _lowercase_common_words(text: str, spelling_counts: Counter[str]) -> str:
    """Remove the capitals of headings, unless the phrase is a proper name.

    The phrase keeps its capitals if the cases capitalise one of its words more often than not: "Columbia Accident
    Investigation Board".
    """
    words = text.split()
    capitals = [word for word in words if word.istitle()]
    if any(spelling_counts[word.casefold()] < spelling_counts[word] for word in capitals):
        return text
    return " ".join(word.casefold() if word.istitle() else word for word in words)


def weigh_words(
    counts: PhraseCounts,
    case_ids: Sequence[str],
    contrast_case_ids: Sequence[str] = (),
    *,
    min_case_share: float = MIN_CASE_SHARE,
) -> WordWeights:
    """Weigh the words that distinguish a theme from all other cases and the nearest theme.

    A word's weight is the number of standard errors by which its log-odds here exceed those elsewhere (Monroe, Colaresi
    and Quinn, "Fightin' Words", 2008). A word of half of the cases thus outweighs a rare word of two. With a nearest
    theme, the weight is the mean over both comparisons, and never more than the first.
    """
    case_ids_by_word: defaultdict[str, set[str]] = defaultdict(set)
    for case_id in case_ids:
        for word in counts.content_words_of(case_id):
            case_ids_by_word[word].add(case_id)
    n, n_others = len(case_ids), len(counts) - len(case_ids)
    contrast_counts = Counter(word for case_id in contrast_case_ids for word in counts.content_words_of(case_id))
    z_scores: dict[str, float] = {}
    for word, word_case_ids in case_ids_by_word.items():
        k = len(word_case_ids)
        if k < min(n, max(2, math.ceil(min_case_share * n))) or word in VAGUE_WORDS:
            continue
        z_score = _log_odds_z_score(k, n, counts.n_cases_with(word) - k, n_others)
        if contrast_case_ids:
            contrast_z_score = _log_odds_z_score(k, n, contrast_counts[word], len(contrast_case_ids))
            z_score = (z_score + min(z_score, contrast_z_score)) / 2
        if z_score > 0:
            z_scores[word] = z_score
    highest = max(z_scores.values(), default=1.0)
    return WordWeights(
        {word: z_score / highest for word, z_score in z_scores.items()},
        {word: frozenset(word_case_ids) for word, word_case_ids in case_ids_by_word.items()},
    )


def _log_odds_z_score(k: int, n: int, k_elsewhere: int, n_elsewhere: int) -> float:
    """Return the difference of two log-odds in standard errors; each count is raised by 0.5."""
    counts = [k + 0.5, n - k + 0.5, k_elsewhere + 0.5, max(0, n_elsewhere - k_elsewhere) + 0.5]
    difference = math.log(counts[0] / counts[1]) - math.log(counts[2] / counts[3])
    return difference / math.sqrt(sum(1 / count for count in counts))


def _score_candidate(
    key: tuple[str, ...], n_cases_with_phrase: int, word_weights: WordWeights, n_cases: int, *, min_case_share: float
) -> tuple[tuple[str, ...], float, float] | None:
    """Return the weighted words, the share of cases that contain them all, and the score; ``None`` if too few do."""
    words = tuple(word for word in dict.fromkeys(key) if word in word_weights.weights)
    if not words:
        return None
    n_with_all_words = sum(
        all(case in word_weights.case_ids_by_word[word] for word in words[1:])
        for case in word_weights.case_ids_by_word[words[0]]
    )
    if n_with_all_words < min(n_cases, max(2, math.ceil(min_case_share * n_cases / 2))):
        return None
    weights = sorted((word_weights.weights[word] for word in words), reverse=True)
    score = sum(weight * rank_weight for weight, rank_weight in zip(weights, RANK_WEIGHTS, strict=False))
    score += 0.3 * n_with_all_words / n_cases - 0.08 * sum(not is_content_word(word) for word in key)
    if len(words) > 1:
        score += 0.25 * math.log(n_cases_with_phrase) / math.log(n_cases + 1)
    return words, n_with_all_words / n_cases, score - (SINGLE_WORD_PENALTY if len(key) == 1 else 0.0)


def has_rare_proper_name(name: str, case_ids_by_word: Mapping[str, frozenset[str]], n_cases: int) -> bool:
    """Return whether too few cases contain a capitalised word of the name.

    Too few are at most one case in eight, or at most two cases.
    """
    capitals = [word for word in name.split() if word[:1].isupper()]
    folded = [normalize_word(word) for word in capitals]
    min_cases = min(n_cases, max(MIN_PROPER_NAME_CASES, math.floor(MIN_PROPER_NAME_SHARE * n_cases) + 1))
    return any(len(case_ids_by_word.get(word, ())) < min_cases for word in folded)


def rank_by_similarity(
    candidates: Sequence[Phrase],
    vectors: NDArray[np.float32],
    *,
    centre: NDArray[np.float32],
    contrast_centre: NDArray[np.float32] | None,
) -> list[Phrase]:
    """Rank the candidates by score, similarity to their theme, and distance from the nearest theme.

    Args:
        vectors: (n, d), of the candidates' texts.
        centre: (d,), of the theme.
        contrast_centre: (d,), of the nearest theme.
    """
    similarity = vectors @ centre
    lead = similarity - vectors @ contrast_centre if contrast_centre is not None else np.zeros(len(candidates))
    best = max((candidate.score for candidate in candidates), default=1.0)
    rescored = [
        replace(
            candidate,
            score=candidate.score / best
            + SIMILARITY_WEIGHT * float(lead[row] + 0.3 * similarity[row])
            - _single_word_penalty(candidate),
        )
        for row, candidate in enumerate(candidates)
    ]
    return sorted(rescored, key=lambda phrase: (-phrase.score, phrase.text))


def _single_word_penalty(candidate: Phrase) -> float:
    """Return a second penalty: a single word is more similar to every text with it than a phrase is."""
    return SINGLE_WORD_PENALTY if " " not in candidate.text else 0.0
