"""Sentences of a case: where each begins and ends, and whether it tells of a problem or of what helped.

Two steps read them, ``draft`` and ``embed``; steps never import each other, so this lies beneath both.
"""

from patternmind.sentences.cues import tells_story, tells_trouble
from patternmind.sentences.english import is_english
from patternmind.sentences.role_cues import TENSION, UNLESS
from patternmind.sentences.roles import WHOLE_TEXT_FIELDS, Role, Sentence, is_plain, sentences_of
from patternmind.sentences.sides import Side, Told, odds_of_remedy, tell_apart
from patternmind.sentences.split import split_sentences
from patternmind.sentences.standing import is_scrap, stands_alone

__all__ = [
    "TENSION",
    "UNLESS",
    "WHOLE_TEXT_FIELDS",
    "Role",
    "Sentence",
    "Side",
    "Told",
    "is_english",
    "is_plain",
    "is_scrap",
    "odds_of_remedy",
    "sentences_of",
    "split_sentences",
    "stands_alone",
    "tell_apart",
    "tells_story",
    "tells_trouble",
]
