"""Words and short phrases that set a theme apart from its neighbours."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from patternmind.draft.stopwords import STOPWORDS
from patternmind.draft.word_use import MOST_READ, WordUse
from patternmind.draft.words import WORD, fold

PLACEHOLDER = re.compile(r"\[[a-z]+(?: \d+)?\]")
MASKED = re.compile(r"\b[xX]{2,}\b")
BREAK = "\0"
LONGEST_PHRASE = 3
RAREST = 0.15
"""A phrase that fewer of a theme's cases hold is an incident of theirs, not what they have in common."""

VAGUE = frozenset(
    [
        "various",
        "diverse",
        "different",
        "several",
        "issue",
        "issues",
        "problem",
        "problems",
        "challenge",
        "challenges",
        "improving",
        "improvement",
        "thing",
        "things",
        "lot",
        "way",
        "ways",
        "time",
        "times",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "case",
        "cases",
        "people",
        "person",
        "team",
        "teams",
        "work",
        "example",
        "general",
        "use",
        "used",
        "using",
        "need",
        "needed",
        "part",
        "parts",
        "number",
        "process",
        "result",
        "results",
        "order",
    ]
)
"""Never a theme's name on their own: they fit every neighbour as well."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of a theme: as most of its cases write it, with the share of them that do and its score."""

    text: str
    words: tuple[str, ...]
    share: float
    score: float


COMMON = STOPWORDS | {fold(word) for word in STOPWORDS}
"""Also as they are compared: "does" is folded to "doe"."""


def phrases_in(text: str) -> dict[tuple[str, ...], str]:
    """Every phrase of up to three words that begins and ends with a word that says something, with its spelling."""
    found: dict[tuple[str, ...], str] = {}
    clean = MASKED.sub(BREAK, PLACEHOLDER.sub(BREAK, text))
    for part in re.split(r"[.,;:!?()\[\]\"“”\n/|{}\0]+", clean):
        words = WORD.findall(part)
        folded = [fold(word) for word in words]
        says = [says_something(word) for word in folded]
        for start in range(len(words)):
            for end in range(start + 1, min(start + LONGEST_PHRASE, len(words)) + 1):
                if not says[end - 1]:
                    break
                found.setdefault(tuple(folded[start:end]), " ".join(words[start:end]))
    return found


def says_something(word: str) -> bool:
    return len(word) >= 3 and word not in COMMON


class PhraseCounts:
    """How many cases of each theme, and of the whole network, hold each phrase. Counted once, asked many times."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """``texts`` by case id."""
        self.texts = texts
        self._phrases = {case_id: phrases_in(text) for case_id, text in texts.items()}
        self._overall: Counter[tuple[str, ...]] = Counter(key for phrases in self._phrases.values() for key in phrases)

    @cached_property
    def use(self) -> WordUse:
        """How these texts use their words; read from some of them, the same ones whatever the order."""
        return WordUse(self.texts[case_id] for case_id in sorted(self.texts)[:MOST_READ])

    def distinguishing(self, case_ids: Sequence[str], *, limit: int = 12) -> list[Phrase]:
        """The phrases of a theme that its cases share and the other cases do not, best first.

        Score: the share of the theme's cases that hold the phrase, times the log of how much more common it is there
        than elsewhere (smoothed), times a little for each further word, since "label printer" says more than "label".
        """
        inside = Counter(key for case_id in case_ids for key in self._phrases[case_id])
        n, rest = len(case_ids), max(1, len(self._phrases) - len(case_ids))
        least = max(2, math.ceil(RAREST * n))
        found: list[Phrase] = []
        for key, count in inside.items():
            if count < least or (len(key) == 1 and key[0] in VAGUE) or all(word in VAGUE for word in key):
                continue
            share = count / n
            elsewhere = (self._overall[key] - count + 0.5) / (rest + 1)
            lift = math.log(share / elsewhere) if share > elsewhere else 0.0
            score = share * lift * (1 + 0.35 * (len(key) - 1))
            if score > 0:
                found.append(Phrase(self._spelling(key, case_ids), key, share, score))
        found.sort(key=lambda phrase: (-phrase.score, phrase.words))
        return _without_repeats(found, limit)

    def _spelling(self, key: tuple[str, ...], case_ids: Iterable[str]) -> str:
        """As most cases write it, in lower case unless most write capitals inside a sentence (names, abbreviations)."""
        written = Counter(self._phrases[case_id][key] for case_id in case_ids if key in self._phrases[case_id])
        best = min(written, key=lambda text: (-written[text], text))
        return best if best.isupper() or any(char.isupper() for char in best[1:]) else best.casefold()

    def holds(self, case_id: str, key: tuple[str, ...]) -> bool:
        return key in self._phrases[case_id]

    def __len__(self) -> int:
        return len(self._phrases)

    def n_holding(self, word: str, case_ids: Iterable[str] | None = None) -> int:
        """How many of these cases, or of all, hold a word as it is compared."""
        if case_ids is None:
            return self._overall[word,]
        return sum((word,) in self._phrases[case_id] for case_id in case_ids)

    def words_of(self, case_id: str) -> Iterator[str]:
        """The words of a case that say something, each once."""
        return (key[0] for key in self._phrases[case_id] if len(key) == 1)


def _without_repeats(phrases: Sequence[Phrase], limit: int) -> list[Phrase]:
    """Drop a phrase whose words are all in a better one, or that holds a better one and adds nothing but a word."""
    kept: list[Phrase] = []
    for phrase in phrases:
        words = set(phrase.words)
        if not any(words <= set(other.words) or words >= set(other.words) for other in kept):
            kept.append(phrase)
        if len(kept) == limit:
            break
    return kept
