"""Members of a network and their roles. The last steward can neither leave nor lose that role."""

import re
import secrets
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace

from patternmind.domain.characters import is_name
from patternmind.domain.members import Account, Member
from patternmind.domain.networks import Network
from patternmind.domain.permissions import Role
from patternmind.errors import NotFound, RuleViolated, UsageError, VersionConflict
from patternmind.ports import Clock, MemberRepository, NetworkDirectory

MAX_MEMBER_NAME_CHARS = 120

NETWORK_ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def add_member(
    members: MemberRepository,
    clock: Clock,
    network_id: str,
    name: str,
    roles: Collection[Role],
    *,
    account_id: str | None = None,
) -> Member:
    """Add a member to a network.

    Args:
        account_id: Existing account of a member of another network. By default a new account with a new sign-in name
            is created.

    Raises:
        UsageError: Name or role is missing, another member of the network has the name, or the account is unknown.
    """
    name = " ".join(name.split())
    if account_id is not None:
        existing = members.find_account(account_id)
        if existing is None:
            raise UsageError(
                f'Unknown account "{account_id}". Omit the account to create a new one.', field="account_id"
            )
        name = existing.name
    if not is_name(name, max_chars=MAX_MEMBER_NAME_CHARS):
        raise UsageError(f"A member needs a name of at most {MAX_MEMBER_NAME_CHARS} characters.", field="name")
    required_roles = _require_roles(roles)
    account = None if account_id else Account(id=_unused_account_id(members, name), name=name, created_at=clock.now())
    member = Member(
        id=account_id or (account.id if account else ""), network_id=network_id, name=name, roles=required_roles
    )

    def add(before: Sequence[Member]) -> Sequence[Member]:
        if any(other.name.casefold() == name.casefold() or other.id == member.id for other in before):
            raise UsageError(
                f'There is a member "{name}" already. Decisions are logged by name, so choose another.', field="name"
            )
        return [*before, member]

    members.change(network_id, add, account=account)
    return member


def remove_member(members: MemberRepository, network_id: str, id_or_name: str) -> Member:
    """Remove a member from a network; their sessions and tokens there become invalid.

    Raises:
        NotFound
        RuleViolated: The member is the last steward.
    """
    member = find_member(members, network_id, id_or_name)
    members.change(
        network_id, lambda before: _require_steward(before, [other for other in before if other.id != member.id])
    )
    return member


def change_roles(
    members: MemberRepository,
    network_id: str,
    id_or_name: str,
    roles: Collection[Role],
    *,
    expected_roles: Collection[Role] | None = None,
) -> Member:
    """Replace the roles of a member, from their next request on.

    Args:
        expected_roles: The roles that were displayed; None skips the check.

    Raises:
        NotFound
        RuleViolated: The member is the last steward and would lose that role.
        VersionConflict: The roles differ from the expected ones.
    """
    required_roles, member = _require_roles(roles), find_member(members, network_id, id_or_name)
    changed = replace(member, roles=required_roles)

    def change(before: Sequence[Member]) -> Sequence[Member]:
        if expected_roles is not None and any(
            current.id == member.id and current.roles != frozenset(expected_roles) for current in before
        ):
            raise VersionConflict("member", member.name)
        return _require_steward(before, [changed if other.id == member.id else other for other in before])

    members.change(network_id, change)
    return changed


def find_member(members: MemberRepository, network_id: str, id_or_name: str) -> Member:
    """Return a member by sign-in name or by name.

    Raises:
        NotFound
    """
    all_members = members.list_all(network_id)
    matches = [member for member in all_members if member.id == id_or_name] or [
        member for member in all_members if member.name.casefold() == id_or_name.casefold()
    ]
    if not matches:
        raise NotFound("member", id_or_name)
    return matches[0]


def find_membership(members: MemberRepository, account_id: str, network_id: str | None) -> Member | None:
    """Return an account as a member of a network, by default of its first one; None if it is in no such network."""
    memberships = members.list_memberships(account_id)
    return next((member for member in memberships if network_id in {None, member.network_id}), None)


def add_network(networks: NetworkDirectory, id: str, name: str) -> Network:
    """Create another, empty network in this installation.

    Raises:
        UsageError: The id is invalid or taken.
    """
    if not NETWORK_ID_PATTERN.fullmatch(id):
        raise UsageError("A network's id is up to 40 small letters, digits and hyphens, such as sales-north.")
    network = Network(id=id, name=name or id)
    networks.add(network)
    return network


def _require_roles(roles: Collection[Role]) -> frozenset[Role]:
    if not roles:
        raise UsageError(f"Name at least one role: {', '.join(Role)}.", field="roles")
    return frozenset(roles)


def _require_steward(before: Sequence[Member], after: Sequence[Member]) -> Sequence[Member]:
    def n_stewards(members: Sequence[Member]) -> int:
        return sum(Role.STEWARD in member.roles for member in members)

    if n_stewards(before) and not n_stewards(after):
        raise RuleViolated("A network needs at least one steward. Make another member a steward first.")
    return after


def _unused_account_id(members: MemberRepository, name: str) -> str:
    """Make a sign-in name from a name, with digits appended if it is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "member"
    id = base
    while members.find_account(id) is not None:
        id = f"{base}-{secrets.randbelow(9000) + 1000}"
    return id
