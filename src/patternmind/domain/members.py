"""Accounts, members, sessions, sign-in links, API tokens and audit entries.

Only the SHA-256 of each secret is stored. This is sufficient because the secrets are random and long. Passwords are
not random; ``storage.passwords`` hashes them.
"""

from dataclasses import dataclass
from datetime import datetime

from patternmind.domain.permissions import Action, Role
from patternmind.errors import UsageError

LOCAL_USER = "the person at this machine"
"""Stored name of the local user, before any member or token exists."""

DEFAULT_TOKEN_ROLES = frozenset({Role.STEWARD})
"""Roles of tokens made before tokens had scopes, or on the command line without roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who can sign in to one or several networks.

    ``id`` is the sign-in name and never changes.
    """

    id: str
    name: str
    created_at: datetime
    password_hash: str | None = None


def require_actor(name: str) -> str:
    """Return the name to log an action under, with single spaces.

    Raises:
        UsageError: The name is empty; ``field`` is "by".
    """
    actor = " ".join(name.split())
    if not actor:
        raise UsageError("Enter your name: every action is logged under a name.", field="by")
    return actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An account's membership in a network; decisions are logged under ``name``."""

    id: str
    network_id: str
    name: str
    roles: frozenset[Role]
    has_password: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser.

    Attributes:
        network_id: the network it shows now.
        is_network_bound: True if it was started by a link that a steward of this network made. It cannot switch to
            another network, because a steward grants access to their own network only.
    """

    sha256: str
    account_id: str
    network_id: str
    created_at: datetime
    seen_at: datetime
    is_network_bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink:
    """A link that signs a member in once.

    Without ``account_id``, the person who opens it becomes the first steward.
    """

    sha256: str
    account_id: str | None
    network_id: str
    created_at: datetime
    expires_at: datetime
    is_network_bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A stored bearer token for one network.

    Attributes:
        account_id: member who created it, and under whose name it decides. None if the command line created it; it
            then decides under its own name.
        roles: roles given at creation; it never has more rights than its creator has now.
        actions: actions it is limited to; None for all actions of its roles.
    """

    id: str
    name: str
    sha256: str
    created_at: datetime
    expires_at: datetime | None = None
    account_id: str | None = None
    roles: frozenset[Role] = DEFAULT_TOKEN_ROLES
    actions: frozenset[Action] | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """An entry of the audit log: ids and our own words, without any text of a case.

    Attributes:
        number: consecutive number in the network, without gaps.
        who: name of the person or token.
        action: permission that was required; None for signing in and out, which require no permission.
        did: operation, such as ``decide`` or ``member.add``.
        kind, id: kind and id of the object of the operation.
    """

    number: int = 0
    at: datetime
    who: str
    action: Action | None
    did: str
    kind: str = ""
    id: str = ""
