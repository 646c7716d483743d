"""Personal data taken out of a text, a placeholder put in its place."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from patternmind.domain.networks import RosterEntry, split_roster_kind
from patternmind.ingestion.redaction.emails import find_emails, find_obfuscated_emails
from patternmind.ingestion.redaction.identifiers import (
    Finder,
    Span,
    find_cards,
    find_ibans,
    find_ips,
    find_links,
    find_macs,
)
from patternmind.ingestion.redaction.names import NameForms, fold
from patternmind.ingestion.redaction.national_ids import find_national_ids
from patternmind.ingestion.redaction.phones import (
    ALL_REGIONS,
    REGIONS,
    find_phones,
    known_regions,
)
from patternmind.ingestion.redaction.secrets import find_secrets

PLACEHOLDER = re.compile(r"\[(?:email|link|iban|card|ip|mac|id|key|phone|(?:person|customer|site)(?: \d+)?)\]")
_MASK = "\ue000"
"""Stands for what is redacted already while the next pattern looks: a character that no pattern takes."""

_FORMAT_FINDERS: tuple[Finder, ...] = (
    find_secrets,
    find_emails,
    find_obfuscated_emails,
    find_ibans,
    find_cards,
    find_national_ids,
    find_macs,
    find_ips,
)
"""In this order, links before and telephones behind: a link may hold an e-mail, a key an account's digits, a card a
telephone's. All go before names: e-mails hold them."""

_ANONYMOUS_SUBMITTERS = frozenset(
    ["anonymous", "anonym", "unknown", "ukjent", "unbekannt", "none", "nobody", "na", "n/a", "-", "?"]
)
_HAS_DIGIT = re.compile(r"\d")
_ID_KEYS = ("id", "external_id", "exemplars", "edge_case", "case_id", "case_ids", "inputs")
_UNREDACTED_KEYS = frozenset(
    (*_ID_KEYS, "quotes", "provenance", "reviewers", "kind", "state", "lens", "lineage", "trend")
)
"""Of a row or an answer: ids, words of our own lists, quotes that are slices of redacted texts, and the reviewers, who
stand by what they accepted with their names."""

KeepPredicate = Callable[[str, Any], bool]
"""Whether the value under a key ("" for none) is left as it is, whole."""
_NAME_LIST_SEPARATOR = re.compile(r"\s*(?:[,;/&+\n]|\b(?:and|og|och|und|en)\b)\s*")
_NON_NAMES = frozenset(["yes", "no", "internal", "external", "various", "several", "all", "other", "test", "x", "tbd"])
_NAMING_COLUMNS = {
    "person": re.compile(
        r"(?:submitted|reported|written|raised|created|assigned|approved|owned)[ _-]?(?:by|to)|reporter|author"
        r"|owner|assignee"
        r"|contact(?:[ _-]?(?:name|person))?|requester|requestor|agent|employee|manager|facilitator"
        r"|participants?|attendees?"
        r"|(?:first|last|full|sur|family|given|user|contact|employee)[ _-]?name|handle|who",
        re.IGNORECASE,
    ),
    "customer": re.compile(r"(?:customer|client)s?(?:[ _-]?name)?", re.IGNORECASE),
    "site": re.compile(r"(?:site|plant|factory|branch|depot)(?:[ _-]?name)?", re.IGNORECASE),
}
"""What the unknown columns are called whose values are names; ``customer_name`` may be a person's or a company's."""
_MAX_NAME_CHARS = 60
_EMAIL_ADDRESS = re.compile(r"[^\s<>,;()]+@[^\s<>,;()]+")


@dataclass(frozen=True, slots=True)
class RedactedText:
    """A text and how often what was taken out of it: ``{"email": 1, "person": 2}``."""

    text: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Roster:
    """The names a network knows, ready to be found in texts, and the regions whose telephone numbers it knows."""

    names: NameForms
    people: Mapping[str, RosterEntry]
    """By placeholder; customers and sites are not among them."""
    placeholder_by_literal: Mapping[str, str]
    """Placeholders by what is written, lower case: e-mails, handles, names with digits in them."""
    address_pattern: re.Pattern[str] | None
    handle_pattern: re.Pattern[str] | None
    regions: tuple[str, ...]

    @classmethod
    def of(cls, people: Iterable[RosterEntry]) -> "Roster":
        """Of everybody and everything on it; where it names no region, the common ones are known.

        A thousand names take half a second to make ready, so the last few rosters are kept.
        """
        return _cached_roster(tuple(one for one in people if one.name))  # without those taken off it

    @classmethod
    def build(cls, people: Sequence[RosterEntry]) -> "Roster":
        """The same, made anew."""
        known = [one for one in people if one.kind != "region"]
        regions = tuple(split_roster_kind(one.name)[1].upper() for one in people if one.kind == "region")
        named = [(split_roster_kind(person.name)[1], person.placeholder) for person in known]
        literals = {name.lower(): placeholder for name, placeholder in named if _HAS_DIGIT.search(name)}
        for person in known:
            literals |= {word.strip().lower(): person.placeholder for word in (person.email or "").split()}
        written = {word.lstrip("@"): placeholder for word, placeholder in literals.items() if word.lstrip("@")}
        return cls(
            names=NameForms.of((name, placeholder) for name, placeholder in named if not _HAS_DIGIT.search(name)),
            people={person.placeholder: person for person in known if person.kind == "person"},
            placeholder_by_literal=written,
            address_pattern=_literal_pattern(word for word in written if "@" in word),
            handle_pattern=_literal_pattern(word for word in written if "@" not in word),
            regions=tuple(sorted(known_regions())) if ALL_REGIONS in regions else regions or REGIONS,
        )

    def find_person(self, submitter: str) -> RosterEntry | None:
        """Who this is, by e-mail, by handle, or by any form of the name that only one person has."""
        for word in submitter.split():
            if person := self.people.get(self.placeholder_by_literal.get(word.strip("<>(),;").lstrip("@").lower(), "")):
                return person
        return self.people.get(self.names.placeholder_of(_EMAIL_ADDRESS.sub("", submitter)) or "")

    def find_literals(self, text: str) -> Iterator[Span]:
        """E-mails of the roster, which need not look like one ("ola@intranet"), and handles with or without @."""
        if self.address_pattern and "@" in text:
            for found in self.address_pattern.finditer(text):
                yield (*found.span(), "[email]")
        if self.handle_pattern:
            for found in self.handle_pattern.finditer(text):
                yield (*found.span(), self.placeholder_by_literal.get(found[0].lower().removeprefix("@"), "[person]"))

    def find_regional_phones(self, text: str) -> Iterator[Span]:
        return find_phones(text, self.regions)


@lru_cache(maxsize=4)
def _cached_roster(people: tuple[RosterEntry, ...]) -> Roster:
    return Roster.build(people)


def _literal_pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Any of these words, in any case, a handle's @ with it."""
    spelled = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"@?(?<![\w.])(?:{spelled})(?!\w)", re.IGNORECASE) if spelled else None


def redact(text: str, roster: Roster, own_names: Sequence[str] = ()) -> RedactedText:
    """The text (NFC) without what identifies a person, a customer or a site. Doing it again changes nothing.

    ``own_names`` are the submission's: who is not on the roster becomes ``[person]``, "customer: Acme" ``[customer]``.
    """
    own = _submission_name_forms(tuple(own_names))
    return _redact_until_stable(text, (*_format_finders(roster), roster.names.find, own.find))


def redact_identifiers(text: str, roster: Roster) -> RedactedText:
    """The text without addresses, links, accounts, numbers; names stay."""
    return _redact_until_stable(text, _format_finders(roster))


def is_trusted_key(key: str, _: Any) -> bool:
    """Of a row of ours: ids, words of our own lists, quotes, reviewers."""
    return key in _UNREDACTED_KEYS or key.endswith("_id")


def redact_values(value: Any, roster: Roster, *, keep: KeepPredicate = is_trusted_key) -> Any:
    """What a model answered or a person wrote, redacted in every string of it: the last look before it leaves.

    Args:
        value: a string, number or None, or lists and dicts of them, as JSON has them; keys are left.
        stays: what is left as it is, whole.
    """
    if isinstance(value, str):
        return value if keep("", value) else redact(value, roster).text
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value).items()
        return {key: one if keep(key, one) else redact_values(one, roster, keep=keep) for key, one in members}
    if isinstance(value, list | tuple):
        return [redact_values(one, roster, keep=keep) for one in cast("Sequence[Any]", value)]
    return value


def _format_finders(roster: Roster) -> tuple[Finder, ...]:
    return (find_links, roster.find_literals, *_FORMAT_FINDERS, roster.find_regional_phones)


def names_in_submitter(submitter: str) -> tuple[str, ...]:
    """The names in a submitter field, several people apart; an e-mail such as ``anna.hansen@...`` is a name too."""
    names = [submitter_name(submitter), *_NAME_LIST_SEPARATOR.split(submitter_name(submitter))]
    for address in _EMAIL_ADDRESS.findall(submitter):
        parts = re.findall(r"[^\W\d_]{2,}", address.partition("@")[0])
        names += [" ".join(parts)] if len(parts) > 1 else []
    return tuple(dict.fromkeys(name for name in names if name and fold(name) not in _ANONYMOUS_SUBMITTERS))


def submitter_name(submitter: str) -> str:
    """The name without an e-mail beside it; empty where the field says that nobody is named."""
    name = " ".join(_EMAIL_ADDRESS.sub(" ", submitter).split()).strip(" <>()\"'")
    return "" if fold(name) in _ANONYMOUS_SUBMITTERS else name


def names_in_columns(columns: Mapping[str, str]) -> tuple[str, ...]:
    """The names in the columns of a submission that say who or what it is about, a kind before those of no person."""
    return tuple(name for column, value in columns.items() for name in _names_in_column(column, value))


def _names_in_column(column: str, value: str) -> Iterator[str]:
    kind = next((kind for kind, words in _NAMING_COLUMNS.items() if words.fullmatch(column.strip())), None)
    if kind == "person":
        yield from names_in_submitter(value)
    elif (
        kind
        and len(value) <= _MAX_NAME_CHARS
        and fold(value) not in _ANONYMOUS_SUBMITTERS | _NON_NAMES
        and not value.isdecimal()
    ):
        yield f"{kind}: {value}"


@lru_cache(maxsize=512)
def _submission_name_forms(names: tuple[str, ...]) -> NameForms:
    split = (split_roster_kind(name) for name in names)
    return NameForms.of((name, f"[{kind}]") for kind, name in split if not _HAS_DIGIT.search(name))


def _redact_until_stable(text: str, finders: Sequence[Finder]) -> RedactedText:
    """Pass over the text until nothing is found: a name taken out may leave a number free to be seen.

    It ends, for every pass that finds something leaves fewer characters to look at.
    """
    counts: Counter[str] = Counter()
    redacted, before = unicodedata.normalize("NFC", text), None
    while redacted != before:
        before = redacted
        masked = _mask_placeholders(redacted)
        for find in finders:
            replaced = _replace_spans(redacted, find(masked), counts)
            if replaced is not redacted:
                redacted, masked = replaced, _mask_placeholders(replaced)
    return RedactedText(redacted, dict(counts))


def _mask_placeholders(text: str) -> str:
    return PLACEHOLDER.sub(lambda found: _MASK * len(found[0]), text) if "[" in text else text


def _replace_spans(text: str, spans: Iterable[Span], counts: Counter[str]) -> str:
    kept: list[str] = []
    position = 0
    for start, end, placeholder in sorted(spans):
        if start < position:
            continue
        kept += (text[position:start], placeholder)
        position = end
        counts[placeholder.strip("[]").split(" ")[0]] += 1
    return "".join((*kept, text[position:])) if kept else text
