"""Number words: English ones, and German and Norwegian ones without another meaning in English."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    multiplier: int


def _enumerate_words(words: str, first: int = 0) -> dict[str, int]:
    return {word: number for number, word in enumerate(words.split(), first)}


NUMBER_WORDS: dict[str, int | Scale] = {
    **_enumerate_words(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
        " eighteen nineteen twenty",
        2,
    ),
    **{word: 10 * tens for word, tens in _enumerate_words("thirty forty fifty sixty seventy eighty ninety", 3).items()},
    "hundred": Scale(100),
    "thousand": Scale(1000),
    "million": Scale(1_000_000),
    "dozen": Scale(12),
    **_enumerate_words("zwei drei vier fünf sechs sieben", 2),
    "neun": 9,
    "zehn": 10,
    "zwölf": 12,
    "hundert": Scale(100),
    "tausend": Scale(1000),
    "tre": 3,
    "fem": 5,
    "seks": 6,
    "sju": 7,
    "syv": 7,
    "åtte": 8,
    "elleve": 11,
    "tolv": 12,
    "tyve": 20,
    "hundre": Scale(100),
}
"""Number words of a claim that its sources must contain.

"One" is missing, because it is a pronoun as often as a number.
"""

AMBIGUOUS_NUMBER_WORDS: dict[str, int | Scale] = {
    "one": 1,
    "a": 1,
    "an": 1,
    "single": 1,
    "once": 1,
    "twice": 2,
    "both": 2,
    "couple": 2,
    "ein": 1,
    "eine": 1,
    "einen": 1,
    "einem": 1,
    "acht": 8,
    "elf": 11,
    "beide": 2,
    "en": 1,
    "et": 1,
    "to": 2,
    "fire": 4,
    "ni": 9,
    "ti": 10,
    "tusen": Scale(1000),
    "begge": 2,
}
"""Further number words of a source that may match a claim's figures; half of them have another meaning."""

PERCENT_PATTERN = r"%|(?:per ?cent|percent|prosent|Prozent)\b"
