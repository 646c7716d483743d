"""Proposals for a theme's name: wordings of its cases, by the words in them that set the theme apart."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from patternmind.draft.keyphrases import RAREST, VAGUE, Phrase, PhraseCounts, says_something
from patternmind.draft.wordings import wordings_in
from patternmind.draft.words import WORD, fold

MOST_READ = 200
"""Cases of a theme, the strongest, whose wordings are looked at; words are counted over all of them."""

RARER = (RAREST / 2, RAREST / 4)
"""Where a theme's cases share next to no words, what fewer of them say is still better than one word."""

FEWEST_PROPOSED = 12
"""Of several words, for meaning to choose from. Below, rarer words are let in, and at last one of a case alone."""

FEWEST_NOUNS = 3
"""So many that read as names, and the others are left out."""

VERB = -0.7
"""Leaning from which a word inside a wording is a verb: twice as often after "we" as after "the"."""

KEPT = 48
"""Proposals a theme: what its best words can be said with, few enough to be compared by meaning."""

FALLING = (1.0, 0.7, 0.4, 0.2, 0.1)
"""What a wording gains by its best word, its second, and so on: two strong words tell a theme, five are a sentence."""

OF_MEANING = 5.0
"""Weight of meaning beside words: counts of words are noisy in a theme of ten cases, vectors less. At 3, .77 of names
led to a held-out case of the sample and .77 of the recaps; at 5 .79 and .86, at 8 .78 and .85."""

ONE_WORD = 0.4
"""What a single word has to make up for: "desk" names a place, "desk slots" a matter."""

FEWEST_OF_A_BRAND = 3
BRAND_SHARE = 1 / 8
"""A name that only some cases bear, of a product or a place, is theirs and not the theme's."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """How firmly each word speaks for a theme, 0..1, and the cases that hold it."""

    weight: Mapping[str, float]
    holders: Mapping[str, frozenset[str]]


def propose_names(
    counts: PhraseCounts, case_ids: Sequence[str], *, beside: Sequence[str] = (), limit: int = KEPT
) -> list[Phrase]:
    """Wordings of a theme's cases, best first; every word of them that says something is held by several of its cases.

    Args:
        case_ids: by falling strength.
        beside: the cases of the nearest theme, which a name must not fit as well.
    """
    found = _propose(counts, case_ids, beside, rarest=RAREST)
    for rarest in RARER:
        if _too_few(found):
            found = _propose(counts, case_ids, beside, rarest=rarest)
    if _too_few(found):
        found = _propose(counts, case_ids, beside, rarest=RAREST, n_own=1)
    return found[:limit]


def _too_few(found: Sequence[Phrase]) -> bool:
    return sum(" " in phrase.text for phrase in found) < FEWEST_PROPOSED


def _propose(
    counts: PhraseCounts, case_ids: Sequence[str], beside: Sequence[str], *, rarest: float, n_own: int = 0
) -> list[Phrase]:
    """As ``propose_names``, with words held by so few; ``n_own`` words of a wording may be one case's own."""
    weighed = weigh_words(counts, case_ids, beside, rarest=rarest)
    told: Counter[tuple[str, ...]] = Counter()
    spelt: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for case_id in islice(case_ids, MOST_READ):
        for key, spelling in wordings_in(counts.texts[case_id]).items():
            own = [word for word in key if says_something(word) and word not in VAGUE and word not in weighed.weight]
            if len(own) <= n_own:
                told[key] += 1
                spelt[key][spelling] += 1
    found = [
        Phrase(min(spelt[key], key=lambda text: (-spelt[key][text], text)), *scored)
        for key, n_told in told.items()
        if (scored := _score(key, n_told, weighed, len(case_ids), rarest=rarest)) is not None
    ]
    found = [phrase for phrase in found if not names_a_few(phrase.text, weighed.holders, len(case_ids))]
    nouns = [phrase for phrase in found if reads_as_name(phrase.text, counts.use.leaning)]
    found = nouns if len(nouns) >= FEWEST_NOUNS else found
    found.sort(key=lambda phrase: (-phrase.score, phrase.text))
    written: Counter[str] = Counter(
        word for case_id in islice(case_ids, MOST_READ) for word in WORD.findall(counts.texts[case_id])
    )
    return [replace(phrase, text=_in_lower_case(phrase.text, written)) for phrase in found]


def reads_as_name(text: str, leaning: Callable[[str], float]) -> bool:
    """Whether a wording ends in a noun and holds no verb; a participle before its noun ("shared login") is none."""
    words = text.split()
    said = [fold(word) if says_something(fold(word)) else "" for word in words]
    if leaning(said[-1]) < 0:
        return False
    for at, word in enumerate(said[:-1]):
        begins_run = at == 0 or not said[at - 1]
        participle = word.endswith("ed") and begins_run and said[at + 1]
        if word and leaning(word) < VERB and not participle:
            return False
    return True


def _in_lower_case(text: str, written: Counter[str]) -> str:
    """Without the capitals of headings: where the theme's cases write every such word small as often, and not if not.

    One word that is nearly always written large makes a proper name of all: "Columbia Accident Investigation Board".
    """
    words = text.split()
    capitals = [word for word in words if word.istitle()]
    if any(written[word.casefold()] < written[word] for word in capitals):
        return text
    return " ".join(word.casefold() if word.istitle() else word for word in words)


def weigh_words(
    counts: PhraseCounts, case_ids: Sequence[str], beside: Sequence[str] = (), *, rarest: float = RAREST
) -> Weighed:
    """The words that more of a theme's cases hold than of all others, and than of the nearest theme.

    A word's weight is how many standard errors its log-odds here lie above those elsewhere (Monroe, Colaresi and Quinn,
    "Fightin' Words", 2008), so that a word of half of the cases outweighs a rarity of two; halfway between all others
    and the nearest theme, and never more than the first.
    """
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for case_id in case_ids:
        for word in counts.words_of(case_id):
            holders[word].add(case_id)
    n, rest = len(case_ids), len(counts) - len(case_ids)
    near = Counter(word for case_id in beside for word in counts.words_of(case_id))
    weight: dict[str, float] = {}
    for word, held_by in holders.items():
        k = len(held_by)
        if k < min(n, max(2, math.ceil(rarest * n))) or word in VAGUE:
            continue
        apart = _surprise(k, n, counts.n_holding(word) - k, rest)
        if beside:
            apart = (apart + min(apart, _surprise(k, n, near[word], len(beside)))) / 2
        if apart > 0:
            weight[word] = apart
    most = max(weight.values(), default=1.0)
    return Weighed(
        {word: apart / most for word, apart in weight.items()},
        {word: frozenset(held_by) for word, held_by in holders.items()},
    )


def _surprise(k: int, n: int, k_there: int, n_there: int) -> float:
    """Standard errors between the log-odds of k of n and of k_there of n_there; half a case added to each count."""
    counts = [k + 0.5, n - k + 0.5, k_there + 0.5, max(0, n_there - k_there) + 0.5]
    difference = math.log(counts[0] / counts[1]) - math.log(counts[2] / counts[3])
    return difference / math.sqrt(sum(1 / count for count in counts))


def _score(
    key: tuple[str, ...], n_told: int, weighed: Weighed, n: int, *, rarest: float
) -> tuple[tuple[str, ...], float, float] | None:
    """The words that say something, the share of cases that hold them all, and the score; ``None`` for no name."""
    said = tuple(word for word in dict.fromkeys(key) if word in weighed.weight)
    if not said:
        return None
    together = sum(all(case in weighed.holders[word] for word in said[1:]) for case in weighed.holders[said[0]])
    if together < min(n, max(2, math.ceil(rarest * n / 2))):
        return None
    best = sorted((weighed.weight[word] for word in said), reverse=True)
    score = sum(value * gain for value, gain in zip(best, FALLING, strict=False))
    score += 0.3 * together / n - 0.08 * sum(not says_something(word) for word in key)
    if len(said) > 1:
        score += 0.25 * math.log(n_told) / math.log(n + 1)
    return said, together / n, score - (ONE_WORD if len(key) == 1 else 0.0)


def names_a_few(name: str, holders: Mapping[str, frozenset[str]], n: int) -> bool:
    """Whether a word with a capital inside the name is held by one case in eight or fewer, or by one or two."""
    capitals = [word for word in name.split() if word[:1].isupper()]
    folded = [fold(word) for word in capitals]
    least = min(n, max(FEWEST_OF_A_BRAND, math.floor(BRAND_SHARE * n) + 1))
    return any(len(holders.get(word, ())) < least for word in folded)


def by_meaning(
    proposals: Sequence[Phrase],
    vectors: NDArray[np.float32],
    *,
    centre: NDArray[np.float32],
    beside: NDArray[np.float32] | None,
) -> list[Phrase]:
    """The proposals scored anew: also by how near they lie to their theme, and how much nearer than to the next.

    Args:
        vectors: (n, d) of the proposals' texts; ``centre`` and ``beside`` (d,), of the theme and its nearest.
    """
    own = vectors @ centre
    apart = own - vectors @ beside if beside is not None else np.zeros(len(proposals))
    best = max((one.score for one in proposals), default=1.0)
    told = [
        replace(one, score=one.score / best + OF_MEANING * float(apart[row] + 0.3 * own[row]) - _alone(one))
        for row, one in enumerate(proposals)
    ]
    return sorted(told, key=lambda phrase: (-phrase.score, phrase.text))


def _alone(proposal: Phrase) -> float:
    """A single word lies nearer to everything it occurs in than a phrase does, so it pays again."""
    return ONE_WORD if " " not in proposal.text else 0.0
