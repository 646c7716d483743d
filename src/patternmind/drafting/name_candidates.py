"""Proposals for a theme's name: wordings of its cases, by the words in them that set the theme apart."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from patternmind.drafting.keyphrases import (
    MIN_CASE_SHARE,
    VAGUE_WORDS,
    Phrase,
    PhraseCounts,
    is_content_word,
)
from patternmind.drafting.noun_phrases import extract_noun_phrases
from patternmind.drafting.word_forms import WORD, normalize_word

MAX_CASES_READ = 200
"""Cases of a theme, the strongest, whose wordings are looked at; words are counted over all of them."""

FALLBACK_CASE_SHARES = (MIN_CASE_SHARE / 2, MIN_CASE_SHARE / 4)
"""Where a theme's cases share next to no words, what fewer of them say is still better than one word."""

MIN_CANDIDATES = 12
"""Of several words, for meaning to choose from. Below, rarer words are let in, and at last one of a case alone."""

MIN_NOUN_CANDIDATES = 3
"""So many that read as names, and the others are left out."""

MAX_VERB_LOG_ODDS = -0.7
"""Leaning from which a word inside a wording is a verb: twice as often after "we" as after "the"."""

MAX_CANDIDATES = 48
"""Proposals a theme: what its best words can be said with, few enough to be compared by meaning."""

RANK_WEIGHTS = (1.0, 0.7, 0.4, 0.2, 0.1)
"""What a wording gains by its best word, its second, and so on: two strong words tell a theme, five are a sentence."""

SIMILARITY_WEIGHT = 5.0
"""Weight of meaning beside words: counts of words are noisy in a theme of ten cases, vectors less. At 3, .77 of names
led to a held-out case of the sample and .77 of the recaps; at 5 .79 and .86, at 8 .78 and .85."""

SINGLE_WORD_PENALTY = 0.4
"""What a single word has to make up for: "desk" names a place, "desk slots" a matter."""

MIN_PROPER_NAME_CASES = 3
MIN_PROPER_NAME_SHARE = 1 / 8
"""A name that only some cases bear, of a product or a place, is theirs and not the theme's."""


@dataclass(frozen=True, slots=True)
class WordWeights:
    """How firmly each word speaks for a theme, 0..1, and the cases that hold it."""

    weights: Mapping[str, float]
    case_ids_by_word: Mapping[str, frozenset[str]]


def propose_name_candidates(
    counts: PhraseCounts, case_ids: Sequence[str], *, contrast_case_ids: Sequence[str] = (), limit: int = MAX_CANDIDATES
) -> list[Phrase]:
    """Wordings of a theme's cases, best first; every word of them that says something is held by several of its cases.

    Args:
        case_ids: by falling strength.
        beside: the cases of the nearest theme, which a name must not fit as well.
    """
    found = _collect_candidates(counts, case_ids, contrast_case_ids, min_case_share=MIN_CASE_SHARE)
    for rarest in FALLBACK_CASE_SHARES:
        if _has_too_few_candidates(found):
            found = _collect_candidates(counts, case_ids, contrast_case_ids, min_case_share=rarest)
    if _has_too_few_candidates(found):
        found = _collect_candidates(
            counts, case_ids, contrast_case_ids, min_case_share=MIN_CASE_SHARE, max_single_case_words=1
        )
    return found[:limit]


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
    """As ``propose_names``, with words held by so few; ``n_own`` words of a wording may be one case's own."""
    weighed = weigh_words(counts, case_ids, contrast_case_ids, min_case_share=min_case_share)
    told: Counter[tuple[str, ...]] = Counter()
    spelt: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for case_id in islice(case_ids, MAX_CASES_READ):
        for key, spelling in extract_noun_phrases(counts.texts[case_id]).items():
            own = [
                word
                for word in key
                if is_content_word(word) and word not in VAGUE_WORDS and word not in weighed.weights
            ]
            if len(own) <= max_single_case_words:
                told[key] += 1
                spelt[key][spelling] += 1
    found = [
        Phrase(min(spelt[key], key=lambda text: (-spelt[key][text], text)), *scored)
        for key, n_told in told.items()
        if (scored := _score_candidate(key, n_told, weighed, len(case_ids), min_case_share=min_case_share)) is not None
    ]
    found = [
        phrase for phrase in found if not has_rare_proper_name(phrase.text, weighed.case_ids_by_word, len(case_ids))
    ]
    nouns = [phrase for phrase in found if is_noun_phrase(phrase.text, counts.word_usage.noun_log_odds)]
    found = nouns if len(nouns) >= MIN_NOUN_CANDIDATES else found
    found.sort(key=lambda phrase: (-phrase.score, phrase.text))
    written: Counter[str] = Counter(
        word for case_id in islice(case_ids, MAX_CASES_READ) for word in WORD.findall(counts.texts[case_id])
    )
    return [replace(phrase, text=_lowercase_common_words(phrase.text, written)) for phrase in found]


def is_noun_phrase(text: str, noun_log_odds: Callable[[str], float]) -> bool:
    """Whether a wording ends in a noun and holds no verb; a participle before its noun ("shared login") is none."""
    words = text.split()
    said = [normalize_word(word) if is_content_word(normalize_word(word)) else "" for word in words]
    if noun_log_odds(said[-1]) < 0:
        return False
    for at, word in enumerate(said[:-1]):
        begins_run = at == 0 or not said[at - 1]
        participle = word.endswith("ed") and begins_run and said[at + 1]
        if word and noun_log_odds(word) < MAX_VERB_LOG_ODDS and not participle:
            return False
    return True


def _lowercase_common_words(text: str, spelling_counts: Counter[str]) -> str:
    """Without the capitals of headings: where the theme's cases write every such word small as often, and not if not.

    One word that is nearly always written large makes a proper name of all: "Columbia Accident Investigation Board".
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
    """The words that more of a theme's cases hold than of all others, and than of the nearest theme.

    A word's weight is how many standard errors its log-odds here lie above those elsewhere (Monroe, Colaresi and Quinn,
    "Fightin' Words", 2008), so that a word of half of the cases outweighs a rarity of two; halfway between all others
    and the nearest theme, and never more than the first.
    """
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for case_id in case_ids:
        for word in counts.content_words_of(case_id):
            holders[word].add(case_id)
    n, rest = len(case_ids), len(counts) - len(case_ids)
    near = Counter(word for case_id in contrast_case_ids for word in counts.content_words_of(case_id))
    weight: dict[str, float] = {}
    for word, held_by in holders.items():
        k = len(held_by)
        if k < min(n, max(2, math.ceil(min_case_share * n))) or word in VAGUE_WORDS:
            continue
        apart = _log_odds_z_score(k, n, counts.n_cases_with(word) - k, rest)
        if contrast_case_ids:
            apart = (apart + min(apart, _log_odds_z_score(k, n, near[word], len(contrast_case_ids)))) / 2
        if apart > 0:
            weight[word] = apart
    most = max(weight.values(), default=1.0)
    return WordWeights(
        {word: apart / most for word, apart in weight.items()},
        {word: frozenset(held_by) for word, held_by in holders.items()},
    )


def _log_odds_z_score(k: int, n: int, k_elsewhere: int, n_elsewhere: int) -> float:
    """Standard errors between the log-odds of k of n and of k_there of n_there; half a case added to each count."""
    counts = [k + 0.5, n - k + 0.5, k_elsewhere + 0.5, max(0, n_elsewhere - k_elsewhere) + 0.5]
    difference = math.log(counts[0] / counts[1]) - math.log(counts[2] / counts[3])
    return difference / math.sqrt(sum(1 / count for count in counts))


def _score_candidate(
    key: tuple[str, ...], n_cases_with_phrase: int, word_weights: WordWeights, n_cases: int, *, min_case_share: float
) -> tuple[tuple[str, ...], float, float] | None:
    """The words that say something, the share of cases that hold them all, and the score; ``None`` for no name."""
    said = tuple(word for word in dict.fromkeys(key) if word in word_weights.weights)
    if not said:
        return None
    together = sum(
        all(case in word_weights.case_ids_by_word[word] for word in said[1:])
        for case in word_weights.case_ids_by_word[said[0]]
    )
    if together < min(n_cases, max(2, math.ceil(min_case_share * n_cases / 2))):
        return None
    best = sorted((word_weights.weights[word] for word in said), reverse=True)
    score = sum(value * gain for value, gain in zip(best, RANK_WEIGHTS, strict=False))
    score += 0.3 * together / n_cases - 0.08 * sum(not is_content_word(word) for word in key)
    if len(said) > 1:
        score += 0.25 * math.log(n_cases_with_phrase) / math.log(n_cases + 1)
    return said, together / n_cases, score - (SINGLE_WORD_PENALTY if len(key) == 1 else 0.0)


def has_rare_proper_name(name: str, case_ids_by_word: Mapping[str, frozenset[str]], n_cases: int) -> bool:
    """Whether a word with a capital inside the name is held by one case in eight or fewer, or by one or two."""
    capitals = [word for word in name.split() if word[:1].isupper()]
    folded = [normalize_word(word) for word in capitals]
    least = min(n_cases, max(MIN_PROPER_NAME_CASES, math.floor(MIN_PROPER_NAME_SHARE * n_cases) + 1))
    return any(len(case_ids_by_word.get(word, ())) < least for word in folded)


def rank_by_similarity(
    candidates: Sequence[Phrase],
    vectors: NDArray[np.float32],
    *,
    centre: NDArray[np.float32],
    contrast_centre: NDArray[np.float32] | None,
) -> list[Phrase]:
    """The proposals scored anew: also by how near they lie to their theme, and how much nearer than to the next.

    Args:
        vectors: (n, d) of the proposals' texts; ``centre`` and ``beside`` (d,), of the theme and its nearest.
    """
    own = vectors @ centre
    apart = own - vectors @ contrast_centre if contrast_centre is not None else np.zeros(len(candidates))
    best = max((one.score for one in candidates), default=1.0)
    told = [
        replace(
            one,
            score=one.score / best + SIMILARITY_WEIGHT * float(apart[row] + 0.3 * own[row]) - _single_word_penalty(one),
        )
        for row, one in enumerate(candidates)
    ]
    return sorted(told, key=lambda phrase: (-phrase.score, phrase.text))


def _single_word_penalty(candidate: Phrase) -> float:
    """A single word lies nearer to everything it occurs in than a phrase does, so it pays again."""
    return SINGLE_WORD_PENALTY if " " not in candidate.text else 0.0
