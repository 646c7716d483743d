"""Names and gists of themes without a model: key phrases that the theme's cases share and its neighbours do not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from patternmind.draft.choose import content_words
from patternmind.draft.keyphrases import COMMON, VAGUE, Phrase, fold

MOST_WORDS = 6
KEYWORDS = 8


@dataclass(frozen=True, slots=True)
class ThemeName:
    name: str
    keywords: tuple[str, ...]


def name_themes(
    phrases: Mapping[str, Sequence[Phrase]], *, kept: Mapping[str, str] = MappingProxyType({})
) -> dict[str, ThemeName]:
    """A name for each theme id, no two alike.

    Args:
        kept: names that themes are known by already, those of themes without phrases too; they stay theirs.

    A name is the best phrase and, where the words still fit, a second one that shares no word with it. Where two themes
    would bear the same name, the smaller score adds its next phrase until they differ.
    """
    names: dict[str, ThemeName] = {}
    taken = {name.casefold() for name in kept.values()}
    for theme_id in sorted(phrases, key=lambda theme: (-_best(phrases[theme]), theme)):
        free = (name for name in _proposals(phrases[theme_id]) if name.casefold() not in taken)
        name = kept.get(theme_id) or next(free, stand_in_name(theme_id))
        taken.add(name.casefold())
        names[theme_id] = ThemeName(name, tuple(phrase.text for phrase in phrases[theme_id][:KEYWORDS]))
    return names


def stand_in_name(theme_id: str) -> str:
    """What a theme is called while its cases share no phrase."""
    return f"Theme {theme_id[-4:]}"


def holds_own_word(name: str, texts: Sequence[str]) -> bool:
    """Whether a word of the name that says something is in at least two of the theme's texts, or in its only one."""
    wanted = content_words(name)
    enough = min(2, len(texts))
    holding = (text for text in texts if wanted & content_words(text))
    return len(list(islice(holding, enough))) == enough > 0


def _best(phrases: Sequence[Phrase]) -> float:
    return phrases[0].score if phrases else 0.0


def _proposals(phrases: Sequence[Phrase]) -> list[str]:
    """Names from the plainest on: the two best phrases, then every other pair of the first five, then three at once."""
    usable = [phrase for phrase in phrases if not all(word in VAGUE for word in phrase.words)][:5]
    pairs = [[a, b] for i, a in enumerate(usable) for b in usable[i + 1 :] if not set(a.words) & set(b.words)]
    singles = [[phrase] for phrase in usable]
    fitting = [join for join in pairs + singles if sum(len(phrase.words) for phrase in join) < MOST_WORDS]
    return [_sentence_case(", ".join(phrase.text for phrase in join)) for join in fitting]


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def lint_name(name: str, case_texts: Sequence[str]) -> list[str]:
    """What is wrong with a theme's name; nothing where it may stand."""
    words = [fold(word) for word in re.findall(r"[^\W\d_]+", name)]
    own = {fold(word) for text in case_texts for word in re.findall(r"[^\W\d_]+", text)}
    wrong: list[str] = []
    if not words:
        wrong.append("the name is empty")
    if len(name.split()) > MOST_WORDS:
        wrong.append(f"the name has more than {MOST_WORDS} words")
    if re.search(r"\b(various|diverse|issues around|challenges|improving)\b", name, re.IGNORECASE):
        wrong.append("the name is vague")
    if words and not any(word in own and word not in COMMON for word in words):
        wrong.append("no word of the name is in its cases")
    return wrong
