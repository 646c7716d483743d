"""Who is in a network and what they may do. The last steward of a network can neither leave nor stop being one."""

import re
import secrets
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace

from patternmind.domain.members import Account, Member
from patternmind.domain.networks import Network
from patternmind.domain.permissions import Role
from patternmind.errors import (
    NotFound,
    RuleViolated,
    UsageError,
    VersionConflict,
)
from patternmind.ports import Accounts, Clock

MAX_MEMBER_NAME_CHARS = 120

NETWORK_ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def add_member(
    accounts: Accounts,
    clock: Clock,
    network_id: str,
    name: str,
    roles: Collection[Role],
    *,
    account_id: str | None = None,
) -> Member:
    """A new member.

    Args:
        account_id: of somebody who signs in here already, in another network; without it the member is new to the
            installation and gets a sign-in name.

    Raises:
        UsageError: no name, no role, a name that another member of the network has, or an unknown account.
    """
    name = " ".join(name.split())
    if account_id is not None:
        known = accounts.find_account(account_id)
        if known is None:
            raise UsageError(
                f'Nobody signs in as "{account_id}". Leave it out to make a new account.', field="account_id"
            )
        name = known.name
    if not name or len(name) > MAX_MEMBER_NAME_CHARS or not name.isprintable():
        raise UsageError(f"A member needs a name of at most {MAX_MEMBER_NAME_CHARS} characters.", field="name")
    wanted = _require_roles(roles)
    account = None if account_id else Account(id=_unused_account_id(accounts, name), name=name, created_at=clock.now())
    member = Member(id=account_id or (account.id if account else ""), network_id=network_id, name=name, roles=wanted)

    def add(before: Sequence[Member]) -> Sequence[Member]:
        if any(one.name.casefold() == name.casefold() or one.id == member.id for one in before):
            raise UsageError(
                f'There is a member "{name}" already. Decisions are logged by name, so choose another.', field="name"
            )
        return [*before, member]

    accounts.change_members(network_id, add, account=account)
    return member


def remove_member(accounts: Accounts, network_id: str, id_or_name: str) -> Member:
    """Take somebody out of a network; their sessions there and their tokens open nothing any more.

    Raises:
        NotFound
        NotAllowed: the last steward.
    """
    gone = find_member(accounts, network_id, id_or_name)
    accounts.change_members(
        network_id, lambda before: _require_steward(before, [one for one in before if one.id != gone.id])
    )
    return gone


def change_roles(
    accounts: Accounts,
    network_id: str,
    id_or_name: str,
    roles: Collection[Role],
    *,
    expected_roles: Collection[Role] | None = None,
) -> Member:
    """Give a member other roles; it holds from their next request on.

    Args:
        was: the roles that were seen; without them, whatever they are.

    Raises:
        NotFound
        NotAllowed: the last steward.
        ChangedMeanwhile: the roles are not what they were when seen.
    """
    wanted, found = _require_roles(roles), find_member(accounts, network_id, id_or_name)
    changed = replace(found, roles=wanted)

    def change(before: Sequence[Member]) -> Sequence[Member]:
        if expected_roles is not None and any(
            one.id == found.id and one.roles != frozenset(expected_roles) for one in before
        ):
            raise VersionConflict("member", found.name)
        return _require_steward(before, [changed if one.id == found.id else one for one in before])

    accounts.change_members(network_id, change)
    return changed


def find_member(accounts: Accounts, network_id: str, id_or_name: str) -> Member:
    """By sign-in name or by name.

    Raises:
        NotFound
    """
    members = accounts.list_members(network_id)
    found = [one for one in members if one.id == id_or_name] or [
        one for one in members if one.name.casefold() == id_or_name.casefold()
    ]
    if not found:
        raise NotFound("member", id_or_name)
    return found[0]


def add_network(accounts: Accounts, id: str, name: str) -> Network:
    """A further network in this installation, with nothing and nobody in it.

    Raises:
        UsageError: no usable id, or one that is taken.
    """
    if not NETWORK_ID_PATTERN.fullmatch(id):
        raise UsageError("A network's id is up to 40 small letters, digits and hyphens, such as sales-north.")
    network = Network(id=id, name=name or id)
    accounts.add_network(network)
    return network


def _require_roles(roles: Collection[Role]) -> frozenset[Role]:
    if not roles:
        raise UsageError(f"Name at least one role: {', '.join(Role)}.", field="roles")
    return frozenset(roles)


def _require_steward(before: Sequence[Member], after: Sequence[Member]) -> Sequence[Member]:
    def n_stewards(members: Sequence[Member]) -> int:
        return sum(Role.STEWARD in one.roles for one in members)

    if n_stewards(before) and not n_stewards(after):
        raise RuleViolated("A network keeps at least one steward. Make somebody else a steward first.")
    return after


def _unused_account_id(accounts: Accounts, name: str) -> str:
    """A sign-in name made of a name, with digits behind it where somebody has it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "member"
    id = base
    while accounts.find_account(id) is not None:
        id = f"{base}-{secrets.randbelow(9000) + 1000}"
    return id
