"""Quality of theme names: distinct, short, about their own cases, not vague."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from patternmind.domain.themes import Theme
from patternmind.drafting.sentence_selection import content_words
from patternmind.drafting.theme_names import MAX_NAME_WORDS, are_names_similar, contains_theme_word, lint_name
from patternmind.evals.gates import Score

EVAL = "naming"


def score_theme_names(dataset: str, themes: Sequence[Theme], texts: Mapping[str, str]) -> list[Score]:
    """Score each requirement of a name as a share of the themes that have cases.

    Args:
        texts: by case id.
    """
    named = [theme for theme in themes if theme.case_ids]
    if not named:
        return []
    own_texts = {theme.id: [texts[case_id] for case_id in theme.case_ids if case_id in texts] for theme in named}

    def share(name: str, meets_requirement: Callable[[Theme], bool]) -> Score:
        n_good = sum(meets_requirement(theme) for theme in named)
        return Score(EVAL, dataset, name, n_good / len(named), note=f"{n_good} of {len(named)}")

    nearest_texts = {theme.id: own_texts.get(theme.nearest_theme_id or "", []) for theme in named}
    others = {theme.id: [other.name for other in named if other.id != theme.id] for theme in named}
    names = [theme.name.casefold() for theme in named]
    words = {theme.id: content_words(theme.name) for theme in named}
    return [
        share("distinct names", lambda theme: names.count(theme.name.casefold()) == 1),
        replace(
            share(
                "like no other name",
                lambda theme: not any(are_names_similar(theme.name, other_name) for other_name in others[theme.id]),
            ),
            limit=1.0,
        ),
        share(
            "fit better than the nearest theme",
            lambda theme: not lint_name(theme.name, own_texts[theme.id], contrast_texts=nearest_texts[theme.id]),
        ),
        share("hold a word of their cases", lambda theme: contains_theme_word(theme.name, own_texts[theme.id])),
        share("pass the lint", lambda theme: not lint_name(theme.name, own_texts[theme.id])),
        share(
            "no word shared with nearest theme",
            lambda theme: not words[theme.id] & words.get(theme.nearest_theme_id or "", frozenset()),
        ),
        share(f"{MAX_NAME_WORDS} words or fewer", lambda theme: 0 < len(theme.name.split()) <= MAX_NAME_WORDS),
    ]
