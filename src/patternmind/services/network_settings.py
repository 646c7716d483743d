"""Settings that stewards change on the pages: description, publishing limits, roster."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

from patternmind.domain.cases import Consent
from patternmind.domain.networks import ROSTER_KINDS, Network, PublishingRule, RosterEntry
from patternmind.errors import InvalidField, VersionConflict
from patternmind.ingestion.redaction.phones import ALL_REGIONS, known_regions
from patternmind.ports import RosterChange, Store
from patternmind.services.roster import add_people, redact_with_roster
from patternmind.services.validation import parse_enum

MIN_THRESHOLD = 2
"""Smallest publishing limit for contributors and teams: a limit of one would identify a person."""

MAX_THRESHOLD = 10
"""Largest publishing limit for contributors and teams."""

MAX_NETWORK_NAME_CHARS = 120
MAX_PURPOSE_CHARS = 2000
MAX_ROSTER_ENTRIES = 5000


def network_version(network: Network) -> str:
    """Return a version tag of the network's settings."""
    return hashlib.sha256(repr(sorted(asdict(network).items())).encode()).hexdigest()[:16]


def update_network(
    store: Store,
    *,
    name: str = "",
    purpose: str = "",
    min_contributors: int | None = None,
    min_teams: int | None = None,
    default_consent: str | None = None,
) -> Network:
    """Change the settings that are given, keep all others, and return the network."""
    before = store.network.get()
    rule = PublishingRule(
        min_contributors=min_contributors or before.rule.min_contributors, min_teams=min_teams or before.rule.min_teams
    )
    consent = parse_enum(Consent, default_consent, "consent") if default_consent else before.default_consent
    after = replace(
        before, name=name or before.name, purpose=purpose or before.purpose, rule=rule, default_consent=consent
    )
    return _save_if_changed(store, before, after)


def update_description(
    store: Store, *, name: str, purpose: str, consent: str, expected_version: str | None = None
) -> Network:
    """Set name, purpose and default consent of the network.

    Raises:
        InvalidField, UsageError
        VersionConflict: The settings changed since ``expected_version``.
    """
    before = _network_at_version(store, expected_version)
    if not name.strip():
        raise InvalidField("name", "A network needs a name.")
    for field, value, max_chars in (("name", name, MAX_NETWORK_NAME_CHARS), ("purpose", purpose, MAX_PURPOSE_CHARS)):
        if len(value) > max_chars:
            raise InvalidField(field, f"Use at most {max_chars} characters.")
    after = replace(
        before, name=name.strip(), purpose=purpose.strip(), default_consent=parse_enum(Consent, consent, "consent")
    )
    return _save_if_changed(store, before, after)


def update_thresholds(store: Store, *, contributors: int, teams: int, expected_version: str | None = None) -> Network:
    """Set the contributors and teams that a pattern needs to be published.

    Raises:
        InvalidField
        VersionConflict: The settings changed since ``expected_version``.
    """
    before = _network_at_version(store, expected_version)
    for field, value in (("contributors", contributors), ("teams", teams)):
        if not MIN_THRESHOLD <= value <= MAX_THRESHOLD:
            raise InvalidField(field, f"Enter a whole number from {MIN_THRESHOLD} to {MAX_THRESHOLD}.")
    rule = PublishingRule(min_contributors=contributors, min_teams=teams)
    return _save_if_changed(store, before, replace(before, rule=rule))


def _network_at_version(store: Store, expected_version: str | None) -> Network:
    network = store.network.get()
    if expected_version is not None and expected_version != network_version(network):
        raise VersionConflict("network", network.id)
    return network


def _save_if_changed(store: Store, before: Network, after: Network) -> Network:
    if after != before:
        store.network.save(after)
    return after


def list_roster(store: Store) -> list[RosterEntry]:
    """List the current entries of the roster by number; removed entries are blank and left out."""
    return [entry for entry in store.network.roster() if entry.name]


def add_to_roster(store: Store, people: Sequence[tuple[str, str, str, str]]) -> RosterChange:
    """Add (name, kind, e-mail and handles, team) entries, and redact all stored texts again.

    Raises:
        InvalidField
    """
    if len(people) > MAX_ROSTER_ENTRIES:
        raise InvalidField("people", f"Add at most {MAX_ROSTER_ENTRIES} entries at a time.")
    return add_people(store, [_roster_entry(*entry) for entry in people])


def _roster_entry(name: str, kind: str, email: str, team: str) -> tuple[str, str | None, str | None]:
    name = " ".join(name.split()).removeprefix("@")
    if sum(char.isalpha() for char in name) < 2:
        raise InvalidField("name", "A name has at least two letters.")
    if kind not in ROSTER_KINDS:
        raise InvalidField("kind", f"Choose one of: {', '.join(ROSTER_KINDS)}.")
    if kind == "region" and name.upper() not in {*known_regions(), ALL_REGIONS}:
        raise InvalidField("name", 'A region is two letters (ISO 3166-1) such as NO, or "all".')
    return (name if kind == "person" else f"{kind}: {name}"), email.strip() or None, team.strip() or None


def remove_from_roster(store: Store, number: int) -> RosterChange:
    """Remove a name from the roster; it appears again in the texts that contain it.

    Raises:
        NotFound
    """
    return store.remove_from_roster(number, partial(redact_with_roster, store))
