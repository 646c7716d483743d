"""Repositories of the whole installation on SQLite."""

from pathlib import Path

from patternmind.domain.networks import Network
from patternmind.storage.engine import DatabaseFile
from patternmind.storage.repositories.audit import SqlAuditLog
from patternmind.storage.repositories.members import SqlMemberRepository
from patternmind.storage.repositories.networks import SqlNetworkDirectory
from patternmind.storage.repositories.sessions import SqlSessionRepository, SqlSignInLinkRepository
from patternmind.storage.repositories.tokens import SqlTokenDirectory


class SqlAccounts:
    """Implements ``ports.Accounts``."""

    def __init__(self, path: Path, *, default_network: Network) -> None:
        """Open the database, and create ``default_network`` in an installation without networks."""
        self._file = DatabaseFile(path)
        self.networks = SqlNetworkDirectory(self._file)
        self.members = SqlMemberRepository(self._file)
        self.sign_in_links = SqlSignInLinkRepository(self._file)
        self.sessions = SqlSessionRepository(self._file)
        self.tokens = SqlTokenDirectory(self._file)
        self.audit = SqlAuditLog(self._file)
        if not self.networks.list_all():
            self.networks.create(default_network)

    def close(self) -> None:
        self._file.close()
