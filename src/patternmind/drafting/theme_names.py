"""Names of themes without a model, no two alike, and the lint that every name has to pass, whoever proposes it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from patternmind.drafting.keyphrases import ALL_STOPWORDS, VAGUE_WORDS, Phrase
from patternmind.drafting.sentence_selection import content_words
from patternmind.drafting.word_forms import normalize_word

MAX_NAME_WORDS = 6
N_KEYWORDS = 8
MAX_ALTERNATIVES = 10
NEAR_DUPLICATE_SHARE = 2 / 3
"""Two names of two words each may share one: "Scanner battery" and "Scanner dock" are told apart at a glance."""


@dataclass(frozen=True, slots=True)
class ThemeName:
    name: str
    keywords: tuple[str, ...]


def name_themes(
    phrases: Mapping[str, Sequence[Phrase]],
    *,
    candidates: Mapping[str, Sequence[Phrase]] = MappingProxyType({}),
    existing_names: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, ThemeName]:
    """A name for each theme id, no two nearly alike.

    Args:
        phrases: what sets each theme apart, best first; its keywords, and its name where no proposal is left.
        proposals: wordings of its cases that read as a name, best first.
        kept: names that themes are known by already, those of themes without phrases too; they stay theirs.

    Each theme in turn, those with the best phrases first, takes its first proposal that is like no name taken; then its
    best phrase with a second one that shares no word with it. Only where everything it could say is like another's name
    does it take one that differs in a word.
    """
    names: dict[str, str] = {}
    may_say: dict[str, Sequence[str]] = {}
    taken = list(existing_names.values())
    for theme_id in sorted(phrases, key=lambda theme: (-_best_score(phrases[theme]), theme)):
        shared = _shared_words(theme_id, candidates)
        found = [
            *_candidate_names(candidates.get(theme_id, ())),
            *_keyphrase_names(phrases[theme_id]),
            *_keyphrase_names(phrases[theme_id], 12),
        ]
        said = [one for one in found if " " in one or shared.isdisjoint(content_words(one))]
        name = existing_names.get(theme_id) or _first_unused_name(said, taken) or fallback_name(theme_id)
        taken.append(name)
        names[theme_id] = name
        may_say[theme_id] = [] if theme_id in existing_names else said
    for theme_id in names:
        _resolve_name_conflict(
            theme_id, names, may_say, [name for other, name in existing_names.items() if other not in names]
        )
    return {
        theme_id: ThemeName(name, tuple(phrase.text for phrase in phrases[theme_id][:N_KEYWORDS]))
        for theme_id, name in names.items()
    }


def _resolve_name_conflict(
    theme_id: str, names: dict[str, str], name_options: Mapping[str, Sequence[str]], fixed_names: Sequence[str]
) -> None:
    """Where a theme had to take a name like another's, that one takes its next name, if the two are unlike then.

    "Disposable virtual card" says all that a theme of disposable cards could be called, and could say "Virtual card".
    """
    if not _is_similar_to_any(names[theme_id], _other_names(names, theme_id, fixed_names)):
        return
    for option in name_options[theme_id][:MAX_ALTERNATIVES]:
        rivals = [other for other in names if other != theme_id and are_names_similar(option, names[other])]
        if len(rivals) != 1 or _is_similar_to_any(option, fixed_names):
            continue
        rest = [*_other_names(names, theme_id, fixed_names, rivals[0]), option]
        free = next((one for one in name_options[rivals[0]] if not _is_similar_to_any(one, rest)), None)
        if free is not None:
            names[theme_id], names[rivals[0]] = option, free
            return


def _other_names(names: Mapping[str, str], theme_id: str, fixed_names: Sequence[str], rival: str = "") -> list[str]:
    return [*(name for other, name in names.items() if other not in {theme_id, rival}), *fixed_names]


def _is_similar_to_any(name: str, other_names: Sequence[str]) -> bool:
    return any(are_names_similar(name, other) for other in other_names)


def fallback_name(theme_id: str) -> str:
    """What a theme is called while its cases share no phrase."""
    return f"Theme {theme_id[-4:]}"


def _shared_words(theme_id: str, candidates: Mapping[str, Sequence[Phrase]]) -> frozenset[str]:
    """Words that two other themes may be named with: a theme called "Card" would be like "Lost card" and "Card PIN"."""
    others = (found[:5] for other, found in candidates.items() if other != theme_id)
    n_holding = Counter(word for found in others for word in {word for one in found for word in one.words})
    return frozenset(word for word, n in n_holding.items() if n > 1)


def _first_unused_name(name_options: Sequence[str], taken_names: Sequence[str]) -> str | None:
    words = [content_words(name) for name in taken_names]
    unlike = (
        name for name in name_options if not any(_share_most_words(content_words(name), other) for other in words)
    )
    if (free := next(unlike, None)) is not None:
        return free
    same = {name.casefold() for name in taken_names}
    left = [name for name in name_options if name.casefold() not in same]
    return min(
        left, key=lambda name: sum(_share_most_words(content_words(name), other) for other in words), default=None
    )


def are_names_similar(name: str, other: str) -> bool:
    """Whether two names are near-duplicates: two thirds of what the shorter one says are in the other."""
    return name.casefold() == other.casefold() or _share_most_words(content_words(name), content_words(other))


def _share_most_words(words: frozenset[str], others: frozenset[str]) -> bool:
    fewest = min(len(words), len(others))
    return fewest > 0 and len(words & others) >= NEAR_DUPLICATE_SHARE * fewest


def disambiguate_name(name: str, phrases: Sequence[Phrase], taken_names: Sequence[str]) -> str | None:
    """A name with the first of its theme's key phrases that no name like it says; ``None`` where none does."""
    words = content_words(name)
    said = words.union(*(content_words(other) for other in taken_names if are_names_similar(name, other)))
    longer = (f"{name}, {phrase.text}" for phrase in phrases if said.isdisjoint(content_words(phrase.text)))
    return next((one for one in longer if len(one.split()) <= MAX_NAME_WORDS), None)


def contains_theme_word(name: str, texts: Sequence[str]) -> bool:
    """Whether a word of the name that says something is in at least two of the theme's texts, or in its only one."""
    wanted = content_words(name)
    enough = min(2, len(texts))
    holding = (text for text in texts if wanted & content_words(text))
    return len(list(islice(holding, enough))) == enough > 0


def _best_score(phrases: Sequence[Phrase]) -> float:
    return phrases[0].score if phrases else 0.0


def _candidate_names(candidates: Sequence[Phrase]) -> list[str]:
    return [_capitalize_first(one.text) for one in candidates if not _is_vague(one.text)]


def _keyphrase_names(phrases: Sequence[Phrase], max_phrases: int = 5) -> list[str]:
    """Names of key phrases, from the plainest on: the two best, then every other pair of the first, then each."""
    usable = [phrase for phrase in phrases if not all(word in VAGUE_WORDS for word in phrase.words)][:max_phrases]
    pairs = [[a, b] for i, a in enumerate(usable) for b in usable[i + 1 :] if not set(a.words) & set(b.words)]
    singles = [[phrase] for phrase in usable]
    fitting = [join for join in pairs + singles if sum(len(phrase.words) for phrase in join) < MAX_NAME_WORDS]
    said = [_capitalize_first(", ".join(phrase.text for phrase in join)) for join in fitting]
    return [name for name in said if not _is_vague(name)]


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def lint_name(
    name: str, case_texts: Sequence[str], *, contrast_texts: Sequence[str] = (), other_names: Sequence[str] = ()
) -> list[str]:
    """What is wrong with a theme's name; nothing where it may stand.

    Args:
        case_texts: of the theme's own cases.
        beside: texts of the nearest theme's cases, which the name must fit less well.
        others: names of the other themes.
    """
    words = [normalize_word(word) for word in re.findall(r"[^\W\d_]+", name)]
    own = [frozenset(normalize_word(word) for word in re.findall(r"[^\W\d_]+", text)) for text in case_texts]
    wrong = ["the name is empty"] if not words else []
    if len(name.split()) > MAX_NAME_WORDS:
        wrong.append(f"the name has more than {MAX_NAME_WORDS} words")
    if _is_vague(name):
        wrong.append("the name is vague")
    if words and not any(word in text and word not in ALL_STOPWORDS for word in words for text in own):
        wrong.append("no word of the name is in its cases")
    if _has_rare_proper_name(name, own):
        wrong.append("the name holds a name that one case in eight or fewer bears")
    if contrast_texts and not _fits_own_theme_better(name, case_texts, contrast_texts):
        wrong.append("the name fits its nearest theme as well")
    if any(are_names_similar(name, other) for other in other_names):
        wrong.append("the name is nearly that of another theme")
    return wrong


def _is_vague(name: str) -> bool:
    return re.search(r"\b(various|diverse|issues around|challenges|improving)\b", name, re.IGNORECASE) is not None


def _has_rare_proper_name(name: str, case_words: Sequence[frozenset[str]]) -> bool:
    """Whether a word with a capital inside the name, as of a product, is held by one case in eight or fewer."""
    capitals = [normalize_word(word) for word in re.findall(r"(?<!^)\b[^\W\d_]*[A-Z][^\W\d_]*", name)]
    held = [sum(word in text for text in case_words) for word in capitals]
    return any(0 < n <= len(case_words) / 8 for n in held)


def _fits_own_theme_better(name: str, case_texts: Sequence[str], contrast_texts: Sequence[str]) -> bool:
    """Whether the theme's cases hold more of the name's words than those of the nearest theme do."""
    said = content_words(name)

    def share(texts: Sequence[str]) -> float:
        return sum(len(said & content_words(text)) for text in texts) / max(1, len(texts))

    return not said or share(case_texts) > share(contrast_texts)
