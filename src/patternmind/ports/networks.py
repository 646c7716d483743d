"""Protocol of the repository of a network and its roster."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from patternmind.domain.networks import Network, RosterEntry


@dataclass(frozen=True, slots=True)
class RosterChange:
    """Numbers of roster entries added and of cases redacted again."""

    added: int
    changed: int


class NetworkRepository(Protocol):
    """The network itself, its roster, and dismissed possible names."""

    def get(self) -> Network: ...

    def save(self, network: Network, /) -> None: ...

    def contributor_secret(self) -> bytes:
        """Return the key of contributor hashes, which is created once and never exported."""
        ...

    def roster(self) -> list[RosterEntry]: ...

    def add_to_roster(self, entries: Iterable[tuple[str, str | None, str | None]]) -> int:
        """Add (name, email, team) entries to the roster and return the number added.

        Names that are already on it are skipped.
        """
        ...

    def dismissed_names(self) -> set[str]:
        """Return the digests of possible names that the steward dismissed."""
        ...

    def dismiss_names(self, digests: Iterable[str], *, actor: str, at: datetime) -> None: ...
