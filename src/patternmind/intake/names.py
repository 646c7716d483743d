"""Names of known people, in the forms they are written in."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from patternmind.intake.name_words import NAME_WORDS, is_somebody
from patternmind.intake.patterns import Span

_LETTER = r"[^\W\d_]"
_GAP = r"[\s._'’,\-]{1,3}"
_MIN_LONE_LETTERS = 3
"""A first or last name alone is looked for from this length; "Bo" or "Li" alone would hit too many words."""

_TITLES = frozenset(["dr", "mr", "mrs", "ms", "prof", "professor", "herr", "frau"])
_PARTICLE_LIST = "van der den de von zu zum zur da di du dos das del della la le el al bin ibn ter ten af av"
_PARTICLES = frozenset(_PARTICLE_LIST.split())


class _Fold(dict[int, str]):
    """Every character as one lower-case letter without its accent, so that offsets stay as they are."""

    _BASE: Mapping[str, str] = {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "ð": "d", "ŧ": "t"}

    def __missing__(self, code: int) -> str:
        character = chr(code)
        first, *marks = unicodedata.normalize("NFD", character)
        base = first if all(unicodedata.combining(mark) for mark in marks) else character
        lower = base.lower() if len(base.lower()) == 1 else base
        self[code] = self._BASE.get(lower, lower)
        return self[code]


_FOLD = _Fold()
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ø": "oe", "å": "aa", "ü": "ue", "æ": "ae", "œ": "oe", "ß": "ss"})


def fold(text: str) -> str:
    """The text lower-cased and without accents, character for character."""
    return text.translate(_FOLD)


@dataclass(frozen=True, slots=True)
class NameForms:
    """Every form of some people's names. ``holders`` tells whose a form is, by its folded words joined with spaces."""

    pattern: re.Pattern[str] | None
    holders: Mapping[str, str]
    whole: frozenset[str]

    @classmethod
    def of(cls, people: Iterable[tuple[str, str]]) -> "NameForms":
        """From (name, placeholder). A form that two people share belongs to ``[person]``, not to either."""
        holders: dict[str, str] = {}
        whole: set[str] = set()
        for name, placeholder in people:
            for variant in {name, name.lower().translate(_SPELLED_OUT)}:
                full, partial = _forms(variant)
                whole |= full
                for form in full | partial:
                    holders[form] = placeholder if holders.get(form, placeholder) == placeholder else "[person]"
        return cls(_compile(holders), holders, frozenset(whole))

    def find(self, text: str) -> Iterator[Span]:
        """The names in a text, longest form first.

        Whole names count in any case, parts of a name only with capitals. Left alone is a part that is also a word
        ("Mark", "May", "Berg") in capitals throughout, as a month, or where a sentence begins and nobody acts in it.
        """
        if self.pattern is None:
            return
        folded = fold(text)
        position = 0
        while found := self.pattern.search(folded, position):
            end = next((end for end in _ends(found) if self._is_name(text, folded, found.start(), end)), None)
            if end is not None:
                yield found.start(), end, self.holders[_key(folded[found.start() : end])]
            position = end or found.start() + 1

    def holder(self, name: str) -> str | None:
        """Whose name this is, written alone in any of its forms."""
        return self.holders.get(_key(fold(name)))

    def _is_name(self, text: str, folded: str, start: int, end: int) -> bool:
        key = _key(folded[start:end])
        if key not in self.holders:
            return False
        words = key.split(" ")
        if key in self.whole and not all(word in NAME_WORDS for word in words):
            return True
        written = [word for word in re.split(_GAP, text[start:end]) if word]
        if any(word[0].islower() and fold(word) not in _PARTICLES for word in written) or written[-1][0].islower():
            return False
        return len(words) > 1 or key not in NAME_WORDS or is_somebody(text, key, start, end)


def _ends(found: re.Match[str]) -> list[int]:
    """Where a form may end: behind the last word that was found, or any before it."""
    return [found.start() + word.end() for word in re.finditer(rf"{_LETTER}+", found[0])][::-1]


def _key(folded: str) -> str:
    return " ".join(re.findall(rf"{_LETTER}+", folded))


def _forms(name: str) -> tuple[set[str], set[str]]:
    """The folded forms of a name: whole ones, and parts that need capitals to be a name."""
    last_first = re.fullmatch(r"([^,]+),\s*([^,]+)", name.strip())
    words = [_key(fold(word)) for word in (f"{last_first[2]} {last_first[1]}" if last_first else name).split()]
    words = [word for word in words if word and word not in _TITLES]
    if len(words) < 2:
        return set(), {word for word in words if len(word) >= 2}
    given, families, middles = _parts(words)
    whole = {" ".join(words), "".join(words).replace(" ", "")}
    whole |= {form for family in families for form in (f"{given} {family}", f"{family} {given}")}
    partial = {form for family in families for form in _with_initials(given, middles, family)}
    # half of a double name ("Per" of Per-Olav) is a name too, unless it is a word
    halves = (half for word in (given, *middles, families[-1]) for half in word.split(" ") if " " in word)
    lone = [given, *families, *middles, *(half for half in halves if half not in NAME_WORDS)]
    partial |= {form for form in lone if len(form) >= _MIN_LONE_LETTERS and form not in _PARTICLES}
    return whole, partial - whole


def _parts(words: list[str]) -> tuple[str, list[str], list[str]]:
    """Given name; family name with and without its particles; middle names."""
    begins = next((i for i, word in enumerate(words) if i and word in _PARTICLES), len(words) - 1)
    families = list(dict.fromkeys((" ".join(words[begins:]), words[-1])))
    return words[0], families, words[1:begins]


def _with_initials(given: str, middles: list[str], family: str) -> set[str]:
    first = given.split(" ")
    initials = " ".join(part[0] for part in first)
    middle_initials = " ".join(middle[0] for middle in middles)
    forms = {f"{first[0][0]} {family}", f"{initials} {family}", f"{given} {family[0]}"}
    if middles:
        forms |= {f"{given} {middle_initials} {family}", f"{initials} {middle_initials} {family}"}
        forms |= {f"{given} {middle}" for middle in middles}
    return forms


def _compile(forms: Iterable[str]) -> re.Pattern[str] | None:
    """One alternation, its forms grouped by their first word and letter, since every word of a text is tried on it.

    A possessive or genitive s may follow. Names in scripts without spaces between words may stand inside others.
    """
    spaced: dict[str, dict[str, list[list[str]]]] = {}
    unspaced = [form for form in forms if _is_unspaced(form)]
    for form in forms:
        first, *rest = form.split(" ")
        spaced.setdefault(first[0], {}).setdefault(first, []).append(rest)
    if not spaced:
        return None
    by_letter = (
        f"{re.escape(letter)}(?:{'|'.join(_branch(first[1:], rests) for first, rests in sorted(words.items()))})"
        for letter, words in sorted(spaced.items())
    )
    pattern = rf"(?<!{_LETTER})(?:{'|'.join(by_letter)})(?=s?(?!{_LETTER}))"
    if unspaced:
        pattern += "|" + "|".join(re.escape(form) for form in sorted(unspaced, key=len, reverse=True) if len(form) > 1)
    return re.compile(pattern)


def _branch(first: str, rests: list[list[str]]) -> str:
    tails = sorted(
        {_GAP + _GAP.join(re.escape(word) for word in rest) for rest in rests if rest}, key=len, reverse=True
    )
    alone = "" if [] not in rests else "?"
    return re.escape(first) + (f"(?:{'|'.join(tails)}){alone}" if tails else "")


def _is_unspaced(form: str) -> bool:
    """Written in Chinese, Japanese, Korean or Thai: ideographs, kana, hangul and Thai letters."""
    return all(re.match(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", c) for c in form)
