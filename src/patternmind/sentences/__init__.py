"""Sentences of a case: where each begins and ends, and whether it tells of a problem or of what helped.

Two steps read them, ``draft`` and ``embed``; steps never import each other, so this lies beneath both.
"""

from patternmind.sentences.english import is_english
from patternmind.sentences.roles import TENSION, UNLESS, Role, Sentence, is_plain, sentences_of
from patternmind.sentences.sides import Side, Told, tell_apart
from patternmind.sentences.split import split_sentences

__all__ = [
    "TENSION",
    "UNLESS",
    "Role",
    "Sentence",
    "Side",
    "Told",
    "is_english",
    "is_plain",
    "sentences_of",
    "split_sentences",
    "tell_apart",
]
