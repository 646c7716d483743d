"""The network and what it has agreed on: who is on its roster, and what may be published."""

from dataclasses import dataclass

from patternmind.model.cases import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody the network knows by name; names on the roster never leave redaction. ``number`` never changes."""

    number: int
    name: str
    email: str | None = None
    team: str | None = None


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
