"""Extract names from a text: capitals within a sentence, acronyms, codes, addresses, placeholders."""

import re

from patternmind.grounding.support import FUNCTION_WORDS

_PLACEHOLDER = re.compile(r"\[[a-z]+(?: \d+)?\]")
_ADDRESS = re.compile(
    r"(?:\b[a-z]{2,9}://|(?<!\w)//\w|\bwww\.|\bmailto:|\bjavascript:|\bdata:\w+/)\S+"
    r"|\b[\w.+-]+@[\w-]+\.\w+|\b[\w-]{2,}(?:\.[\w-]{2,})*\.[^\W\d_]{2,}\b(?:[/:?#]\S*)?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_][\w’'&-]*")
_SENTENCE_START = re.compile(r"(?:^|[.!?…:;]\s+|\n\s*|[“”\"‘«„(\[]\s*)$")
_CODE = re.compile(r"(?<![\w-])[^\W\d_][\w-]*\d[\w-]*")
_POSSESSIVE = re.compile(r"['’]s?$")
_SENTENCE_OPENERS = FUNCTION_WORDS | frozenset(
    "a an as at ask at by do if in is it my no of on or our so the to tell up use we der die das ein eine im am den det"
    " et en vi på til".split()
)
"""Words that start a sentence before a name: "The X-200", "Ask SAP"."""
_NON_NAMES = frozenset({"i", "i'm", "i'd", "i'll", "i've", "ok", "therefore"})


def extract_names(text: str) -> list[str]:
    """Return the distinct names of a text as written.

    The first word of a sentence counts only if it is an acronym, a code, or the first of two capitalised words ("Kari
    Nordmann forgot"). A single first name there cannot be distinguished from a noun.
    """
    names = [match[0] for match in _PLACEHOLDER.finditer(text)]
    names += [match[0].rstrip(".,;:!?)") for match in _ADDRESS.finditer(text)]
    plain_text = _ADDRESS.sub(" ", _PLACEHOLDER.sub(" ", text))
    words = list(_WORD.finditer(plain_text))
    for position, match in enumerate(words):
        word = _POSSESSIVE.sub("", match[0])
        if word.casefold() in _NON_NAMES or not any(map(str.isalpha, word)):
            continue
        starts_sentence = _SENTENCE_START.search(plain_text[: match.start()]) is not None
        is_likely_name = not starts_sentence or (
            word.casefold() not in _SENTENCE_OPENERS and _is_followed_by_capital(words, position, plain_text)
        )
        if _is_code(word) or (word[0].isupper() and is_likely_name):
            names.append(word)
    return list(dict.fromkeys(names))


def remove_codes(text: str) -> str:
    """Remove placeholders and words with a digit, such as X-200: their digits are not numbers."""
    return _CODE.sub(" ", _PLACEHOLDER.sub(" ", text))


def is_address(name: str) -> bool:
    """Return whether a name is a link, an e-mail address or a host."""
    return _ADDRESS.fullmatch(name) is not None


def _is_code(word: str) -> bool:
    """Return whether a word has capitals inside, or a first capital and a digit: SAP, X-200, iPhone."""
    has_letter = any(map(str.isalpha, word))
    has_inner_capital = any(char.isupper() for char in word[1:])
    return has_inner_capital or (word[0].isupper() and any(map(str.isdigit, word)) and has_letter)


def _is_followed_by_capital(words: list[re.Match[str]], position: int, text: str) -> bool:
    if position + 1 >= len(words) or text[words[position].end() : words[position + 1].start()] != " ":
        return False
    following = words[position + 1][0]
    return following[0].isupper() and following.casefold() not in _NON_NAMES


def extract_words(text: str) -> frozenset[str]:
    """Return the words of a source in lower case; a hyphenated word also as its parts."""
    words: set[str] = set()
    for match in _WORD.finditer(text):
        word = _POSSESSIVE.sub("", match[0]).casefold()
        words |= {word, *re.split(r"[-&’']", word)}
    return frozenset(words)


def contains_name(name: str, source: str, words: frozenset[str]) -> bool:
    """Return whether a source contains a name, or all parts of a hyphenated name."""
    folded = name.casefold()
    if not name[0].isalnum() or "@" in name or "." in name or "/" in name:
        return folded in source.casefold()
    return folded in words or all(part in words for part in folded.split("-") if part)


_GERMAN_STOPWORDS = frozenset(
    "der die das und nicht mit ein eine ist zu von den dem auf für wir es sich war wurde".split()
)


def capitalises_nouns(text: str) -> bool:
    """Return whether a text capitalises common nouns, as German does.

    A capital then does not mark a name. The text must contain German function words as well, because an English text
    full of acronyms and titles has as many capitals.
    """
    function_words = {word for word in re.findall(r"\b[a-zäöüß]+\b", text) if word in _GERMAN_STOPWORDS}
    inner_words = [match[0] for match in re.finditer(r"(?<=[a-zäöüß,] )[^\W\d_]{4,}", text)]
    n_capitalised = sum(word[0].isupper() for word in inner_words)
    return len(inner_words) >= 4 and n_capitalised > 0.3 * len(inner_words) and len(function_words) >= 3
