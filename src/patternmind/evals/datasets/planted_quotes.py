"""Planted quotes that the quote verification must distinguish.

Some are true sentences in another spelling. Others are altered as a model or a careless person would alter them. The
code under test does not decide whether an altered text is false. It is false if no field of its case contains it as
whole words, with spaces, quote marks and dashes normalised.
"""

import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from patternmind.domain.cases import Case, CaseKind
from patternmind.domain.drafts import Quote
from patternmind.drafting.stopwords import STOPWORDS
from patternmind.text import extract_sentences


@dataclass(frozen=True, slots=True)
class PlantedQuote:
    """A quote and what ``ground`` must do with it.

    ``should_keep`` is ``None`` if accepting and refusing it are both right.
    """

    quote: Quote
    alteration: str
    should_keep: bool | None


QuoteAlteration = Callable[[str, str, random.Random], str | None]
"""Function of a sentence, another sentence and a random generator.

It returns the altered sentence, or ``None`` if the sentence cannot be altered in this way.
"""

EDGE_CASE_TEXT = (
    "The valve opened at 10² mbar and not at 102, the gauge said ½ bar. "
    "“Don’t touch it – it’s fine,” said the fitter from Zürich‑Örlikon, and left the ﬁtting loose. "
    "Part № 77 cost 1 250 €, the café's bill „nur“ 12,50 — no more than that."
)
"""Characters that are rare in the sample.

They are superscripts, ligatures, four kinds of quote marks and three of dashes.
"""


def edge_case() -> Case:
    return Case(
        id="c-hard",
        kind=CaseKind.CASE,
        external_id=None,
        text={"problem": EDGE_CASE_TEXT, "lesson": "Look it up first."},
    )


def plant_quotes(cases: Sequence[Case], *, n_sentences: int, seed: int) -> Iterator[PlantedQuote]:
    """Yield every applicable alteration of ``n_sentences`` true sentences from the cases.

    The sentences of the edge case are added to them.
    """
    rng = random.Random(seed)
    sentences = [s for case in cases for s in extract_sentences(case) if s.is_quotable]
    edge_sentences = extract_sentences(edge_case())
    drawn = rng.sample(sentences, min(n_sentences, len(sentences))) + edge_sentences
    by_id = {case.id: case for case in [*cases, edge_case()]}
    for sentence in drawn:
        case = by_id[sentence.case_id]
        other = rng.choice([s for s in sentences if s.case_id != sentence.case_id] or edge_sentences)
        true_quote = sentence.to_quote()
        yield from _true_variants(true_quote)
        yield from _misplaced(true_quote, other.to_quote(), case)
        for alteration, alter in ALTERATIONS.items():
            text = alter(true_quote.text, other.text, rng)
            if text is not None and not is_in_case(text, case):
                yield PlantedQuote(replace(true_quote, text=text), alteration, should_keep=False)


def is_in_case(text: str, case: Case) -> bool:
    """Return true if a field of the case contains the text as whole words.

    Spaces, quote marks and dashes are normalised.
    """
    quote = normalize_quote(text)
    return bool(quote) and any(
        _contains_whole_words(quote, field) for field in _normalized_texts(tuple(case.text.values()))
    )


def _contains_whole_words(quote: str, field: str) -> bool:
    if quote not in field:
        return False
    left_boundary = r"(?<!\w)" if re.match(r"\w", quote) else ""
    right_boundary = r"(?!\w)" if re.search(r"\w\Z", quote) else ""
    return re.search(f"{left_boundary}{re.escape(quote)}{right_boundary}", field) is not None


@lru_cache(maxsize=64)
def _normalized_texts(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(normalize_quote(text) for text in texts)


_NORMALIZED_MARKS = str.maketrans(
    {**dict.fromkeys("‘’‚‛′´`", "'"), **dict.fromkeys("“”„‟″«»", '"'), **dict.fromkeys("‐‑‒–—―−", "-")}
)


def normalize_quote(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).translate(_NORMALIZED_MARKS).split())


# Other spellings of the same -----------------------------------------------------------------------------------------


def _true_variants(true: Quote) -> Iterator[PlantedQuote]:
    text = true.text
    without_offsets = replace(true, start=0, end=0)
    yield PlantedQuote(true, "unchanged", should_keep=True)
    yield PlantedQuote(without_offsets, "offsets lost", should_keep=True)
    yield PlantedQuote(replace(true, start=true.start + 1, end=true.end + 1), "offsets one too far", should_keep=True)
    yield PlantedQuote(replace(without_offsets, field=""), "no field named", should_keep=True)
    spellings: Mapping[str, str] = {
        "straight quote marks": normalize_quote(text),
        "curly quote marks": re.sub(r"'", "’", re.sub(r'"([^"]*)"', r"“\1”", text)),
        "long dashes": re.sub(r"[-‑–—]", "—", text),
        "hyphens for dashes": re.sub(r"[‑–—]", "-", text),
        "a line broken": text.replace(" ", "\n", 1),
        "spaces doubled": text.replace(" ", "  "),
        "no-break spaces": text.replace(" ", "\u00a0"),
        "accents apart from their letters": unicodedata.normalize("NFD", text),
        "accents with their letters": unicodedata.normalize("NFC", text),
        "guillemets": re.sub(r"[“”\"]", "»", text),
        "thin spaces": text.replace(" ", "\u2009"),
    }
    for alteration, spelling in spellings.items():
        if spelling != text:
            yield PlantedQuote(replace(without_offsets, text=spelling), alteration, should_keep=True)


def _misplaced(true: Quote, other: Quote, case: Case) -> Iterator[PlantedQuote]:
    """Yield true sentences in the wrong place."""
    other_fields = [
        name
        for name in case.text
        if name != true.field and normalize_quote(true.text) not in normalize_quote(case.text[name])
    ]
    if other_fields:
        yield PlantedQuote(replace(true, field=other_fields[0]), "another field of the case", should_keep=None)
    if not is_in_case(other.text, case):
        yield PlantedQuote(replace(other, case_id=case.id), "a sentence of another case", should_keep=False)
        yield PlantedQuote(
            replace(other, case_id=case.id, field=""), "a sentence of another case, no field", should_keep=False
        )
    yield PlantedQuote(replace(true, case_id="c-nowhere"), "a case that is not there", should_keep=False)
    yield PlantedQuote(replace(true, text=" \n "), "nothing but spaces", should_keep=False)


# Alterations of the meaning ------------------------------------------------------------------------------------------


def _words(text: str) -> list[re.Match[str]]:
    return list(re.finditer(r"[^\W\d_]+", text))


def _replace_word(text: str, word: re.Match[str], new: str) -> str:
    return text[: word.start()] + new + text[word.end() :]


def swap_word(text: str, other: str, rng: random.Random) -> str | None:
    """Replace a word of the sentence by a word of the other sentence."""
    own_words = [w for w in _words(text) if len(w[0]) > 3]
    other_words = [w[0] for w in _words(other) if len(w[0]) > 3 and w[0].casefold() not in text.casefold()]
    return _replace_word(text, rng.choice(own_words), rng.choice(other_words)) if own_words and other_words else None


def drop_word(text: str, rng: random.Random) -> str | None:
    inner = _words(text)[1:-1]
    word = rng.choice(inner) if inner else None
    return None if word is None else text[: word.start()].rstrip() + text[word.end() :]


def drop_stopwords(text: str) -> str | None:
    """Leave out all stop words, as a summary does."""
    words = [word for word in text.split() if word.strip(".,;:!?").casefold() not in STOPWORDS]
    return " ".join(words) if 2 < len(words) < len(text.split()) else None


def swap_adjacent_words(text: str, rng: random.Random) -> str | None:
    words = text.split(" ")
    swappable = [i for i in range(len(words) - 1) if words[i] != words[i + 1]]
    if not swappable:
        return None
    i = rng.choice(swappable)
    return " ".join([*words[:i], words[i + 1], words[i], *words[i + 2 :]])


def change_number(text: str, rng: random.Random) -> str | None:
    digits = [i for i, char in enumerate(text) if char in "0123456789"]
    if not digits:
        return None
    i = rng.choice(digits)
    return text[:i] + str((int(text[i]) + rng.randint(1, 9)) % 10) + text[i + 1 :]


def add_digit(text: str) -> str | None:
    number = re.search(r"\d+", text)
    return None if number is None else text[: number.end()] + "0" + text[number.end() :]


def add_negation(text: str, rng: random.Random) -> str | None:
    verb = re.search(r"\b(is|was|are|were|has|had|have|can|could|will|would|did|does|do)\b", text)
    if verb is not None:
        return text[: verb.end()] + " not" + text[verb.end() :]
    inner = _words(text)[1:]
    return _replace_word(text, word := rng.choice(inner), f"not {word[0]}") if inner else None


def drop_negation(text: str) -> str | None:
    shorter = re.sub(r"\b(not|never|no|nobody|nothing)\b ?|n['’]t\b", "", text, count=1, flags=re.IGNORECASE)
    return shorter if shorter != text and len(shorter.split()) > 2 else None


def splice(text: str, other: str) -> str:
    """Join the first half of one sentence and the second half of the other."""
    first_words, second_words = text.split(" "), other.split(" ")
    return " ".join(first_words[: len(first_words) // 2] + second_words[len(second_words) // 2 :])


def elide_middle(text: str) -> str | None:
    words = text.split(" ")
    third = len(words) // 3
    return " ".join([*words[:third], "…", *words[-third:]]) if third else None


def transpose_letters(text: str, rng: random.Random) -> str | None:
    """Transpose two letters inside a word, as a typo or its correction would."""
    long = [w for w in _words(text) if len(w[0]) > 4 and w[0][1] != w[0][2]]
    if not long:
        return None
    word = rng.choice(long)
    return _replace_word(text, word, word[0][0] + word[0][2] + word[0][1] + word[0][3:])


def strip_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


def fill_placeholder(text: str) -> str | None:
    """Replace a redacted name by a name."""
    return re.sub(r"\[person(?: \d+)?\]", "Kari Nordmann", text) if "[person" in text else None


def change_end_mark(text: str) -> str | None:
    return text[:-1] + ("?" if text.endswith(".") else ".") if text[-1:] in ".!?" else None


def drop_character(text: str, rng: random.Random) -> str | None:
    at = rng.randrange(len(text))
    return text[:at] + text[at + 1 :] if len(text) > 1 else None


def drop_last_letter(text: str) -> str | None:
    """Drop the last letter: the rest is part of the case, but ends inside a word."""
    bare = text.rstrip(" .,;:!?…\"'”’)")
    return bare[:-1] if len(bare) > 2 and bare[-1].isalnum() and bare[-2].isalnum() else None


def change_character(text: str, rng: random.Random) -> str | None:
    letters = [i for i, char in enumerate(text) if char.isascii() and char.isalpha()]
    if not letters:
        return None
    i = rng.choice(letters)
    new = rng.choice([char for char in "abcdefghijklmnopqrstuvwxyz" if char != text[i].lower()])
    return text[:i] + new + text[i + 1 :]


def add_character(text: str, rng: random.Random) -> str:
    i = rng.randrange(len(text) + 1)
    return text[:i] + rng.choice("aeinorst") + text[i:]


def superscript_digit(text: str) -> str | None:
    """Raise a digit: "102" becomes "10²"."""
    number = re.search(r"(?<=\d)\d", text)
    return None if number is None else text[: number.start()] + "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(number[0])] + text[number.end() :]


def swap_case_of_word(text: str, rng: random.Random) -> str | None:
    words = _words(text)
    word = rng.choice(words) if words else None
    return None if word is None else _replace_word(text, word, word[0].swapcase())


GLOSSARY = {
    "de": "the der|a ein|an ein|and und|of von|to zu|is ist|was war|were waren|are sind|not nicht|that dass|this dies"
    "|with mit|for für|on auf|it es|be sein|we wir|i ich|my mein|they sie|by von|at bei|from aus|had hatte|have haben",
    "nb": "the den|a en|an en|and og|of av|to til|is er|was var|were var|are er|not ikke|that at|this dette|with med"
    "|on på|it det|be være|we vi|i jeg|my min|they de|by av|at ved|from fra|had hadde|have har|has har",
}


def translate(text: str, rng: random.Random) -> str:
    """Translate word by word with a small glossary. That is enough for a text that no case contains."""
    pairs = (pair.split(" ") for pair in GLOSSARY[rng.choice(["de", "nb"])].split("|"))
    translations = dict(pairs)
    return re.sub(r"[^\W\d_]+", lambda word: translations.get(word[0].casefold(), word[0]), text)


ALTERATIONS: Mapping[str, QuoteAlteration] = {
    "a character left out": lambda text, _, rng: drop_character(text, rng),
    "the last letter left out": lambda text, _other, _rng: drop_last_letter(text),
    "a character changed": lambda text, _, rng: change_character(text, rng),
    "a character added": lambda text, _, rng: add_character(text, rng),
    "a digit raised": lambda text, _other, _rng: superscript_digit(text),
    "the case of a word changed": lambda text, _, rng: swap_case_of_word(text, rng),
    "two whole sentences joined": lambda text, other, _: f"{text} {other}",
    "translated word by word": lambda text, _, rng: translate(text, rng),
    "a word swapped": swap_word,
    "a word left out": lambda text, _, rng: drop_word(text, rng),
    "small words left out": lambda text, _other, _rng: drop_stopwords(text),
    "two words turned": lambda text, _, rng: swap_adjacent_words(text, rng),
    "a number changed": lambda text, _, rng: change_number(text, rng),
    "a digit added": lambda text, _other, _rng: add_digit(text),
    "a negation added": lambda text, _, rng: add_negation(text, rng),
    "a negation left out": lambda text, _other, _rng: drop_negation(text),
    "two sentences spliced": lambda text, other, _: splice(text, other),
    "the middle left out": lambda text, _other, _rng: elide_middle(text),
    "an ending added": lambda text, _other, _rng: text.rstrip(".!?") + ", which cost us a week.",
    "a beginning added": lambda text, _other, _rng: f"As everybody knows, {text}",
    "spelling corrected": lambda text, _, rng: transpose_letters(text, rng),
    "capitals throughout": lambda text, _other, _rng: text.upper(),
    "a homoglyph": lambda text, _other, _rng: text.replace("a", "а", 1) if "a" in text else None,  # Cyrillic
    "compatibility forms": lambda text, _other, _rng: unicodedata.normalize("NFKC", text),
    "accents dropped": lambda text, _other, _rng: strip_accents(text),
    "a name for a placeholder": lambda text, _other, _rng: fill_placeholder(text),
    "another end mark": lambda text, _other, _rng: change_end_mark(text),
    "said twice": lambda text, _other, _rng: f"{text} {text}",
    "freely invented": lambda _text, _other, _rng: (
        "We agreed that every team would report its numbers weekly from then on."
    ),
}
