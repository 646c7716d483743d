"""Wordings: stretches of a case's own text that read as a name, "label printer" or "scanner in the cold".

Words that say something stand in runs between small words and punctuation. A wording begins inside a run and goes on to
its end, for a run in English ends in its noun; it may cross small words that link ("in the", "without") into the next
run, which it then takes whole. Without a tagger this is as near to a noun phrase as counting comes.
"""

import re
from collections.abc import Iterator, Sequence

from patternmind.drafting.keyphrases import (
    MASKED,
    PHRASE_BREAK,
    PLACEHOLDER,
    is_content_word,
)
from patternmind.drafting.word_forms import WORD, normalize_word

MAX_PHRASE_WORDS = 5
MAX_LINKING_WORDS = 2

LINKING_WORDS = frozenset(
    "of in on at for to from with without by the a an no not never before after into during under between".split()
)
"""Small words that a wording may cross; not "and", which as often joins half a list or another verb."""

CONTINUATION_WORDS = frozenset(
    "a an the that this these those my our his her their your its it them to him us me you how what whether if i we he"
    " she they as up out off away back".split()
)
"""After one of these words a verb's object, clause or particle follows: "spacecraft experienced | a", "top | up"."""

ARTICLES = frozenset(["a", "an", "the"])

WORDS_BEFORE_VERBS = frozenset(
    "to will would can could should must may might shall not never i we you they he she it who didn't don't doesn't"
    " didn’t don’t doesn’t can't can’t cannot let please".split()
)
"""A word after one of these is a verb as a rule: "we | scan the box" is no name."""

CLAUSE_SEPARATOR = re.compile(r"[.,;:!?()\[\]\"“”\n/|{}\0]+")
EDGE_CHARACTERS = "'’‘*#_-–—"

Token = tuple[str, str | None]
"""A word as written and, where it says something, as it is compared; a number or sign is ("", None)."""


def extract_noun_phrases(text: str) -> dict[tuple[str, ...], str]:
    """Every wording of a text as compared, with its first spelling; small words are compared in lower case."""
    found: dict[tuple[str, ...], str] = {}
    for part in CLAUSE_SEPARATOR.split(MASKED.sub(PHRASE_BREAK, PLACEHOLDER.sub(PHRASE_BREAK, text))):
        tokens = [_parse_token(word) for word in part.split()]
        for start in range(len(tokens)):
            if tokens[start][1] is not None and not (start and tokens[start - 1][0].casefold() in WORDS_BEFORE_VERBS):
                for wording in _phrases_from(tokens, start):
                    key = tuple(said or word.casefold() for word, said in wording)
                    found.setdefault(key, " ".join(word for word, _ in wording))
    return found


def _parse_token(written: str) -> Token:
    word = written.strip(EDGE_CHARACTERS)
    if not WORD.fullmatch(word):
        return "", None
    folded = normalize_word(word)
    return word, folded if is_content_word(folded) else None


def _phrases_from(tokens: Sequence[Token], start: int) -> Iterator[Sequence[Token]]:
    """The wordings that begin at a token: to the end of its run, and on to the end of the next ones."""
    links = 0
    for end in range(start + 1, min(start + MAX_PHRASE_WORDS, len(tokens)) + 1):
        word, said = tokens[end - 1]
        if said is not None:
            links = 0
            after = tokens[end] if end < len(tokens) else ("", None)
            if after[1] is None and after[0].casefold() not in CONTINUATION_WORDS:
                yield tokens[start:end]
            continue
        links += 1
        said_before = tokens[end - 2][1] if end > start + 1 else None
        bare_article = said_before is not None and word.casefold() in ARTICLES  # "cancel | the order" is a verb's
        if word.casefold() not in LINKING_WORDS or links > MAX_LINKING_WORDS or bare_article:
            return


__all__ = ["LINKING_WORDS", "MAX_PHRASE_WORDS", "extract_noun_phrases"]
