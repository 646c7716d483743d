"""The people who sign in, and what is kept of it: accounts, sessions, one-time links, tokens, the audit log.

Of every secret only its SHA-256 is kept; the secrets are random and long, so that no more is needed. Passwords are not
random, and are hashed by ``adapters.passwords``.
"""

from dataclasses import dataclass
from datetime import datetime

from patternmind.domain.permissions import Action, Role

LOCAL_USER = "the person at this machine"
"""Stored name of the local user in audit entries and jobs, before any member or token exists."""

DEFAULT_TOKEN_ROLES = frozenset({Role.STEWARD})
"""What a token may that was made before tokens had scopes, or at the command line without naming any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in, in one network or several. ``id`` is what they sign in with, and never changes."""

    id: str
    name: str
    created_at: datetime
    password_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An account in a network. Decisions are logged under ``name``."""

    id: str
    network_id: str
    name: str
    roles: frozenset[Role]
    has_password: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that has signed in.

    Attributes:
        network_id: the one it shows now.
        confined: it came of a link that a steward of this network made, and may not turn to another network: a steward
            decides who is let into their own network, and into no other.
    """

    sha256: str
    account_id: str
    network_id: str
    created_at: datetime
    seen_at: datetime
    is_network_bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLink:
    """A link that signs in once. Without ``account_id`` whoever opens it becomes the first steward."""

    sha256: str
    account_id: str | None
    network_id: str
    created_at: datetime
    expires_at: datetime
    is_network_bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A bearer token as it is kept, for one network.

    Attributes:
        account_id: the member who made it, under whose name it decides; None where the command line made it, and it
            decides under its own.
        roles: those it was made with; it never may more than its maker may now.
        actions: the only actions it may do of those; None for all.
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
    """One line of the audit log: who did what to which thing, and when. Ids and our own words, no text of a case.

    Attributes:
        number: counts up in the network, without gaps.
        action: the right it took; None for signing in and out, which takes none.
        did: what was done, such as ``decide`` or ``member.add``.
    """

    number: int = 0
    at: datetime
    who: str
    action: Action | None
    did: str
    kind: str = ""
    id: str = ""
