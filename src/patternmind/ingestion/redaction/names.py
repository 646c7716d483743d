"""Names of known people, in the forms they are written in."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from patternmind.ingestion.redaction.ambiguous_names import AMBIGUOUS_NAMES, refers_to_person
from patternmind.ingestion.redaction.identifiers import Span

_LETTER = r"[^\W\d_]"
_WORD = re.compile(rf"{_LETTER}+")
_NAME_SEPARATOR = r"[\s._'’,\-]{1,3}"
_MIN_SINGLE_NAME_LETTERS = 3
"""A first or last name alone is looked for from this length; "Bo" or "Li" alone would hit too many words."""
_MIN_LOWERCASE_LETTERS = 4
"""And from this one where it is written small, as people do in chats."""
_COMMON_ABBREVIATIONS = frozenset(
    """
    a.d. a.i. a.m. b.a. b.c. b.s. b.v. c.g. c.v. d.c. d.h. d.v. e.g. e.u. f.e. h.q. h.r. i.d. i.e. i.t. l.a. m.a.
    m.s. n.b. n.v. n.y. o.a. o.k. p.c. p.m. p.o. p.r. p.s. q.a. r.d. s.a. t.o. t.v. u.a. u.k. u.n. u.s. v.p. z.b.
    """.split()
)
"""What two letters with dots mean more often than somebody."""
_INITIALS = re.compile(
    r"(?<![^\W_])(?<![^\W\d_]\.)[^\W\d_]\.[ ]?(?:[^\W\d_]\.[ ]?)?[^\W\d_]\.(?![^\W_]|[ ]?[^\W\d_]\.)"
)
_UNNUMBERED_PLACEHOLDERS = frozenset(["[customer]", "[site]"])
"""Of a row's own columns, in which "Production" may stand as well as "Maersk"."""
_SENTENCE_OPENERS = frozenset(
    """
    a after all also an and as at but by cc for he hello hi i if in is it no not now of on or our please she so thank
    thanks that the then there these they this to we what when where who why with yes you
    """.split()
)
"""Words that a sentence begins with behind initials, or that stand before somebody who is greeted."""
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
"""Words that many organisations begin with: alone they name none of them."""

_TITLES = frozenset(["dr", "mr", "mrs", "ms", "prof", "professor", "herr", "frau"])
_PARTICLE_LIST = "van der den de von zu zum zur da di du dos das del della la le el al bin ibn ter ten af av"
_PARTICLES = frozenset(_PARTICLE_LIST.split())


class _FoldTable(dict[int, str]):
    """Every character as one lower-case letter without its accent, so that offsets stay as they are."""

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
    """The text lower-cased and without accents, character for character."""
    return text.lower() if text.isascii() else text.translate(_FOLD_TABLE)


def without_titles(name: str) -> str:
    """The name as written, without "Dr." and the like before it."""
    words = name.split()
    while len(words) > 1 and _folded_key(fold(words[0])) in _TITLES:
        words = words[1:]
    return " ".join(words)


@dataclass(frozen=True, slots=True)
class NameForms:
    """Every form of some people's names. ``holders`` tells whose a form is, by its folded words joined with spaces."""

    pattern: re.Pattern[str] | None
    placeholders: Mapping[str, str]
    full_names: frozenset[str]
    initials: Mapping[str, str]
    """Placeholders by initials with their dots, ``a.h.``."""
    ambiguous_forms: frozenset[str]
    """First words of organisations, which may be words of any sentence."""
    first_words: frozenset[str]
    """The first words of all forms."""
    unspaced_pattern: re.Pattern[str] | None
    """Where names may begin inside what looks like one word: in scripts without spaces."""

    @classmethod
    def of(cls, people: Iterable[tuple[str, str]]) -> "NameForms":
        """From (name, placeholder). A form that two people share belongs to ``[person]``, not to either."""
        holders: dict[str, str] = {}
        initials: dict[str, str] = {}
        whole: set[str] = set()
        cautious: set[str] = set()
        for name, placeholder in people:
            is_person = placeholder.startswith("[person")
            for variant in {name, name.lower().translate(_TRANSLITERATION)}:
                full, partial = _person_forms(variant) if is_person else _organisation_forms(variant)
                whole |= full
                cautious |= set() if is_person or not (full or placeholder in _UNNUMBERED_PLACEHOLDERS) else partial
                _assign_forms(holders, full | partial, placeholder)
            _assign_forms(initials, _initials(name) if is_person else (), placeholder)
        return cls(
            _compile_pattern(holders), holders, frozenset(whole), initials, frozenset(cautious), *_first_words(holders)
        )

    def find(self, text: str) -> Iterator[Span]:
        """The names in a text, longest form first.

        Whole names count in any case, and so does a part of four letters or more that is no word as well. Shorter parts
        count with capitals, initials with their dots. Left alone is a part that is also a word ("Mark", "May", "Berg")
        in small letters or in capitals throughout, as a month, or where a sentence begins and nobody acts in it.
        """
        if self.pattern is None:
            return
        if self.initials and "." in text:
            yield from self._find_initials(text)
        folded = fold(text)
        position = 0
        for start in self._starts(folded):
            found = self.pattern.match(folded, start) if start >= position else None
            if found is None:
                continue
            end = next((end for end in _candidate_ends(found) if self._is_name(text, folded, start, end)), None)
            if end is not None:
                yield start, end, self.placeholders[_folded_key(folded[start:end])]
                position = end

    def _starts(self, folded: str) -> Iterable[int]:
        """Where a name may begin: to look words up is quicker than to try every name at every word."""
        words = _WORD.finditer(folded)
        starts = [
            word.start()
            for word in words
            if (written := word[0]) in self.first_words or (written[-1] == "s" and written[:-1] in self.first_words)
        ]
        if self.unspaced_pattern is None:
            return starts
        return sorted({*starts, *(found.start() for found in self.unspaced_pattern.finditer(folded))})

    def _find_initials(self, text: str) -> Iterator[Span]:
        for found in _INITIALS.finditer(text):
            key = fold(found[0].replace(" ", ""))
            if found[0].upper() == found[0] and key in self.initials and not _has_adjacent_surname(text, *found.span()):
                yield (*found.span(), self.initials[key])

    def placeholder_of(self, name: str) -> str | None:
        """Whose name this is, written alone in any of its forms."""
        return self.placeholders.get(_folded_key(fold(name)))

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
    """Whether a surname stands beside initials, which then are of somebody else: "J. M. Hine", "Nemeth, N. N."."""
    behind = re.match(rf" ?({_LETTER}{{2,}})", text[end : end + 30])
    if behind and behind[1][0].isupper() and behind[1].lower() not in _SENTENCE_OPENERS:
        return True
    before = re.search(rf"({_LETTER}{{3,}}), ?$", text[max(0, start - 30) : start])
    return before is not None and before[1][0].isupper() and before[1].lower() not in _SENTENCE_OPENERS


def _is_name_in_lower_case(words: Sequence[str]) -> bool:
    """Whether a part of a name is one in small letters too: "krisztian", "k. szollosy", not "may", "per"."""
    return any(len(word) >= _MIN_LOWERCASE_LETTERS and word not in AMBIGUOUS_NAMES | _PARTICLES for word in words)


def _assign_forms(placeholders: dict[str, str], forms: Iterable[str], placeholder: str) -> None:
    """A form that two have belongs to neither."""
    for form in forms:
        placeholders[form] = placeholder if placeholders.get(form, placeholder) == placeholder else "[person]"


def _candidate_ends(found: re.Match[str]) -> list[int]:
    """Where a form may end: behind the last word that was found, or any before it."""
    return [found.start() + word.end() for word in re.finditer(rf"{_LETTER}+", found[0])][::-1]


def _folded_key(folded: str) -> str:
    return " ".join(re.findall(rf"{_LETTER}+", folded))


def _person_forms(name: str) -> tuple[set[str], set[str]]:
    """The folded forms of a name: whole ones, and parts that need capitals to be a name."""
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
    # half of a double name ("Per" of Per-Olav) is a name too, unless it is a word
    halves = (half for word in (given, *middles, families[-1]) for half in word.split(" ") if " " in word)
    lone = [given, *families, *middles, *(half for half in halves if half not in AMBIGUOUS_NAMES)]
    partial |= {form for form in lone if len(form) >= _MIN_SINGLE_NAME_LETTERS and form not in _PARTICLES}
    return whole, partial - whole


def _initials(name: str) -> set[str]:
    """``a.h.`` of Anna Hansen, ``a.b.h.`` of Anna Berg Hansen, without those that stand for something else."""
    last, comma, first = name.partition(",")
    words = [_folded_key(fold(word)) for word in (f"{first} {last}" if comma else name).split()]
    words = [word for word in words if word and word not in _TITLES]
    if len(words) < 2:
        return set()
    short, long = (words[0], words[-1]), tuple(words)
    forms = {"".join(f"{word[0]}." for word in one) for one in (short, long) if len(one) <= 3}
    return forms - _COMMON_ABBREVIATIONS


def _organisation_forms(name: str) -> tuple[set[str], set[str]]:
    """The folded forms of a customer's or a site's name: whole, without "Ltd", and its first word where that tells."""
    words = [key for key in (_folded_key(fold(word)) for word in name.split()) if key]
    bare = [word for word in words if word not in _LEGAL_FORMS] or words
    whole = {" ".join(one) for one in (words, bare) if len(one) > 1}
    lone = (
        {bare[0]}
        if bare and len(bare[0]) >= _MIN_SINGLE_NAME_LETTERS and bare[0] not in _COMMON_IN_ORGANISATIONS
        else set[str]()
    )
    return whole, lone - whole


def _split_name(words: list[str]) -> tuple[str, list[str], list[str]]:
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


def _first_words(forms: Iterable[str]) -> tuple[frozenset[str], re.Pattern[str] | None]:
    firsts = {form.split(" ")[0] for form in forms}
    unspaced = sorted(first for first in firsts if _is_unspaced(first))
    # looked for without taking it, for one name may begin within another
    pattern = re.compile(f"(?={'|'.join(map(re.escape, unspaced))})") if unspaced else None
    return frozenset(firsts), pattern


def _compile_pattern(forms: Iterable[str]) -> re.Pattern[str] | None:
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
        # "adams" before "adam", which would leave its s standing
        f"{re.escape(letter)}(?:{'|'.join(_name_alternation(first[1:], words[first]) for first in sorted(words, reverse=True))})"
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
    """Written in Chinese, Japanese, Korean or Thai: ideographs, kana, hangul and Thai letters."""
    return all(re.match(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", c) for c in form)
