"""The network and what it has agreed on: who is on its roster, and what may be published."""

from dataclasses import dataclass

from patternmind.domain.cases import Consent

ROSTER_KINDS = ("person", "customer", "site", "region")
"""What a roster lists. The kind of what is no person stands before its name: ``customer: Acme Logistics``. A region
is one whose telephone numbers are known without their country code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterEntry:
    """Somebody the network knows by name; names on the roster never leave redaction. ``number`` never changes.

    Whoever was taken off keeps a number and no name, and taking off adds one more such line: so two rosters of a
    network that have as many lines are the same.

    A customer, a site, a region is one too. ``email`` holds addresses and handles ("@anna_h") with spaces between.
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
        """What stands in texts for this name, the same in all of them."""
        return f"[{self.kind} {self.number}]"


def split_roster_kind(name: str) -> tuple[str, str]:
    """The kind and the name alone: ``customer: Acme`` is ("customer", "Acme"), anything else a person."""
    kind, colon, rest = name.partition(":")
    known = kind.strip().casefold()
    return (known, rest.strip()) if colon and known in ROSTER_KINDS else ("person", name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingRule:
    """Nothing is published that stands on fewer distinct contributors or teams than these."""

    min_contributors: int = 5
    min_teams: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    id: str
    name: str
    purpose: str = ""
    rule: PublishingRule = PublishingRule()
    default_consent: Consent = Consent.ORGANISATION
    """What a row without a word on consent means: whoever imports a file answers for it; `init` can say otherwise."""
