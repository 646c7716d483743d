"""What in a claim names somebody or something: capitals in mid-sentence, acronyms, codes, addresses, placeholders."""

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
"""Words that open a sentence before a name: "The X-200", "Ask SAP"."""
_NON_NAMES = frozenset({"i", "i'm", "i'd", "i'll", "i've", "ok", "therefore"})


def extract_names(text: str) -> list[str]:
    """The names of a text as written, each once.

    A word at the beginning of a sentence is taken for one only where it is no plain word: an acronym, a code, or the
    first of two capitalised words ("Kari Nordmann forgot"). A lone first name there cannot be told from a noun.
    """
    found = [match[0] for match in _PLACEHOLDER.finditer(text)]
    found += [match[0].rstrip(".,;:!?)") for match in _ADDRESS.finditer(text)]
    bare = _ADDRESS.sub(" ", _PLACEHOLDER.sub(" ", text))
    words = list(_WORD.finditer(bare))
    for at, word in enumerate(words):
        plain = _POSSESSIVE.sub("", word[0])
        if plain.casefold() in _NON_NAMES or not any(map(str.isalpha, plain)):
            continue
        begins = _SENTENCE_START.search(bare[: word.start()]) is not None
        likely = not begins or (plain.casefold() not in _SENTENCE_OPENERS and _is_followed_by_capital(words, at, bare))
        if _is_code(plain) or (plain[0].isupper() and likely):
            found.append(plain)
    return list(dict.fromkeys(found))


def remove_codes(text: str) -> str:
    """The text without placeholders and without words that hold a digit, such as X-200: their figures count nothing."""
    return _CODE.sub(" ", _PLACEHOLDER.sub(" ", text))


def is_address(name: str) -> bool:
    """Whether a name that was found is a link, an e-mail address or a host."""
    return _ADDRESS.fullmatch(name) is not None


def _is_code(word: str) -> bool:
    """Capitals inside a word, letters with digits, or two capitals and more: SAP, X-200, iPhone."""
    letters = [char for char in word if char.isalpha()]
    inner = any(char.isupper() for char in word[1:])
    return inner or (word[0].isupper() and any(map(str.isdigit, word)) and bool(letters))


def _is_followed_by_capital(words: list[re.Match[str]], position: int, text: str) -> bool:
    if position + 1 >= len(words) or text[words[position].end() : words[position + 1].start()] != " ":
        return False
    following = words[position + 1][0]
    return following[0].isupper() and following.casefold() not in _NON_NAMES


def extract_words(text: str) -> frozenset[str]:
    """The words of a source in small letters, hyphenated ones also in their parts."""
    words: set[str] = set()
    for match in _WORD.finditer(text):
        plain = _POSSESSIVE.sub("", match[0]).casefold()
        words |= {plain, *re.split(r"[-&’']", plain)}
    return frozenset(words)


def contains_name(name: str, source: str, words: frozenset[str]) -> bool:
    """Whether a source holds a name; a hyphenated one whole, or each of its parts."""
    folded = name.casefold()
    if not name[0].isalnum() or "@" in name or "." in name or "/" in name:
        return folded in source.casefold()
    return folded in words or all(part in words for part in folded.split("-") if part)


_GERMAN_STOPWORDS = frozenset(
    "der die das und nicht mit ein eine ist zu von den dem auf für wir es sich war wurde".split()
)


def capitalises_nouns(text: str) -> bool:
    """Whether a text writes common nouns with a capital, as German does: then a capital tells no name.

    By its small words as well: an English text full of acronyms and titles has as many capitals.
    """
    small = {word for word in re.findall(r"\b[a-zäöüß]+\b", text) if word in _GERMAN_STOPWORDS}
    inside = [word[0] for word in re.finditer(r"(?<=[a-zäöüß,] )[^\W\d_]{4,}", text)]
    many = len(inside) >= 4 and sum(word[0].isupper() for word in inside) > 0.3 * len(inside)
    return many and len(small) >= 3
