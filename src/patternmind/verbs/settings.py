"""What stewards set for their network: its name, how much must stand behind what is published, its roster."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

from patternmind.errors import ChangedMeanwhile, UsageError
from patternmind.intake.phones import ALL_REGIONS, known_regions
from patternmind.model.cases import Consent
from patternmind.model.network import KINDS, Network, Person, PublishingRule
from patternmind.ports import RosterChange, Store
from patternmind.verbs.checks import one_of
from patternmind.verbs.network import add_people, redact_by

FEWEST, MOST = 2, 10
"""Contributors and teams behind what is published; fewer than two would name one."""

LONGEST_NAME = 120
LONGEST_PURPOSE = 2000
MOST_AT_ONCE = 5000


class FieldInvalid(UsageError):
    """``field`` is the one to mend."""

    field: str

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


def network_version(network: Network) -> str:
    """Names the network as it is set now."""
    return hashlib.sha256(repr(sorted(asdict(network).items())).encode()).hexdigest()[:16]


def describe_network(store: Store, *, name: str, purpose: str, consent: str, version: str | None = None) -> Network:
    """The network under this name, with this purpose, and what a row without a word on consent means.

    Raises:
        FieldInvalid, UsageError
        ChangedMeanwhile: it is not what it was at ``version``.
    """
    before = _seen(store, version)
    if not name.strip():
        raise FieldInvalid("name", "A network needs a name.")
    for field, value, most in (("name", name, LONGEST_NAME), ("purpose", purpose, LONGEST_PURPOSE)):
        if len(value) > most:
            raise FieldInvalid(field, f"At most {most} characters, please.")
    after = replace(
        before, name=name.strip(), purpose=purpose.strip(), default_consent=one_of(Consent, consent, "consent")
    )
    return _saved(store, before, after)


def set_thresholds(store: Store, *, contributors: int, teams: int, version: str | None = None) -> Network:
    """The network with how many contributors and teams must stand behind what is published.

    Raises:
        FieldInvalid
        ChangedMeanwhile: it is not what it was at ``version``.
    """
    before = _seen(store, version)
    for field, value in (("contributors", contributors), ("teams", teams)):
        if not FEWEST <= value <= MOST:
            raise FieldInvalid(field, f"A whole number from {FEWEST} to {MOST}.")
    rule = PublishingRule(min_contributors=contributors, min_teams=teams)
    return _saved(store, before, replace(before, rule=rule))


def _seen(store: Store, version: str | None) -> Network:
    now = store.network
    if version is not None and version != network_version(now):
        raise ChangedMeanwhile("network", now.id)
    return now


def _saved(store: Store, before: Network, after: Network) -> Network:
    if after != before:
        store.save_network(after)
    return after


def on_roster(store: Store) -> list[Person]:
    """Everybody and everything that is on it now, by number."""
    return [one for one in store.roster() if one.name]


def put_on_roster(store: Store, people: Sequence[tuple[str, str, str, str]]) -> RosterChange:
    """Put (name, kind, e-mail and handles, team) on the roster, and take the names out of all that is stored.

    Raises:
        FieldInvalid
    """
    if len(people) > MOST_AT_ONCE:
        raise FieldInvalid("people", f"At most {MOST_AT_ONCE} at a time; take in a file with `patternmind init`.")
    return add_people(store, [_line(*one) for one in people])


def _line(name: str, kind: str, email: str, team: str) -> tuple[str, str | None, str | None]:
    told = " ".join(name.split()).removeprefix("@")
    if sum(char.isalpha() for char in told) < 2:
        raise FieldInvalid("name", "A name has at least two letters.")
    if kind not in KINDS:
        raise FieldInvalid("kind", f"Choose one of: {', '.join(KINDS)}.")
    if kind == "region" and told.upper() not in {*known_regions(), ALL_REGIONS}:
        raise FieldInvalid("name", 'A region is two letters (ISO 3166-1) such as NO, or "all".')
    return (told if kind == "person" else f"{kind}: {told}"), email.strip() or None, team.strip() or None


def take_off_roster(store: Store, number: int) -> RosterChange:
    """Take a name off: from then on it is a word like any other, and stands in texts again where it stood before.

    Raises:
        NotFound
    """
    return store.take_off_roster(number, partial(redact_by, store))
