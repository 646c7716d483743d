"""Whether theme names are distinct, short, of their own cases, and not vague."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from patternmind.draft.choose import content_words
from patternmind.draft.names import MOST_WORDS, alike, holds_own_word, lint_name
from patternmind.evals.gates import Score
from patternmind.model.themes import Theme

EVAL = "naming"


def score_names(on: str, themes: Sequence[Theme], texts: Mapping[str, str]) -> list[Score]:
    """What a name must be, each as a share of the themes that have cases.

    Args:
        texts: by case id.
    """
    named = [theme for theme in themes if theme.case_ids]
    if not named:
        return []
    own = {theme.id: [texts[case_id] for case_id in theme.case_ids if case_id in texts] for theme in named}

    def share(name: str, holds: Callable[[Theme], bool]) -> Score:
        good = sum(holds(theme) for theme in named)
        return Score(eval=EVAL, on=on, name=name, value=good / len(named), note=f"{good} of {len(named)}")

    beside = {theme.id: own.get(theme.nearest_theme_id or "", []) for theme in named}
    others = {theme.id: [other.name for other in named if other.id != theme.id] for theme in named}
    names = [theme.name.casefold() for theme in named]
    words = {theme.id: content_words(theme.name) for theme in named}
    return [
        share("distinct names", lambda theme: names.count(theme.name.casefold()) == 1),
        replace(
            share("like no other name", lambda theme: not any(alike(theme.name, one) for one in others[theme.id])),
            limit=1.0,
        ),
        share(
            "fit better than the nearest theme",
            lambda theme: not lint_name(theme.name, own[theme.id], beside=beside[theme.id]),
        ),
        share("hold a word of their cases", lambda theme: holds_own_word(theme.name, own[theme.id])),
        share("pass the lint", lambda theme: not lint_name(theme.name, own[theme.id])),
        share(
            "no word shared with nearest theme",
            lambda theme: not words[theme.id] & words.get(theme.nearest_theme_id or "", frozenset()),
        ),
        share(f"{MOST_WORDS} words or fewer", lambda theme: 0 < len(theme.name.split()) <= MOST_WORDS),
    ]
