"""A network's roster, prepared for finding its names in texts."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from patternmind.domain.networks import RosterEntry, split_roster_kind
from patternmind.ingestion.redaction.names import NameForms
from patternmind.ingestion.redaction.phones import ALL_REGIONS, REGIONS, find_phones, known_regions
from patternmind.ingestion.redaction.spans import Span

HAS_DIGIT = re.compile(r"\d")
EMAIL_ADDRESS = re.compile(r"[^\s<>,;()]+@[^\s<>,;()]+")
"""An e-mail address in a field for names; looser than in texts."""


@dataclass(frozen=True, slots=True)
class Roster:
    """A network's names, ready to be found in texts, and its telephone regions."""

    names: NameForms
    people: Mapping[str, RosterEntry]
    """People by placeholder, without customers and sites."""
    placeholder_by_literal: Mapping[str, str]
    """Placeholders by lower-case literal: e-mail addresses, handles, names with digits."""
    address_pattern: re.Pattern[str] | None
    handle_pattern: re.Pattern[str] | None
    regions: tuple[str, ...]

    @classmethod
    def of(cls, people: Iterable[RosterEntry]) -> "Roster":
        """Return the roster of these entries; without region entries, the common regions apply.

        Preparing a thousand names takes half a second, so the last few rosters are cached.
        """
        return _cached_roster(tuple(entry for entry in people if entry.name))  # removed entries have no name

    @classmethod
    def build(cls, people: Sequence[RosterEntry]) -> "Roster":
        """Build the roster without the cache."""
        entries = [entry for entry in people if entry.kind != "region"]
        regions = tuple(split_roster_kind(entry.name)[1].upper() for entry in people if entry.kind == "region")
        named = [(split_roster_kind(entry.name)[1], entry.placeholder) for entry in entries]
        literals = {name.lower(): placeholder for name, placeholder in named if HAS_DIGIT.search(name)}
        for entry in entries:
            literals |= {word.strip().lower(): entry.placeholder for word in (entry.email or "").split()}
        bare_literals = {word.lstrip("@"): placeholder for word, placeholder in literals.items() if word.lstrip("@")}
        return cls(
            names=NameForms.of((name, placeholder) for name, placeholder in named if not HAS_DIGIT.search(name)),
            people={entry.placeholder: entry for entry in entries if entry.kind == "person"},
            placeholder_by_literal=bare_literals,
            address_pattern=_literal_pattern(word for word in bare_literals if "@" in word),
            handle_pattern=_literal_pattern(word for word in bare_literals if "@" not in word),
            regions=tuple(sorted(known_regions())) if ALL_REGIONS in regions else regions or REGIONS,
        )

    def find_person(self, submitter: str) -> RosterEntry | None:
        """Return the person with this e-mail, handle or unique form of a name."""
        for word in submitter.split():
            if person := self.people.get(self.placeholder_by_literal.get(word.strip("<>(),;").lstrip("@").lower(), "")):
                return person
        return self.people.get(self.names.placeholder_of(EMAIL_ADDRESS.sub("", submitter)) or "")

    def find_literals(self, text: str) -> Iterator[Span]:
        """Find the roster's e-mail addresses and its handles, with or without @.

        A roster address need not look like an e-mail address ("ola@intranet").
        """
        if self.address_pattern and "@" in text:
            for match in self.address_pattern.finditer(text):
                yield (*match.span(), "[email]")
        if self.handle_pattern:
            for match in self.handle_pattern.finditer(text):
                yield (*match.span(), self.placeholder_by_literal.get(match[0].lower().removeprefix("@"), "[person]"))

    def find_regional_phones(self, text: str) -> Iterator[Span]:
        return find_phones(text, self.regions)


@lru_cache(maxsize=4)
def _cached_roster(people: tuple[RosterEntry, ...]) -> Roster:
    return Roster.build(people)


def _literal_pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern of these words in any case, with an optional leading @."""
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"@?(?<![\w.])(?:{alternatives})(?!\w)", re.IGNORECASE) if alternatives else None
