"""Protocols for accounts, members, sign-in, tokens and the audit log."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from patternmind.domain.members import (
    Account,
    ApiToken,
    AuditEntry,
    Member,
    Session,
    SignInLink,
)
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


class Accounts(Protocol):
    """Accounts, members, sign-ins, tokens and audit log of the whole installation."""

    # networks
    def list_networks(self) -> list[Network]: ...

    def add_network(self, network: Network) -> None:
        """Create an empty network.

        Raises:
            UsageError: a network with that id exists.
        """
        ...

    # members
    def has_accounts(self) -> bool: ...

    def find_account(self, account_id: str) -> Account | None: ...

    def list_members(self, network_id: str) -> list[Member]:
        """Return the members of a network, ordered by name."""
        ...

    def list_memberships(self, account_id: str) -> list[Member]:
        """Return the account's memberships, ordered by network id."""
        ...

    def change_members(
        self, network_id: str, change: MemberChange, *, account: Account | None = None
    ) -> tuple[Member, ...]:
        """Change the members of a network in one transaction.

        An account that is in no network afterwards is deleted with its sessions.

        Args:
            account: account to create first, for a member who is new to the installation.
        """
        ...

    def set_password_hash(self, account_id: str, password_hash: str) -> None: ...

    # sign-in
    def save_link(self, link: SignInLink) -> None: ...

    def find_link(self, sha256: str) -> SignInLink | None: ...

    def consume_link(self, sha256: str) -> SignInLink | None:
        """Return a link and delete it; only one of two concurrent callers gets it.

        Consuming a first link, which names no account, deletes all other first links too.
        """
        ...

    def save_session(self, session: Session) -> None:
        """Insert a session, or update its network and the time it was last seen."""
        ...

    def find_session(self, sha256: str) -> Session | None: ...

    def list_sessions(self, account_id: str) -> list[Session]:
        """Return the sessions of an account, newest first."""
        ...

    def delete_sessions(self, sha256s: Sequence[str]) -> None: ...

    def delete_expired(
        self, *, links_expired_before: datetime, sessions_created_before: datetime, sessions_seen_before: datetime
    ) -> None:
        """Delete links that expired, and sessions created or last seen, before the given times."""
        ...

    # tokens
    def find_token(self, sha256: str) -> tuple[str, ApiToken] | None:
        """Return the network id and the token with this hash."""
        ...

    def has_tokens(self) -> bool: ...

    def revoke_token(self, network_id: str, token_id: str, at: datetime) -> None:
        """Revoke a token.

        Raises:
            NotFound: the network has no such token.
        """
        ...

    # audit
    def append_audit(self, network_id: str, entry: AuditEntry) -> None:
        """Append an entry with the network's next number."""
        ...

    def list_audit(self, network_id: str, *, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """Return entries, newest first; ``before`` limits them to smaller numbers."""
        ...


class TokenRepository(Protocol):
    """API tokens of the network."""

    def save(self, token: ApiToken) -> None: ...

    def list_all(self) -> list[ApiToken]: ...
