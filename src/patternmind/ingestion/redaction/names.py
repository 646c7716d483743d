"""Find names of known people and organisations in all their written forms."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from patternmind.ingestion.redaction.ambiguous_names import AMBIGUOUS_NAMES, refers_to_person
from patternmind.ingestion.redaction.spans import Span

_LETTER = r"[^\W\d_]"
_WORD = re.compile(rf"{_LETTER}+")
_NAME_SEPARATOR = r"[\s._'’,\-]{1,3}"
_MIN_SINGLE_NAME_LETTERS = 3
"""Minimum length of a single name: "Bo" or "Li" would match too many words."""
_MIN_LOWERCASE_LETTERS = 4
"""Minimum length of a single name in lower case, as people write in chats."""
_COMMON_ABBREVIATIONS = frozenset(
    """
    a.d. a.i. a.m. b.a. b.c. b.s. b.v. c.g. c.v. d.c. d.h. d.v. e.g. e.u. f.e. h.q. h.r. i.d. i.e. i.t. l.a. m.a.
    m.s. n.b. n.v. n.y. o.a. o.k. p.c. p.m. p.o. p.r. p.s. q.a. r.d. s.a. t.o. t.v. u.a. u.k. u.n. u.s. v.p. z.b.
    """.split()
)
"""Dotted letters that more often mean something else than a person."""
_INITIALS = re.compile(
    r"(?<![^\W_])(?<![^\W\d_]\.)[^\W\d_]\.[ ]?(?:[^\W\d_]\.[ ]?)?[^\W\d_]\.(?![^\W_]|[ ]?[^\W\d_]\.)"
)
_UNNUMBERED_PLACEHOLDERS = frozenset(["[customer]", "[site]"])
"""Placeholders for a row's own columns, which may contain "Production" as well as "Maersk"."""
_SENTENCE_OPENERS = frozenset(
    """
    a after all also an and as at but by cc for he hello hi i if in is it no not now of on or our please she so thank
    thanks that the then there these they this to we what when where who why with yes you
    """.split()
)
"""Words that begin a sentence after initials, or that precede a greeted person."""
_LEGAL_FORMS = frozenset(
    """
    ab ag aps as asa bv co corp corporation gmbh inc kg limited llc llp ltd nv ohg oy oyj plc pty sa sarl sas se spa srl
    """.split()
)
_COMMON_IN_ORGANISATIONS = frozenset(
    """
    africa alpha america american asia atlantic bank bay capital central centre center city club college east
    eastern euro european first freight general global group hospital hotel house institute international lake
    logistics main metro ministry modern national nordic north northern office pacific plant port premier prime
    public royal school section service services site smart south southern standard station store super team
    terminal the trans transport union united university universal warehouse west western world
    """.split()
)
"""First words of many organisations, which identify none of them alone."""

_TITLES = frozenset(["dr", "mr", "mrs", "ms", "prof", "professor", "herr", "frau"])
_PARTICLE_LIST = "van der den de von zu zum zur da di du dos das del della la le el al bin ibn ter ten af av"
_PARTICLES = frozenset(_PARTICLE_LIST.split())


class _FoldTable(dict[int, str]):
    """Maps each character to one lower-case letter without accent, so offsets stay the same."""

    _BASE: Mapping[str, str] = {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "ð": "d", "ŧ": "t"}

    def __missing__(self, code: int) -> str:
        character = chr(code)
        first, *marks = unicodedata.normalize("NFD", character)
        base = first if all(unicodedata.combining(mark) for mark in marks) else character
        lower = base.lower() if len(base.lower()) == 1 else base
        self[code] = self._BASE.get(lower, lower)
        return self[code]


_FOLD_TABLE = _FoldTable()
_TRANSLITERATION = str.maketrans(
    {"ä": "ae", "ö": "oe", "ø": "oe", "å": "aa", "ü": "ue", "æ": "ae", "œ": "oe", "ß": "ss"}
)


def fold(text: str) -> str:
    """Return the text in lower case and without accents, character by character."""
    return text.lower() if text.isascii() else text.translate(_FOLD_TABLE)


def without_titles(name: str) -> str:
    """Return the name as written, without titles such as "Dr."."""
    words = name.split()
    while len(words) > 1 and _folded_key(fold(words[0])) in _TITLES:
        words = words[1:]
    return " ".join(words)


@dataclass(frozen=True, slots=True)
class NameForms:
    """All written forms of some names. A form is its folded words joined with spaces."""

    pattern: re.Pattern[str] | None
    placeholders: Mapping[str, str]
    """Placeholders by form."""
    full_names: frozenset[str]
    initials: Mapping[str, str]
    """Placeholders by initials with dots, ``a.h.``."""
    ambiguous_forms: frozenset[str]
    """First words of organisations, which may be words of any sentence."""
    first_words: frozenset[str]
    """The first words of all forms."""
    unspaced_pattern: re.Pattern[str] | None
    """Matches possible name starts in scripts without spaces between words."""

    @classmethod
    def of(cls, people: Iterable[tuple[str, str]]) -> "NameForms":
        """Build the forms of (name, placeholder) pairs. A form that two people share becomes ``[person]``."""
        placeholders: dict[str, str] = {}
        initials: dict[str, str] = {}
        whole: set[str] = set()
        ambiguous: set[str] = set()
        for name, placeholder in people:
            is_person = placeholder.startswith("[person")
            for variant in {name, name.lower().translate(_TRANSLITERATION)}:
                full, partial = _person_forms(variant) if is_person else _organisation_forms(variant)
                whole |= full
                ambiguous |= set() if is_person or not (full or placeholder in _UNNUMBERED_PLACEHOLDERS) else partial
                _assign_forms(placeholders, full | partial, placeholder)
            _assign_forms(initials, _initials(name) if is_person else (), placeholder)
        return cls(
            _compile_pattern(placeholders),
            placeholders,
            frozenset(whole),
            initials,
            frozenset(ambiguous),
            *_first_words(placeholders),
        )

    def find(self, text: str) -> Iterator[Span]:
        """Find the names in a text, the longest form first.

        Whole names count in upper and lower case; so does a part of at least four letters that is not also a word.
        Shorter parts count with capitals, initials with their dots. A part that is also a word ("Mark", "May", "Berg")
        does not count in lower case, in capitals throughout, as a month, or at the start of a sentence unless that
        person acts in it.
        """
        if self.pattern is None:
            return
        if self.initials and "." in text:
            yield from self._find_initials(text)
        folded = fold(text)
        position = 0
        for start in self._starts(folded):
            match = self.pattern.match(folded, start) if start >= position else None
            if match is None:
                continue
            end = next((end for end in _candidate_ends(match) if self._is_name(text, folded, start, end)), None)
            if end is not None:
                yield start, end, self.placeholders[_folded_key(folded[start:end])]
                position = end

    def _starts(self, folded: str) -> Iterable[int]:
        """Return possible starts of names: looking up words is faster than matching names at every word."""
        words = _WORD.finditer(folded)
        starts = [
            word.start()
            for word in words
            if (form := word[0]) in self.first_words or (form[-1] == "s" and form[:-1] in self.first_words)
        ]
        if self.unspaced_pattern is None:
            return starts
        return sorted({*starts, *(match.start() for match in self.unspaced_pattern.finditer(folded))})

    def _find_initials(self, text: str) -> Iterator[Span]:
        for match in _INITIALS.finditer(text):
            key = fold(match[0].replace(" ", ""))
            if match[0].upper() == match[0] and key in self.initials and not _has_adjacent_surname(text, *match.span()):
                yield (*match.span(), self.initials[key])

    def placeholder_of(self, name: str) -> str | None:
        """Return the placeholder of a name in any of its forms."""
        return self.placeholders.get(_folded_key(fold(name)))

    def contains_full_name(self, text: str) -> bool:
        """Return whether a full name occurs in a text, in any letter case."""
        words = re.findall(rf"{_LETTER}+", fold(text))
        runs = (" ".join(words[start : start + n]) for n in (2, 3) for start in range(len(words) - n + 1))
        return any(_folded_key(run) in self.full_names for run in runs)

    def _is_name(self, text: str, folded: str, start: int, end: int) -> bool:
        key = _folded_key(folded[start:end])
        if key not in self.placeholders:
            return False
        words = key.split(" ")
        if key in self.full_names and not all(word in AMBIGUOUS_NAMES for word in words):
            return True
        written = [word for word in re.split(_NAME_SEPARATOR, text[start:end]) if word]
        if any(word[0].islower() and fold(word) not in _PARTICLES for word in written) or written[-1][0].islower():
            dotted = all(len(word) > 1 or f"{word}." in folded[start : end + 1] for word in words)
            return key not in self.ambiguous_forms and dotted and _is_name_in_lower_case(words)
        is_word = key in AMBIGUOUS_NAMES or key in self.ambiguous_forms
        return len(words) > 1 or not is_word or refers_to_person(text, key, start, end)


def _has_adjacent_surname(text: str, start: int, end: int) -> bool:
    """Return whether initials are part of another full name: "J. M. Hine", "Nemeth, N. N."."""
    after = re.match(rf" ?({_LETTER}{{2,}})", text[end : end + 30])
    if after and after[1][0].isupper() and after[1].lower() not in _SENTENCE_OPENERS:
        return True
    before = re.search(rf"({_LETTER}{{3,}}), ?$", text[max(0, start - 30) : start])
    return before is not None and before[1][0].isupper() and before[1].lower() not in _SENTENCE_OPENERS


def _is_name_in_lower_case(words: Sequence[str]) -> bool:
    """Return whether a partial name counts in lower case: "krisztian", "k. szollosy", not "may", "per"."""
    return any(len(word) >= _MIN_LOWERCASE_LETTERS and word not in AMBIGUOUS_NAMES | _PARTICLES for word in words)


def _assign_forms(placeholders: dict[str, str], forms: Iterable[str], placeholder: str) -> None:
    """Assign forms to a placeholder; a form that two people share becomes ``[person]``."""
    for form in forms:
        placeholders[form] = placeholder if placeholders.get(form, placeholder) == placeholder else "[person]"


def _candidate_ends(match: re.Match[str]) -> list[int]:
    """Return the ends of all words in a match, last word first."""
    return [match.start() + word.end() for word in re.finditer(rf"{_LETTER}+", match[0])][::-1]


def _folded_key(folded: str) -> str:
    return " ".join(re.findall(rf"{_LETTER}+", folded))


def _person_forms(name: str) -> tuple[set[str], set[str]]:
    """Return the folded whole forms of a name, and the partial ones, which need capitals."""
    last_first = re.fullmatch(r"([^,]+),\s*([^,]+)", name.strip())
    words = [_folded_key(fold(word)) for word in (f"{last_first[2]} {last_first[1]}" if last_first else name).split()]
    words = [word for word in words if word and word not in _TITLES]
    if len(words) < 2:
        return set(), {word for word in words if len(word) >= 2}
    given, families, middles = _split_name(words)
    whole = {" ".join(words), "".join(words).replace(" ", "")}
    pairs = {form for family in families for form in (f"{given} {family}", f"{family} {given}")}
    whole |= pairs | {form.replace(" ", "") for form in pairs}
    partial = {form for family in families for form in _with_initials(given, middles, family)}
    # half of a double name ("Per" of Per-Olav) counts too, unless it is also a word
    halves = (half for word in (given, *middles, families[-1]) for half in word.split(" ") if " " in word)
    lone = [given, *families, *middles, *(half for half in halves if half not in AMBIGUOUS_NAMES)]
    partial |= {form for form in lone if len(form) >= _MIN_SINGLE_NAME_LETTERS and form not in _PARTICLES}
    return whole, partial - whole


def _initials(name: str) -> set[str]:
    """Return ``a.h.`` for Anna Hansen, ``a.b.h.`` for Anna Berg Hansen, without common abbreviations."""
    last, comma, first = name.partition(",")
    words = [_folded_key(fold(word)) for word in (f"{first} {last}" if comma else name).split()]
    words = [word for word in words if word and word not in _TITLES]
    if len(words) < 2:
        return set()
    short, long = (words[0], words[-1]), tuple(words)
    forms = {"".join(f"{word[0]}." for word in parts) for parts in (short, long) if len(parts) <= 3}
    return forms - _COMMON_ABBREVIATIONS


def _organisation_forms(name: str) -> tuple[set[str], set[str]]:
    """Return the folded forms of an organisation: the whole name with and without "Ltd", and its first word.

    The first word counts only if it is distinctive.
    """
    words = [key for key in (_folded_key(fold(word)) for word in name.split()) if key]
    bare = [word for word in words if word not in _LEGAL_FORMS] or words
    whole = {" ".join(parts) for parts in (words, bare) if len(parts) > 1}
    lone = (
        {bare[0]}
        if bare and len(bare[0]) >= _MIN_SINGLE_NAME_LETTERS and bare[0] not in _COMMON_IN_ORGANISATIONS
        else set[str]()
    )
    return whole, lone - whole


def _split_name(words: list[str]) -> tuple[str, list[str], list[str]]:
    """Return the given name, the family name with and without particles, and the middle names."""
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


def _first_words(forms: Iterable[str]) -> tuple[frozenset[str], re.Pattern[str] | None]:
    firsts = {form.split(" ")[0] for form in forms}
    unspaced = sorted(first for first in firsts if _is_unspaced(first))
    # a lookahead, because a name may begin inside another
    pattern = re.compile(f"(?={'|'.join(map(re.escape, unspaced))})") if unspaced else None
    return frozenset(firsts), pattern


def _compile_pattern(forms: Iterable[str]) -> re.Pattern[str] | None:
    """Compile one alternation, grouped by first letter and word for speed.

    A possessive or genitive s may follow. Names in scripts without spaces between words may be inside other words.
    """
    spaced: dict[str, dict[str, list[list[str]]]] = {}
    unspaced = [form for form in forms if _is_unspaced(form)]
    for form in forms:
        first, *rest = form.split(" ")
        spaced.setdefault(first[0], {}).setdefault(first, []).append(rest)
    if not spaced:
        return None
    by_letter = (
        # "adams" before "adam", which would leave the s unredacted
        f"{re.escape(letter)}(?:"
        f"{'|'.join(_name_alternation(first[1:], words[first]) for first in sorted(words, reverse=True))})"
        for letter, words in sorted(spaced.items())
    )
    pattern = rf"(?<!{_LETTER})(?:{'|'.join(by_letter)})(?=s?(?!{_LETTER}))"
    if unspaced:
        pattern += "|" + "|".join(re.escape(form) for form in sorted(unspaced, key=len, reverse=True) if len(form) > 1)
    return re.compile(pattern)


def _name_alternation(first: str, rests: list[list[str]]) -> str:
    tails = sorted(
        {_NAME_SEPARATOR + _NAME_SEPARATOR.join(re.escape(word) for word in rest) for rest in rests if rest},
        key=len,
        reverse=True,
    )
    alone = "" if [] not in rests else "?"
    return re.escape(first) + (f"(?:{'|'.join(tails)}){alone}" if tails else "")


def _is_unspaced(form: str) -> bool:
    """Return whether a form is in Chinese, Japanese, Korean or Thai script."""
    return all(re.match(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", c) for c in form)
