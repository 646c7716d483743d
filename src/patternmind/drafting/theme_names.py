"""Name themes without a model, and lint every name, also those of a model."""

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
"""Share of common words from which two names are similar.

Two names of two words may share one: "Scanner battery" and "Scanner dock" differ at a glance.
"""


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
    """Return a name for each theme id, without similar names.

    Themes with the best phrases choose first. A theme takes its first candidate that is not similar to a taken name;
    else its best phrase with a second one that shares no word with it. If each option is similar to another theme's
    name, it takes one that differs in a word.

    Args:
        phrases: Distinctive phrases by theme id, best first: the keywords, and the name if no candidate is available.
        candidates: Phrases of the theme's cases that read as a name, best first.
        existing_names: Names that themes have already and keep, also of themes without phrases.
    """
    names: dict[str, str] = {}
    name_options: dict[str, Sequence[str]] = {}
    taken_names = list(existing_names.values())
    for theme_id in sorted(phrases, key=lambda theme: (-_best_score(phrases[theme]), theme)):
        shared_words = _shared_words(theme_id, candidates)
        options = [
            *_candidate_names(candidates.get(theme_id, ())),
            *_keyphrase_names(phrases[theme_id]),
            *_keyphrase_names(phrases[theme_id], 12),
        ]
        options = [option for option in options if " " in option or shared_words.isdisjoint(content_words(option))]
        name = existing_names.get(theme_id) or _first_unused_name(options, taken_names) or fallback_name(theme_id)
        taken_names.append(name)
        names[theme_id] = name
        name_options[theme_id] = [] if theme_id in existing_names else options
    for theme_id in names:
        _resolve_name_conflict(
            theme_id, names, name_options, [name for other, name in existing_names.items() if other not in names]
        )
    return {
        theme_id: ThemeName(name, tuple(phrase.text for phrase in phrases[theme_id][:N_KEYWORDS]))
        for theme_id, name in names.items()
    }


def _resolve_name_conflict(
    theme_id: str, names: dict[str, str], name_options: Mapping[str, Sequence[str]], fixed_names: Sequence[str]
) -> None:
    """Resolve two similar names: the theme takes its next option, the rival another name.

    Both names stay if no such pair of names differs.
    "Disposable virtual card" uses every word that a theme of disposable cards needs; it could be called "Virtual card".
    """
    if not _is_similar_to_any(names[theme_id], _other_names(names, theme_id, fixed_names)):
        return
    for option in name_options[theme_id][:MAX_ALTERNATIVES]:
        rivals = [other for other in names if other != theme_id and are_names_similar(option, names[other])]
        if len(rivals) != 1 or _is_similar_to_any(option, fixed_names):
            continue
        rest = [*_other_names(names, theme_id, fixed_names, rivals[0]), option]
        rival_name = next((name for name in name_options[rivals[0]] if not _is_similar_to_any(name, rest)), None)
        if rival_name is not None:
            names[theme_id], names[rivals[0]] = option, rival_name
            return


def _other_names(names: Mapping[str, str], theme_id: str, fixed_names: Sequence[str], rival: str = "") -> list[str]:
    return [*(name for other, name in names.items() if other not in {theme_id, rival}), *fixed_names]


def _is_similar_to_any(name: str, other_names: Sequence[str]) -> bool:
    return any(are_names_similar(name, other) for other in other_names)


def fallback_name(theme_id: str) -> str:
    """Return the name of a theme whose cases share no phrase."""
    return f"Theme {theme_id[-4:]}"


def _shared_words(theme_id: str, candidates: Mapping[str, Sequence[Phrase]]) -> frozenset[str]:
    """Return words in the best candidates of at least two other themes.

    A theme named "Card" would be similar to "Lost card" and "Card PIN".
    """
    best_by_theme = (options[:5] for other, options in candidates.items() if other != theme_id)
    n_themes = Counter(
        word for options in best_by_theme for word in {word for option in options for word in option.words}
    )
    return frozenset(word for word, n in n_themes.items() if n > 1)


def _first_unused_name(name_options: Sequence[str], taken_names: Sequence[str]) -> str | None:
    """Return the first option that is not similar to a taken name.

    If each option is similar, return the one with the fewest similar names that is equal to no taken name.
    """
    taken_words = [content_words(name) for name in taken_names]

    def n_similar(name: str) -> int:
        return sum(_share_most_words(content_words(name), words) for words in taken_words)

    dissimilar = (name for name in name_options if not n_similar(name))
    if (name := next(dissimilar, None)) is not None:
        return name
    folded_names = {name.casefold() for name in taken_names}
    unequal = [name for name in name_options if name.casefold() not in folded_names]
    return min(unequal, key=n_similar, default=None)


def are_names_similar(name: str, other: str) -> bool:
    """Return whether two names are near-duplicates: the other contains two thirds of the shorter one's words."""
    return name.casefold() == other.casefold() or _share_most_words(content_words(name), content_words(other))


def _share_most_words(words: frozenset[str], others: frozenset[str]) -> bool:
    fewest = min(len(words), len(others))
    return fewest > 0 and len(words & others) >= NEAR_DUPLICATE_SHARE * fewest


def disambiguate_name(name: str, phrases: Sequence[Phrase], taken_names: Sequence[str]) -> str | None:
    """Append the first key phrase that no similar name contains; return ``None`` if no phrase fits."""
    words = content_words(name)
    used_words = words.union(*(content_words(other) for other in taken_names if are_names_similar(name, other)))
    longer = (f"{name}, {phrase.text}" for phrase in phrases if used_words.isdisjoint(content_words(phrase.text)))
    return next((option for option in longer if len(option.split()) <= MAX_NAME_WORDS), None)


def contains_theme_word(name: str, texts: Sequence[str]) -> bool:
    """Return whether two of the theme's texts contain a content word of the name.

    A theme with a single text needs only that one.
    """
    name_words = content_words(name)
    n_needed = min(2, len(texts))
    matching = (text for text in texts if name_words & content_words(text))
    return len(list(islice(matching, n_needed))) == n_needed > 0


def _best_score(phrases: Sequence[Phrase]) -> float:
    return phrases[0].score if phrases else 0.0


def _candidate_names(candidates: Sequence[Phrase]) -> list[str]:
    return [_capitalize_first(candidate.text) for candidate in candidates if not _is_vague(candidate.text)]


def _keyphrase_names(phrases: Sequence[Phrase], max_phrases: int = 5) -> list[str]:
    """Return names made of key phrases: pairs of phrases, the best first, then single phrases."""
    usable = [phrase for phrase in phrases if not all(word in VAGUE_WORDS for word in phrase.words)][:max_phrases]
    pairs = [[a, b] for i, a in enumerate(usable) for b in usable[i + 1 :] if not set(a.words) & set(b.words)]
    singles = [[phrase] for phrase in usable]
    fitting = [group for group in pairs + singles if sum(len(phrase.words) for phrase in group) < MAX_NAME_WORDS]
    names = [_capitalize_first(", ".join(phrase.text for phrase in group)) for group in fitting]
    return [name for name in names if not _is_vague(name)]


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def lint_name(name: str, case_texts: Sequence[str], *, contrast_texts: Sequence[str] = ()) -> list[str]:
    """Return the errors of a theme's name; empty if the name is valid.

    Args:
        case_texts: Texts of the theme's own cases.
        contrast_texts: Texts of the nearest theme's cases, which the name must fit less well.
    """
    words = [normalize_word(word) for word in re.findall(r"[^\W\d_]+", name)]
    case_words = [frozenset(normalize_word(word) for word in re.findall(r"[^\W\d_]+", text)) for text in case_texts]
    errors = ["the name is empty"] if not words else []
    if len(name.split()) > MAX_NAME_WORDS:
        errors.append(f"the name has more than {MAX_NAME_WORDS} words")
    if _is_vague(name):
        errors.append("the name is vague")
    if words and not any(word in text and word not in ALL_STOPWORDS for word in words for text in case_words):
        errors.append("its cases contain no word of the name")
    if _has_rare_proper_name(name, case_words):
        errors.append("the name contains a proper name that only one case in eight or fewer uses")
    if contrast_texts and not _fits_own_theme_better(name, case_texts, contrast_texts):
        errors.append("the name fits its nearest theme equally well")
    return errors


def _is_vague(name: str) -> bool:
    return re.search(r"\b(various|diverse|issues around|challenges|improving)\b", name, re.IGNORECASE) is not None


def _has_rare_proper_name(name: str, case_words: Sequence[frozenset[str]]) -> bool:
    """Return whether the name contains a proper name of at most one case in eight."""
    capitals = [normalize_word(word) for word in re.findall(r"(?<!^)\b[^\W\d_]*[A-Z][^\W\d_]*", name)]
    n_cases = [sum(word in text for text in case_words) for word in capitals]
    return any(0 < n <= len(case_words) / 8 for n in n_cases)


def _fits_own_theme_better(name: str, case_texts: Sequence[str], contrast_texts: Sequence[str]) -> bool:
    """Return whether the name fits the theme's own cases better than the nearest theme's."""
    name_words = content_words(name)

    def mean_overlap(texts: Sequence[str]) -> float:
        return sum(len(name_words & content_words(text)) for text in texts) / max(1, len(texts))

    return not name_words or mean_overlap(case_texts) > mean_overlap(contrast_texts)
