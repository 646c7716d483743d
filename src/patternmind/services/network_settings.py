"""What stewards set for their network: its name, how much must stand behind what is published, its roster."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

from patternmind.domain.cases import Consent
from patternmind.domain.networks import (
    ROSTER_KINDS,
    Network,
    PublishingRule,
    RosterEntry,
)
from patternmind.errors import UsageError, VersionConflict
from patternmind.ingestion.redaction.phones import ALL_REGIONS, known_regions
from patternmind.ports import RosterChange, Store
from patternmind.services.network import add_people, redact_with_roster
from patternmind.services.validation import parse_enum

MIN_THRESHOLD, MAX_THRESHOLD = 2, 10
"""Contributors and teams behind what is published; fewer than two would name one."""

MAX_NETWORK_NAME_CHARS = 120
MAX_PURPOSE_CHARS = 2000
MAX_ROSTER_ENTRIES = 5000


class InvalidField(UsageError):
    """``field`` is the one to mend."""

    field: str

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


def network_version(network: Network) -> str:
    """Names the network as it is set now."""
    return hashlib.sha256(repr(sorted(asdict(network).items())).encode()).hexdigest()[:16]


def update_description(
    store: Store, *, name: str, purpose: str, consent: str, expected_version: str | None = None
) -> Network:
    """The network under this name, with this purpose, and what a row without a word on consent means.

    Raises:
        FieldInvalid, UsageError
        ChangedMeanwhile: it is not what it was at ``version``.
    """
    before = _network_at_version(store, expected_version)
    if not name.strip():
        raise InvalidField("name", "A network needs a name.")
    for field, value, most in (("name", name, MAX_NETWORK_NAME_CHARS), ("purpose", purpose, MAX_PURPOSE_CHARS)):
        if len(value) > most:
            raise InvalidField(field, f"At most {most} characters, please.")
    after = replace(
        before, name=name.strip(), purpose=purpose.strip(), default_consent=parse_enum(Consent, consent, "consent")
    )
    return _save_if_changed(store, before, after)


def update_thresholds(store: Store, *, contributors: int, teams: int, expected_version: str | None = None) -> Network:
    """The network with how many contributors and teams must stand behind what is published.

    Raises:
        FieldInvalid
        ChangedMeanwhile: it is not what it was at ``version``.
    """
    before = _network_at_version(store, expected_version)
    for field, value in (("contributors", contributors), ("teams", teams)):
        if not MIN_THRESHOLD <= value <= MAX_THRESHOLD:
            raise InvalidField(field, f"A whole number from {MIN_THRESHOLD} to {MAX_THRESHOLD}.")
    rule = PublishingRule(min_contributors=contributors, min_teams=teams)
    return _save_if_changed(store, before, replace(before, rule=rule))


def _network_at_version(store: Store, expected_version: str | None) -> Network:
    now = store.network
    if expected_version is not None and expected_version != network_version(now):
        raise VersionConflict("network", now.id)
    return now


def _save_if_changed(store: Store, before: Network, after: Network) -> Network:
    if after != before:
        store.save_network(after)
    return after


def list_roster(store: Store) -> list[RosterEntry]:
    """Everybody and everything that is on it now, by number."""
    return [one for one in store.roster() if one.name]


def add_to_roster(store: Store, people: Sequence[tuple[str, str, str, str]]) -> RosterChange:
    """Put (name, kind, e-mail and handles, team) on the roster, and take the names out of all that is stored.

    Raises:
        FieldInvalid
    """
    if len(people) > MAX_ROSTER_ENTRIES:
        raise InvalidField("people", f"At most {MAX_ROSTER_ENTRIES} at a time; take in a file with `patternmind init`.")
    return add_people(store, [_roster_entry(*one) for one in people])


def _roster_entry(name: str, kind: str, email: str, team: str) -> tuple[str, str | None, str | None]:
    told = " ".join(name.split()).removeprefix("@")
    if sum(char.isalpha() for char in told) < 2:
        raise InvalidField("name", "A name has at least two letters.")
    if kind not in ROSTER_KINDS:
        raise InvalidField("kind", f"Choose one of: {', '.join(ROSTER_KINDS)}.")
    if kind == "region" and told.upper() not in {*known_regions(), ALL_REGIONS}:
        raise InvalidField("name", 'A region is two letters (ISO 3166-1) such as NO, or "all".')
    return (told if kind == "person" else f"{kind}: {told}"), email.strip() or None, team.strip() or None


def remove_from_roster(store: Store, number: int) -> RosterChange:
    """Take a name off: from then on it is a word like any other, and stands in texts again where it stood before.

    Raises:
        NotFound
    """
    return store.remove_from_roster(number, partial(redact_with_roster, store))
