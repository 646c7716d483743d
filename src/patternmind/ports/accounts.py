"""Who there is, and how they show who they are."""

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
        """Whether it is that password; without a hash never, after the same work."""
        ...


MemberChange = Callable[[Sequence[Member]], Sequence[Member]]
"""Takes the members of a network and gives them as they should be; raises where that may not be."""


class Accounts(Protocol):
    """Who may sign in to this installation and to which of its networks, and the log of what was done."""

    # networks
    def list_networks(self) -> list[Network]: ...

    def add_network(self, network: Network) -> None:
        """Make an empty network.

        Raises:
            UsageError: there is one of that id.
        """
        ...

    # members
    def has_accounts(self) -> bool: ...

    def find_account(self, account_id: str) -> Account | None: ...

    def list_members(self, network_id: str) -> list[Member]:
        """By name."""
        ...

    def list_memberships(self, account_id: str) -> list[Member]:
        """One for each network that the account is in, by the network's id."""
        ...

    def change_members(
        self, network_id: str, change: MemberChange, *, account: Account | None = None
    ) -> tuple[Member, ...]:
        """Change who is in a network, in one transaction; an account without a network is removed with its sessions.

        Args:
            account: made first, for a member who is new to the installation.
        """
        ...

    def set_password_hash(self, account_id: str, password_hash: str) -> None: ...

    # sign-in
    def save_link(self, link: SignInLink) -> None: ...

    def find_link(self, sha256: str) -> SignInLink | None: ...

    def consume_link(self, sha256: str) -> SignInLink | None:
        """The link, which is gone then: of two who take it at once only one gets it. With the first link of an
        installation all its others of that kind are gone too."""
        ...

    def save_session(self, session: Session) -> None:
        """Make it, or change what it shows and when it was seen."""
        ...

    def find_session(self, sha256: str) -> Session | None: ...

    def list_sessions(self, account_id: str) -> list[Session]:
        """The newest first."""
        ...

    def delete_sessions(self, sha256s: Sequence[str]) -> None: ...

    def delete_expired(
        self, *, links_expired_before: datetime, sessions_created_before: datetime, sessions_seen_before: datetime
    ) -> None:
        """Remove links that expired before, sessions made before, and sessions not seen since."""
        ...

    # tokens
    def find_token(self, sha256: str) -> tuple[str, ApiToken] | None:
        """A token by its hash, with the id of its network."""
        ...

    def has_tokens(self) -> bool: ...

    def revoke_token(self, network_id: str, token_id: str, at: datetime) -> None:
        """Make it open nothing any more.

        Raises:
            NotFound: no such token in this network.
        """
        ...

    # audit
    def append_audit(self, network_id: str, entry: AuditEntry) -> None:
        """Write one line; its number is given here."""
        ...

    def list_audit(self, network_id: str, *, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """The newest first, those with smaller numbers than ``before``."""
        ...
