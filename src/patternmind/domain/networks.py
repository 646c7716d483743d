"""A network with its roster, publishing rule and default consent."""

from dataclasses import dataclass

from patternmind.domain.cases import Consent

ROSTER_KINDS = ("person", "customer", "site", "region")
"""Kinds of roster entries.

The name of any entry but a person starts with its kind: ``customer: Acme Logistics``. A region enables the detection
of its telephone numbers without their country code.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterEntry:
    """A person, customer, site or region known by name; names on the roster are always redacted.

    A removed entry keeps its number without a name, and each removal adds one more empty entry. Two rosters of a
    network with the same number of entries are therefore the same.

    Attributes:
        number: permanent number of the entry.
        email: addresses and handles ("@anna_h"), separated by spaces.
    """

    number: int
    name: str
    email: str | None = None
    team: str | None = None

    @property
    def kind(self) -> str:
        return split_roster_kind(self.name)[0]

    @property
    def placeholder(self) -> str:
        """Replacement for this name, the same in all texts."""
        return f"[{self.kind} {self.number}]"


def split_roster_kind(name: str) -> tuple[str, str]:
    """Split ``customer: Acme`` into ("customer", "Acme"); any other name belongs to a person."""
    prefix, colon, bare_name = name.partition(":")
    kind = prefix.strip().casefold()
    return (kind, bare_name.strip()) if colon and kind in ROSTER_KINDS else ("person", name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingRule:
    """Minimum numbers of distinct contributors and teams behind anything that is published."""

    min_contributors: int = 5
    min_teams: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    id: str
    name: str
    purpose: str = ""
    rule: PublishingRule = PublishingRule()
    default_consent: Consent = Consent.ORGANISATION
    """Consent of rows that state none; the person who imports a file is responsible for it. `init` can change it."""
