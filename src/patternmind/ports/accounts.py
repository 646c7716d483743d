"""Protocols of the repositories of the installation: members, sign-in, tokens and the audit log."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from patternmind.domain.members import Account, ApiToken, AuditEntry, Member, Session, SignInLink
from patternmind.domain.networks import Network


class PasswordHasher(Protocol):
    def hash(self, password: str) -> str: ...

    def verify(self, password: str, password_hash: str | None) -> bool:
        """Return True if the password matches the hash.

        Without a hash the result is False, after the same amount of work.
        """
        ...


MemberChange = Callable[[Sequence[Member]], Sequence[Member]]
"""Function from a network's members to its changed members; it raises if the change is not permitted."""


class NetworkDirectory(Protocol):
    """Networks of the installation."""

    def list_all(self) -> list[Network]: ...

    def add(self, network: Network, /) -> None:
        """Create an empty network.

        Raises:
            UsageError: a network with that id exists.
        """
        ...


class MemberRepository(Protocol):
    """Accounts, and their memberships of networks."""

    def has_accounts(self) -> bool: ...

    def find_account(self, account_id: str) -> Account | None: ...

    def list_all(self, network_id: str) -> list[Member]:
        """Return the members of a network, ordered by name."""
        ...

    def list_memberships(self, account_id: str) -> list[Member]:
        """Return the account's memberships, ordered by network id."""
        ...

    def change(self, network_id: str, change: MemberChange, *, account: Account | None = None) -> tuple[Member, ...]:
        """Change the members of a network in one transaction.

        An account that is in no network afterwards is deleted with its sessions.

        Args:
            account: account to create first, for a member who is new to the installation.
        """
        ...

    def set_password_hash(self, account_id: str, password_hash: str) -> None: ...


class SignInLinkRepository(Protocol):
    """Links that sign a member in once."""

    def save(self, link: SignInLink) -> None: ...

    def find(self, sha256: str) -> SignInLink | None: ...

    def consume(self, sha256: str) -> SignInLink | None:
        """Return a link and delete it; only one of two concurrent callers gets it.

        Consuming a first link, which names no account, deletes all other first links too.
        """
        ...

    def delete_expired(self, now: datetime) -> None: ...


class SessionRepository(Protocol):
    """Sessions of accounts, by the hash of their secret."""

    def save(self, session: Session) -> None:
        """Insert a session, or update its network and the time it was last seen."""
        ...

    def find(self, sha256: str) -> Session | None: ...

    def list_all(self, account_id: str) -> list[Session]:
        """Return the sessions of an account, newest first."""
        ...

    def delete_all(self, sha256s: Sequence[str]) -> None: ...

    def delete_expired(self, *, created_before: datetime, seen_before: datetime) -> None:
        """Delete sessions created, or last seen, before the given times."""
        ...


class TokenDirectory(Protocol):
    """API tokens of all networks, for callers whose network is not known yet."""

    def find(self, sha256: str) -> tuple[str, ApiToken] | None:
        """Return the network id and the token with this hash."""
        ...

    def exist(self) -> bool: ...


class AuditLog(Protocol):
    """Audit log of each network."""

    def append(self, network_id: str, entry: AuditEntry) -> None:
        """Append an entry with the network's next number."""
        ...

    def list_recent(self, network_id: str, *, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """Return entries, newest first; ``before`` limits them to smaller numbers."""
        ...


class Accounts(Protocol):
    """Repositories of the whole installation."""

    @property
    def networks(self) -> NetworkDirectory: ...

    @property
    def members(self) -> MemberRepository: ...

    @property
    def sign_in_links(self) -> SignInLinkRepository: ...

    @property
    def sessions(self) -> SessionRepository: ...

    @property
    def tokens(self) -> TokenDirectory: ...

    @property
    def audit(self) -> AuditLog: ...


class TokenRepository(Protocol):
    """API tokens of one network."""

    def save(self, token: ApiToken) -> None: ...

    def list_all(self) -> list[ApiToken]: ...

    def revoke(self, token_id: str, at: datetime) -> None:
        """Revoke a token.

        Raises:
            NotFound: the network has no such token.
        """
        ...
