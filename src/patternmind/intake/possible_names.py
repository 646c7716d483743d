"""Names that nobody put on the roster, found by how they are written and offered to the steward; nothing is taken out.

Evidence is counted in points. A title, a greeting or a common given name is enough by itself; a capital in the midst of
a sentence, a verb of speech or the ending of a surname are not, but two of them are. What the texts also write small is
a word. Rules and a list, no model: it misses names of one word that only a reader would know for names.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from patternmind.intake.given_names import GIVEN_NAMES
from patternmind.intake.name_words import NAME_WORDS
from patternmind.intake.names import fold

ENOUGH = 2
"""Points from which a name is offered."""
MOST_CONTEXTS = 3
_REACH = 45
"""Characters of context on each side."""

_CAPITAL = r"(?:(?:Mc|Mac|O['’]|D['’]|L['’]|al-|El-)?[^\W\d_a-zß-öø-ÿ_][^\W\d_A-ZÀ-ÖØ-Þ]+(?:[-'’](?!s\b)[^\W\d_]+)?)"
_PARTICLE = (
    r"(?:van der|van den|van de|van|von der|von|de la|de los|del|de|da|dos|do|di|bin|ibn|al|el|ter|ten|zu|af|av)"
)
_RUN = re.compile(
    rf"(?<![\w@./-]){_CAPITAL}(?:[ ](?:[^\W\d_]\.?[ ])?(?:{_PARTICLE}[ ])?{_CAPITAL}){{0,3}}(?![\w@]|[./-]\w)"
)
_MENTION = re.compile(r"(?<![\w@./])@[A-Za-z][\w.-]{2,30}(?<![.-])(?![\w(@])")

_SMALL_NAME = re.compile(r"(?<![\w@./-])[^\W\d_A-ZÀ-ÖØ-Þ]{4,}(?![\w@]|[./-]\w)")
_BESIDE = re.compile(r"(?:,|,? (?:and|og|och|und|en|et|y|&)|[/&+])[ \n]?|, ?(?:and|og|och|und|en|et|y|&) ")

_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Herr|Frau|Fru|Sir|Madam|Monsieur|Madame|Señora?|Coach|Nurse)\.?[ ]$"
)
_GREETED = re.compile(
    r"(?:\b(?:my name is|name[’']?s|named(?: him| her)?|call(?:ed)? me|hi|hello|hey|dear|thanks|thank you|thx"
    r"|regards|cheers|sincerely"
    r"|welcome|goodbye|mvh|hilsen|grüße?n?|cordialement)[,:!]?[ \n]*|\b(?:said|says|told|asked|tell|thanked"
    r"|married|emailed)[ ])$",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(
    r"(?:\b(?:I am|I[’']m|this is|it[’']s|signed(?: by)?|attn:?|cc:?|best,|name:|user:|contact:|by:)[ \n\t]*"
    r"|[-–—~|][ ]?|(?:^|\n)[ \t]*[*>•-]?[ \t]*@?)$",
    re.IGNORECASE,
)
_BEFORE_PERSON = re.compile(
    r"\b(?:ask|with|by|from|thank|contact(?:ed)?|met|meet|call(?:ed)?|email|according to|for|to|and|colleague"
    r"|manager|boss|engineer|nurse|doctor|lead|friend|wife|husband|brother|sister|daughter|son|mother|father)[ ]$",
    re.IGNORECASE,
)
_ACTS = re.compile(
    r"[ ](?:said|says|told|asked|asks|thinks|thought|wrote|writes|replied|answered|explained|suggested|agreed"
    r"|noticed|called|joined"
    r"|left|was born|is (?:the|a|an|our|my|his|her)|and I|will|would|wants?|wanted|had|has|did|went|came|knows?"
    r"|knew|made|helped"
    r"|who|reported|mentioned|confirmed|found|fixed|began|started)\b|['’]s\b|,?[ ]+(?:who|whose|aged?)\b|[ ]?:[ ]"
)
_NO_PERSON_BEHIND = re.compile(
    r"[ ](?:Inc|Ltd|LLC|GmbH|AG|AS|Corp|Co|University|College|School|Hospital|Clinic|Street|St|Road|Rd|Avenue"
    r"|Ave|Lane|Drive|Square"
    r"|Center|Centre|Library|Institute|Laborator\w+|Project|Program|Programme|System|Team|Group|Department"
    r"|Office|Division|Bank|Board"
    r"|River|Lake|Bay|Island|County|City|Park|Bridge|Airport|Station|Act|Model|Method|Theory|Law|Test|Award)\b"
)
_SURNAME = re.compile(
    r"(?:sen|sson|son|sdottir|dottir|ski|ska|sky|czyk|wicz|vić|vic|ić|ov|ova|ev|eva|enko|chuk|escu|eanu|ian|yan"
    r"|shvili|adze|poulos|idis"
    r"|akis|inen|nen|ez|oglu|oğlu|mann|berg|stein|gård|gaard|stad|dahl|lund|quist|qvist|ström|sma|stra|ink"
    r"|aitis|auskas)$"
)
_MIDDLE_INITIAL = re.compile(r" [^\W\d_]\.? ")
_SENTENCE_BEGINS = re.compile(r"(?:^|[.!?:;…\n\r|>])[\s\"'“”‘’«»(*_#•\-–—>\[\]0-9.)]*$")
_NO_NAMES = frozenset(
    fold(word)
    for word in """
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
october november december english german french spanish dutch danish swedish norwegian finnish italian polish
russian chinese japanese american british european african asian indian canadian australian america europe africa
asia australia canada germany france spain italy poland russia china japan india norway sweden denmark finland
netherlands belgium switzerland austria ireland england scotland wales london paris berlin york god christmas easter
internet google microsoft apple amazon github slack zoom teams excel word outlook jira trello notion figma whatsapp
facebook twitter linkedin youtube python java javascript linux windows android docker kubernetes this that these
those there then when where while what which who why how the and but for from with without after before because mr
mrs ms miss mx dr prof professor herr frau since until during here our your their his her its they she you not all
any some each every both many most more other another such only also just even still yet now today tomorrow
yesterday please yes okay thanks thank hi hello hey dear regards cheers best sincerely welcome see
""".split()
)


@dataclass(frozen=True, slots=True)
class PossibleName:
    """A name that somebody may have. ``contexts`` are pieces of texts, other possible names in them as ``[name?]``."""

    name: str
    n: int
    n_texts: int
    why: tuple[str, ...]
    contexts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sighting:
    """One place where a name may stand. ``points`` say how likely, ``why`` by which signs."""

    start: int
    end: int
    name: str
    points: int
    why: tuple[str, ...]


@dataclass
class _Tally:
    points: int = 0
    n: int = 0
    texts: set[int] = field(default_factory=set[int])
    why: Counter[str] = field(default_factory=Counter[str])
    places: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])


def possible_names(texts: Sequence[str]) -> tuple[PossibleName, ...]:
    """The names that texts redacted by the roster may still hold, the likeliest and most frequent first.

    A first or last name alone counts with the whole name it is part of, as it will once that is on the roster.
    """
    words = small_words(texts)
    sightings = [likely_names(text, find_possible(text, words)) for text in texts]
    tallies: dict[str, _Tally] = {}
    for number, found in enumerate(sightings):
        for one in found:
            tally = tallies.setdefault(one.name, _Tally())
            tally.points = max(tally.points, one.points)
            tally.n += 1
            tally.texts.add(number)
            tally.why.update(one.why)
            tally.places.append((number, one.start, one.end))
    offered = _merged({name: tally for name, tally in tallies.items() if _is_offered(tally)})
    spans = [
        [(s.start, s.end) for s in found if s.name in tallies and _is_offered(tallies[s.name])] for found in sightings
    ]
    ranked = sorted(offered.items(), key=lambda one: (-one[1].points, -one[1].n, one[0]))
    return tuple(
        PossibleName(
            name=name,
            n=tally.n,
            n_texts=len(tally.texts),
            why=tuple(sign for sign, _ in tally.why.most_common()),
            contexts=tuple(
                _context(texts[at], start, end, spans[at]) for at, start, end in tally.places[:MOST_CONTEXTS]
            ),
        )
        for name, tally in ranked
    )


def likely_names(text: str, sightings: Iterable[Sighting]) -> list[Sighting]:
    """The sightings of a text, those next to a likely name in an enumeration likely too."""
    found = sorted(sightings, key=lambda one: one.start)
    forth = range(1, len(found))
    for at, step in [*((i, -1) for i in forth), *((i - 1, 1) for i in reversed(forth))]:
        one, other = found[at], found[at + step]
        first, second = sorted((one, other), key=lambda sighting: sighting.start)
        if one.points < ENOUGH <= other.points and _BESIDE.fullmatch(text, first.end, second.start):
            why = (*one.why, "beside a name")
            found[at] = Sighting(one.start, one.end, one.name, one.points + _points("beside a name"), why)
    return found


def small_words(texts: Iterable[str]) -> Mapping[str, int]:
    """How often the texts write a word small: one that is never a name."""
    return Counter(
        word for text in texts for word in re.findall(r"(?<![\w@./])[^\W\d_A-ZÀ-ÖØ-Þ][^\W\d_]+(?![\w@])", text)
    )


def find_possible(text: str, small: Mapping[str, int]) -> Iterator[Sighting]:
    """Every place in a text where a name may stand, however little speaks for it."""
    for found in _MENTION.finditer(text):
        yield Sighting(found.start(), found.end(), found[0], ENOUGH, ("mention",))
    for found in _SMALL_NAME.finditer(text):
        if fold(found[0]) in GIVEN_NAMES - NAME_WORDS:
            yield Sighting(*found.span(), found[0].title(), ENOUGH, ("given name",))
    for found in _RUN.finditer(text):
        begins = bool(_SENTENCE_BEGINS.search(text, max(0, found.start() - 40), found.start()))
        start, name = _without_words(found, small, begins=begins)
        if not name:
            continue
        why = tuple(_signs(text, start, found.end(), name))
        yield Sighting(start, found.end(), name, sum(_points(sign) for sign in why), why)


_ENOUGH_ALONE = frozenset(("mention", "title", "greeted", "given name", "beside a name"))


def _points(sign: str) -> int:
    return ENOUGH if sign in _ENOUGH_ALONE else 1


def _signs(text: str, start: int, end: int, name: str) -> Iterator[str]:
    """By what a name shows that it is one."""
    before = text[max(0, start - 40) : start]
    if _TITLED.search(before):
        yield "title"
    if _NO_PERSON_BEHIND.match(text, end) or _NO_PERSON_BEHIND.match(f" {name.rpartition(' ')[2]}"):
        return
    yield from _signs_around(before, text, end)
    words = [word for word in name.split(" ") if len(word) > 2]
    first = fold(words[0]).split("-")[0] if words else ""
    if first in GIVEN_NAMES and (first not in NAME_WORDS or len(words) > 1):
        yield "given name"
    if _MIDDLE_INITIAL.search(name):
        yield "middle initial"
    if len(words) > 1:
        yield "two names"
    if words and _SURNAME.search(words[-1].lower()) and len(words[-1]) > 5:
        yield "surname"


def _signs_around(before: str, text: str, end: int) -> Iterator[str]:
    if _GREETED.search(before):
        yield "greeted"
    if _INTRODUCED.search(before):
        yield "introduced"
    if before.endswith("[") and text[end : end + 1] == "]":
        yield "linked"
    if _BEFORE_PERSON.search(before):
        yield "beside a person word"
    if _ACTS.match(text, end):
        yield "acts"


def _without_words(found: re.Match[str], small: Mapping[str, int], *, begins: bool) -> tuple[int, str]:
    """Where the name begins and what it is, the words before it that are none left out; empty where nothing is left."""
    words = found[0].split(" ")
    start = found.start()
    while words and _is_word(words[0], small, lenient=len(words) > 1 and not begins):
        start += len(words[0]) + 1
        words = words[1:]
    if not words or any(_is_word(word, small, lenient=True) for word in words[1:]):
        return start, ""
    return start, " ".join(words)


def _is_word(word: str, small: Mapping[str, int], *, lenient: bool) -> bool:
    """Whether it is no name but a word with a capital: the texts write it small too, and it is no given name."""
    folded = fold(word)
    if folded in _NO_NAMES:
        return True
    if folded in GIVEN_NAMES and folded not in NAME_WORDS:
        return False
    return small.get(word.lower(), 0) > 0 and not (lenient and folded in NAME_WORDS)


def _is_offered(tally: _Tally) -> bool:
    return tally.points >= ENOUGH


def _merged(tallies: Mapping[str, _Tally]) -> dict[str, _Tally]:
    """Parts of a longer name counted with it, where just one longer name has them."""
    longer: dict[str, list[str]] = {}
    for name in tallies:
        parts = name.split(" ")
        for part in {parts[0], parts[-1]} if len(parts) > 1 else ():
            longer.setdefault(part, []).append(name)
    kept = {name: tally for name, tally in tallies.items() if len(longer.get(name, ())) != 1}
    for name, tally in tallies.items():
        if name not in kept:
            whole = kept.get(longer[name][0])
            if whole is not None:
                whole.n += tally.n
                whole.texts |= tally.texts
                whole.why.update(tally.why)
                whole.places += tally.places
    return kept


def _context(text: str, start: int, end: int, spans: Iterable[tuple[int, int]]) -> str:
    """The name with what stands around it, on one line."""
    low, high = max(0, start - _REACH), min(len(text), end + _REACH)
    kept: list[str] = []
    position = low
    for one, other in sorted(spans):
        if one < position or other > high or one == start:
            continue
        kept += (text[position:one], "[name?]")
        position = other
    kept.append(text[position:high])
    ends = ("…" if low else "", "…" if high < len(text) else "")
    return f"{ends[0]}{' '.join(''.join(kept).split())}{ends[1]}"
