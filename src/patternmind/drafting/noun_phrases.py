"""Extract phrases that read as a name: "label printer" or "scanner in the cold".

Content words form runs between function words and punctuation. A phrase starts inside a run and ends with it, because
an English run ends in its noun. It may cross linking words ("in the", "without") into the whole next run. Without a
part-of-speech tagger, this is the closest approximation of a noun phrase.
"""

import re
from collections.abc import Iterator, Sequence

from patternmind.drafting.keyphrases import MASKED, PHRASE_BREAK, PLACEHOLDER, is_content_word
from patternmind.drafting.word_forms import WORD, normalize_word

MAX_PHRASE_WORDS = 5
MAX_LINKING_WORDS = 2

LINKING_WORDS = frozenset(
    "of in on at for to from with without by the a an no not never before after into during under between".split()
)
"""Function words that a phrase may cross; not "and", which often joins half a list or another verb."""

CONTINUATION_WORDS = frozenset(
    "a an the that this these those my our his her their your its it them to him us me you how what whether if i we he"
    " she they as up out off away back".split()
)
"""Words that open a verb's object, clause or particle: "spacecraft experienced | a", "top | up"."""

ARTICLES = frozenset(["a", "an", "the"])

WORDS_BEFORE_VERBS = frozenset(
    "to will would can could should must may might shall not never i we you they he she it who didn't don't doesn't"
    " didn’t don’t doesn’t can't can’t cannot let please".split()
)
"""Words before a verb: "we | scan the box" does not name anything."""

CLAUSE_SEPARATOR = re.compile(r"[.,;:!?()\[\]\"“”\n/|{}\0]+")
EDGE_CHARACTERS = "'’‘*#_-–—"

Token = tuple[str, str | None]
"""A word as written and its normalised form (``None`` for a function word); a number or sign is ("", None)."""


def extract_noun_phrases(text: str) -> dict[tuple[str, ...], str]:
    """Return each phrase of a text in normalised form, with its first spelling."""
    phrases: dict[tuple[str, ...], str] = {}
    for part in CLAUSE_SEPARATOR.split(MASKED.sub(PHRASE_BREAK, PLACEHOLDER.sub(PHRASE_BREAK, text))):
        tokens = [_parse_token(word) for word in part.split()]
        for start in range(len(tokens)):
            if tokens[start][1] is not None and not (start and tokens[start - 1][0].casefold() in WORDS_BEFORE_VERBS):
                for phrase in _phrases_from(tokens, start):
                    key = tuple(folded or word.casefold() for word, folded in phrase)
                    phrases.setdefault(key, " ".join(word for word, _ in phrase))
    return phrases


def _parse_token(written: str) -> Token:
    word = written.strip(EDGE_CHARACTERS)
    if not WORD.fullmatch(word):
        return "", None
    folded = normalize_word(word)
    return word, folded if is_content_word(folded) else None


def _phrases_from(tokens: Sequence[Token], start: int) -> Iterator[Sequence[Token]]:
    """Yield the phrases that start at a token: one to the end of its run, and one to the end of each next run."""
    n_links = 0
    for end in range(start + 1, min(start + MAX_PHRASE_WORDS, len(tokens)) + 1):
        word, folded = tokens[end - 1]
        if folded is not None:
            n_links = 0
            after = tokens[end] if end < len(tokens) else ("", None)
            if after[1] is None and after[0].casefold() not in CONTINUATION_WORDS:
                yield tokens[start:end]
            continue
        n_links += 1
        folded_before = tokens[end - 2][1] if end > start + 1 else None
        # "cancel | the order": an article right after a content word opens a verb's object
        opens_object = folded_before is not None and word.casefold() in ARTICLES
        if word.casefold() not in LINKING_WORDS or n_links > MAX_LINKING_WORDS or opens_object:
            return
