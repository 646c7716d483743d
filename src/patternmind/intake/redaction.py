"""Personal data taken out of a text, a placeholder put in its place."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from patternmind.intake.names import NameForms, fold
from patternmind.intake.patterns import Finder, Span, find_cards, find_emails, find_ibans, find_ips, find_links
from patternmind.intake.phones import find_phones
from patternmind.model.network import Person

PLACEHOLDER = re.compile(r"\[(?:email|link|iban|card|ip|phone|person(?: \d+)?)\]")
_MASK = "\ue000"
"""Stands for what is redacted already while the next pattern looks: a character that no pattern takes."""

_BY_FORM: tuple[Finder, ...] = (find_emails, find_links, find_ibans, find_cards, find_ips, find_phones)
"""In this order: a link may hold an account's digits, a card a telephone's. All go before names: e-mails hold them."""

_NOBODY = frozenset(["anonymous", "anonym", "unknown", "ukjent", "unbekannt", "none", "nobody", "na", "n/a", "-", "?"])
_SEVERAL = re.compile(r"\s*(?:[,;/&+\n]|\b(?:and|og|och|und|en)\b)\s*")
_ADDRESS = re.compile(r"[^\s<>,;()]+@[^\s<>,;()]+")


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text and how often what was taken out of it: ``{"email": 1, "person": 2}``."""

    text: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Roster:
    """The people a network knows, ready to be found in texts."""

    names: NameForms
    people: Mapping[str, Person]
    """By placeholder."""
    addresses: Mapping[str, Person]
    """By e-mail, lower case."""
    address_pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, people: Iterable[Person]) -> "Roster":
        known = {f"[person {person.number}]": person for person in people}
        addresses = {person.email.strip().lower(): person for person in known.values() if person.email}
        spelled = "|".join(re.escape(address) for address in sorted(addresses, key=len, reverse=True) if address)
        return cls(
            names=NameForms.of((person.name, placeholder) for placeholder, person in known.items()),
            people=known,
            addresses=addresses,
            address_pattern=re.compile(rf"(?<![\w.])(?:{spelled})(?!\w)", re.IGNORECASE) if spelled else None,
        )

    def person(self, submitter: str) -> Person | None:
        """Who this is, by e-mail or by any form of the name that only one person has."""
        if (address := _ADDRESS.search(submitter)) and (person := self.addresses.get(address[0].lower())):
            return person
        return self.people.get(self.names.holder(_ADDRESS.sub("", submitter)) or "")

    def find_addresses(self, text: str) -> Iterator[Span]:
        """The roster's e-mails as they stand there, which need not have the form of one ("ola@intranet")."""
        if self.address_pattern is None or "@" not in text:
            return iter(())
        return ((*found.span(), "[email]") for found in self.address_pattern.finditer(text))


def redact(text: str, roster: Roster, own_names: Sequence[str] = ()) -> Redacted:
    """The text (NFC) without what identifies a person. Doing it again changes nothing.

    ``own_names`` are the submitter's: a person not on the roster becomes ``[person]``.
    """
    own = _own_forms(tuple(own_names))
    return _redact(text, (roster.find_addresses, *_BY_FORM, roster.names.find, own.find))


def redact_forms(text: str, roster: Roster) -> Redacted:
    """The text without addresses, links, accounts, numbers; names stay."""
    return _redact(text, (roster.find_addresses, *_BY_FORM))


def own_names(submitter: str) -> tuple[str, ...]:
    """The names in a submitter field, several people apart; an e-mail such as ``anna.hansen@...`` is a name too."""
    names = [submitter_name(submitter), *_SEVERAL.split(submitter_name(submitter))]
    for address in _ADDRESS.findall(submitter):
        parts = re.findall(r"[^\W\d_]{2,}", address.partition("@")[0])
        names += [" ".join(parts)] if len(parts) > 1 else []
    return tuple(dict.fromkeys(name for name in names if name and fold(name) not in _NOBODY))


def submitter_name(submitter: str) -> str:
    """The name without an e-mail beside it; empty where the field says that nobody is named."""
    name = " ".join(_ADDRESS.sub(" ", submitter).split()).strip(" <>()\"'")
    return "" if fold(name) in _NOBODY else name


@lru_cache(maxsize=512)
def _own_forms(names: tuple[str, ...]) -> NameForms:
    return NameForms.of((name, "[person]") for name in names)


def _redact(text: str, finders: Sequence[Finder]) -> Redacted:
    """Pass over the text until nothing is found: a name taken out may leave a number free to be seen.

    It ends, for every pass that finds something leaves fewer characters to look at.
    """
    counts: Counter[str] = Counter()
    redacted, before = unicodedata.normalize("NFC", text), None
    while redacted != before:
        before = redacted
        for find in finders:
            redacted = _replace(redacted, find(_mask(redacted)), counts)
    return Redacted(redacted, dict(counts))


def _mask(text: str) -> str:
    return PLACEHOLDER.sub(lambda found: _MASK * len(found[0]), text) if "[" in text else text


def _replace(text: str, spans: Iterable[Span], counts: Counter[str]) -> str:
    kept: list[str] = []
    position = 0
    for start, end, placeholder in sorted(spans):
        if start < position:
            continue
        kept += (text[position:start], placeholder)
        position = end
        counts[placeholder.strip("[]").split(" ")[0]] += 1
    return "".join((*kept, text[position:])) if kept else text
