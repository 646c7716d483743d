"""Find possible names that are not on the roster, for the steward to confirm.

This redacts nothing. Evidence is counted in points. A title, a greeting or a common given name is enough alone. A
capital inside a sentence, a verb of speech or a typical surname ending is not enough, but two of them are. A word that
the texts also write in lower case is not a name. The method is rules and a list, not a model: it misses one-word names
that only a reader would recognise.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from patternmind.ingestion.redaction.ambiguous_names import AMBIGUOUS_NAMES
from patternmind.ingestion.redaction.given_names import GIVEN_NAMES
from patternmind.ingestion.redaction.names import fold

MIN_POINTS = 2
"""Points that a name needs to be listed."""
MAX_CONTEXTS = 3
_CONTEXT_CHARS = 45
"""Characters of context on each side."""

_CAPITALISED_WORD = (
    r"(?:(?:Mc|Mac|O['’]|D['’]|L['’]|al-|El-)?[^\W\d_a-zß-öø-ÿ_][^\W\d_A-ZÀ-ÖØ-Þ]+(?:[-'’](?!s\b)[^\W\d_]+)?)"
)
_PARTICLE = (
    r"(?:van der|van den|van de|van|von der|von|de la|de los|del|de|da|dos|do|di|bin|ibn|al|el|ter|ten|zu|af|av)"
)
_CAPITALISED_RUN = re.compile(
    rf"(?<![\w@./-]){_CAPITALISED_WORD}"
    rf"(?:[ ](?:[^\W\d_]\.?[ ])?(?:{_PARTICLE}[ ])?{_CAPITALISED_WORD}){{0,3}}(?![\w@]|[./-]\w)"
)
_MENTION = re.compile(r"(?<![\w@./])@[A-Za-z][\w.-]{2,30}(?<![.-])(?![\w(@])")

_LOWER_CASE_WORD = re.compile(r"(?<![\w@./-])[^\W\d_A-ZÀ-ÖØ-Þ]{4,}(?![\w@]|[./-]\w)")
_ENUMERATION_SEPARATOR = re.compile(
    r"(?:,|,? (?:and|og|och|und|en|et|y|&)|[/&+])[ \n]?|, ?(?:and|og|och|und|en|et|y|&) "
)

_AFTER_TITLE = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Herr|Frau|Fru|Sir|Madam|Monsieur|Madame|Señora?|Coach|Nurse)\.?[ ]$"
)
_AFTER_GREETING = re.compile(
    r"(?:\b(?:my name is|name[’']?s|named(?: him| her)?|call(?:ed)? me|hi|hello|hey|dear|thanks|thank you|thx"
    r"|regards|cheers|sincerely"
    r"|welcome|goodbye|mvh|hilsen|grüße?n?|cordialement)[,:!]?[ \n]*|\b(?:said|says|told|asked|tell|thanked"
    r"|married|emailed)[ ])$",
    re.IGNORECASE,
)
_AFTER_INTRODUCTION = re.compile(
    r"(?:\b(?:I am|I[’']m|this is|it[’']s|signed(?: by)?|attn:?|cc:?|best,|name:|user:|contact:|by:)[ \n\t]*"
    r"|[-–—~|][ ]?|(?:^|\n)[ \t]*[*>•-]?[ \t]*@?)$",
    re.IGNORECASE,
)
_AFTER_PERSON_WORD = re.compile(
    r"\b(?:ask|with|by|from|thank|contact(?:ed)?|met|meet|call(?:ed)?|email|according to|for|to|and|colleague"
    r"|manager|boss|engineer|nurse|doctor|lead|friend|wife|husband|brother|sister|daughter|son|mother|father)[ ]$",
    re.IGNORECASE,
)
_PERSON_ACTS = re.compile(
    r"[ ](?:said|says|told|asked|asks|thinks|thought|wrote|writes|replied|answered|explained|suggested|agreed"
    r"|noticed|called|joined"
    r"|left|was born|is (?:the|a|an|our|my|his|her)|and I|will|would|wants?|wanted|had|has|did|went|came|knows?"
    r"|knew|made|helped"
    r"|who|reported|mentioned|confirmed|found|fixed|began|started)\b|['’]s\b|,?[ ]+(?:who|whose|aged?)\b|[ ]?:[ ]"
)
_ORGANISATION_SUFFIX = re.compile(
    r"[ ](?:Inc|Ltd|LLC|GmbH|AG|AS|Corp|Co|University|College|School|Hospital|Clinic|Street|St|Road|Rd|Avenue"
    r"|Ave|Lane|Drive|Square"
    r"|Center|Centre|Library|Institute|Laborator\w+|Project|Program|Programme|System|Team|Group|Department"
    r"|Office|Division|Bank|Board"
    r"|River|Lake|Bay|Island|County|City|Park|Bridge|Airport|Station|Act|Model|Method|Theory|Law|Test|Award)\b"
)
_SURNAME_ENDING = re.compile(
    r"(?:sen|sson|son|sdottir|dottir|ski|ska|sky|czyk|wicz|vić|vic|ić|ov|ova|ev|eva|enko|chuk|escu|eanu|ian|yan"
    r"|shvili|adze|poulos|idis"
    r"|akis|inen|nen|ez|oglu|oğlu|mann|berg|stein|gård|gaard|stad|dahl|lund|quist|qvist|ström|sma|stra|ink"
    r"|aitis|auskas)$"
)
_MIDDLE_INITIAL = re.compile(r" [^\W\d_]\.? ")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;…\n\r|>])[\s\"'“”‘’«»(*_#•\-–—>\[\]0-9.)]*$")
_NEVER_NAMES = frozenset(
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
    """A possible name, for the steward to confirm.

    ``why`` are the signals, most frequent first. ``contexts`` are excerpts in which other possible names appear as
    ``[name?]``.
    """

    name: str
    n: int
    n_texts: int
    why: tuple[str, ...]
    contexts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NameCandidate:
    """A place in a text that may be a name; more ``points`` mean more likely."""

    start: int
    end: int
    name: str
    points: int
    signals: tuple[str, ...]


@dataclass
class _NameTally:
    points: int = 0
    n: int = 0
    texts: set[int] = field(default_factory=set[int])
    signals: Counter[str] = field(default_factory=Counter[str])
    places: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])


def find_possible_names(texts: Sequence[str]) -> tuple[PossibleName, ...]:
    """Return possible names left in texts that the roster redacted, most likely and frequent first.

    A first or last name alone counts towards the full name it belongs to, as it will once that name is on the roster.
    """
    words = count_lower_case_words(texts)
    sightings = [promote_enumerated_names(text, find_name_candidates(text, words)) for text in texts]
    tallies: dict[str, _NameTally] = {}
    for number, candidates in enumerate(sightings):
        for candidate in candidates:
            tally = tallies.setdefault(candidate.name, _NameTally())
            tally.points = max(tally.points, candidate.points)
            tally.n += 1
            tally.texts.add(number)
            tally.signals.update(candidate.signals)
            tally.places.append((number, candidate.start, candidate.end))
    merged = _merge_partial_names({name: tally for name, tally in tallies.items() if _is_likely(tally)})
    spans = [
        [
            (candidate.start, candidate.end)
            for candidate in candidates
            if candidate.name in tallies and _is_likely(tallies[candidate.name])
        ]
        for candidates in sightings
    ]
    ranked = sorted(merged.items(), key=lambda item: (-item[1].points, -item[1].n, item[0]))
    return tuple(
        PossibleName(
            name=name,
            n=tally.n,
            n_texts=len(tally.texts),
            why=tuple(signal for signal, _ in tally.signals.most_common()),
            contexts=tuple(
                _context_snippet(texts[at], start, end, spans[at]) for at, start, end in tally.places[:MAX_CONTEXTS]
            ),
        )
        for name, tally in ranked
    )


def promote_enumerated_names(text: str, candidates: Iterable[NameCandidate]) -> list[NameCandidate]:
    """Return the candidates of a text; one next to a likely name in an enumeration becomes likely."""
    ordered = sorted(candidates, key=lambda candidate: candidate.start)
    positions = range(1, len(ordered))
    for at, step in [*((i, -1) for i in positions), *((i - 1, 1) for i in reversed(positions))]:
        candidate, neighbour = ordered[at], ordered[at + step]
        first, second = sorted((candidate, neighbour), key=lambda sighting: sighting.start)
        is_promoted = candidate.points < MIN_POINTS <= neighbour.points
        if is_promoted and _ENUMERATION_SEPARATOR.fullmatch(text, first.end, second.start):
            ordered[at] = replace(
                candidate,
                points=candidate.points + _signal_points(_NEXT_TO_NAME),
                signals=(*candidate.signals, _NEXT_TO_NAME),
            )
    return ordered


def count_lower_case_words(texts: Iterable[str]) -> Mapping[str, int]:
    """Count the words that the texts write in lower case, which are never names."""
    return Counter(
        word for text in texts for word in re.findall(r"(?<![\w@./])[^\W\d_A-ZÀ-ÖØ-Þ][^\W\d_]+(?![\w@])", text)
    )


def find_name_candidates(text: str, lower_case_counts: Mapping[str, int]) -> Iterator[NameCandidate]:
    """Find every place in a text that may be a name, however weak the evidence."""
    for match in _MENTION.finditer(text):
        yield NameCandidate(match.start(), match.end(), match[0], MIN_POINTS, ("mention",))
    for match in _LOWER_CASE_WORD.finditer(text):
        if fold(match[0]) in GIVEN_NAMES - AMBIGUOUS_NAMES:
            yield NameCandidate(*match.span(), match[0].title(), MIN_POINTS, ("given name",))
    for match in _CAPITALISED_RUN.finditer(text):
        is_sentence_start = bool(_SENTENCE_START.search(text, max(0, match.start() - 40), match.start()))
        start, name = _strip_leading_words(match, lower_case_counts, is_sentence_start=is_sentence_start)
        if not name:
            continue
        signals = tuple(_name_signals(text, start, match.end(), name))
        yield NameCandidate(start, match.end(), name, sum(_signal_points(signal) for signal in signals), signals)


_NEXT_TO_NAME = "next to a name"
_SUFFICIENT_SIGNALS = frozenset(("mention", "title", "greeted", "given name", _NEXT_TO_NAME))


def _signal_points(signal: str) -> int:
    return MIN_POINTS if signal in _SUFFICIENT_SIGNALS else 1


def _name_signals(text: str, start: int, end: int, name: str) -> Iterator[str]:
    """Yield the evidence that a name is one."""
    before = text[max(0, start - 40) : start]
    if _AFTER_TITLE.search(before):
        yield "title"
    if _ORGANISATION_SUFFIX.match(text, end) or _ORGANISATION_SUFFIX.match(f" {name.rpartition(' ')[2]}"):
        return
    yield from _context_signals(before, text, end)
    words = [word for word in name.split(" ") if len(word) > 2]
    first = fold(words[0]).split("-")[0] if words else ""
    if first in GIVEN_NAMES and (first not in AMBIGUOUS_NAMES or len(words) > 1):
        yield "given name"
    if _MIDDLE_INITIAL.search(name):
        yield "middle initial"
    if len(words) > 1:
        yield "two names"
    if words and _SURNAME_ENDING.search(words[-1].lower()) and len(words[-1]) > 5:
        yield "surname"


def _context_signals(before: str, text: str, end: int) -> Iterator[str]:
    if _AFTER_GREETING.search(before):
        yield "greeted"
    if _AFTER_INTRODUCTION.search(before):
        yield "introduced"
    if before.endswith("[") and text[end : end + 1] == "]":
        yield "linked"
    if _AFTER_PERSON_WORD.search(before):
        yield "after a person word"
    if _PERSON_ACTS.match(text, end):
        yield "acts like a person"


def _strip_leading_words(
    match: re.Match[str], lower_case_counts: Mapping[str, int], *, is_sentence_start: bool
) -> tuple[int, str]:
    """Return start and text of a name, without leading common words; empty text if none."""
    words = match[0].split(" ")
    start = match.start()
    while words and _is_common_word(words[0], lower_case_counts, is_lenient=len(words) > 1 and not is_sentence_start):
        start += len(words[0]) + 1
        words = words[1:]
    if not words or any(_is_common_word(word, lower_case_counts, is_lenient=True) for word in words[1:]):
        return start, ""
    return start, " ".join(words)


def _is_common_word(word: str, lower_case_counts: Mapping[str, int], *, is_lenient: bool) -> bool:
    """Return whether a capitalised word is a word of the texts rather than a name."""
    folded = fold(word)
    if folded in _NEVER_NAMES:
        return True
    if folded in GIVEN_NAMES and folded not in AMBIGUOUS_NAMES:
        return False
    return lower_case_counts.get(word.lower(), 0) > 0 and not (is_lenient and folded in AMBIGUOUS_NAMES)


def _is_likely(tally: _NameTally) -> bool:
    return tally.points >= MIN_POINTS


def _merge_partial_names(tallies: Mapping[str, _NameTally]) -> dict[str, _NameTally]:
    """Add the counts of partial names to the only full name that contains them."""
    full_names: dict[str, list[str]] = {}
    for name in tallies:
        parts = name.split(" ")
        for part in {parts[0], parts[-1]} if len(parts) > 1 else ():
            full_names.setdefault(part, []).append(name)
    merged = {name: tally for name, tally in tallies.items() if len(full_names.get(name, ())) != 1}
    for name, tally in tallies.items():
        if name not in merged:
            whole = merged.get(full_names[name][0])
            if whole is not None:
                whole.n += tally.n
                whole.texts |= tally.texts
                whole.signals.update(tally.signals)
                whole.places += tally.places
    return merged


def _context_snippet(text: str, start: int, end: int, spans: Iterable[tuple[int, int]]) -> str:
    """Return the name with the text around it, on one line."""
    low, high = max(0, start - _CONTEXT_CHARS), min(len(text), end + _CONTEXT_CHARS)
    pieces: list[str] = []
    position = low
    for other_start, other_end in sorted(spans):
        if other_start < position or other_end > high or other_start == start:
            continue
        pieces += (text[position:other_start], "[name?]")
        position = other_end
    pieces.append(text[position:high])
    ends = ("…" if low else "", "…" if high < len(text) else "")
    return f"{ends[0]}{' '.join(''.join(pieces).split())}{ends[1]}"
