"""Store of one network on SQLite: its repositories, and operations on several of them.

Every statement names the network, and every write is one transaction.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from patternmind.domain.edits import Edit
from patternmind.domain.networks import Network
from patternmind.domain.read_models import DataVersion, NetworkCounts
from patternmind.ports import RosterChange, RunOutcome, RunRecord, RunRevision, TextRewrite
from patternmind.storage import transactions
from patternmind.storage.database import Database
from patternmind.storage.encryption import FieldCipher
from patternmind.storage.engine import DatabaseFile
from patternmind.storage.repositories.calls import SqlCallRepository
from patternmind.storage.repositories.cases import SqlCaseRepository
from patternmind.storage.repositories.drafts import SqlDraftRepository
from patternmind.storage.repositories.edits import SqlEditRepository
from patternmind.storage.repositories.idempotency import SqlIdempotencyKeyRepository
from patternmind.storage.repositories.jobs import SqlJobRepository
from patternmind.storage.repositories.networks import SqlNetworkDirectory, SqlNetworkRepository
from patternmind.storage.repositories.runs import SqlRunRepository
from patternmind.storage.repositories.submissions import SqlSubmissionRepository
from patternmind.storage.repositories.themes import SqlThemeRepository
from patternmind.storage.repositories.tokens import SqlTokenRepository
from patternmind.storage.repositories.vectors import SqlVectorRepository


class SqlStore:
    """Implements ``ports.Store``."""

    def __init__(
        self, path: Path, network_id: str = "default", *, name: str = "", cipher: FieldCipher | None = None
    ) -> None:
        """Open the database, and create the network if it does not exist."""
        self._file = DatabaseFile(path)
        self.database = Database(self._file, network_id, cipher or FieldCipher())
        self.network = SqlNetworkRepository(self.database)
        self.submissions = SqlSubmissionRepository(self.database)
        self.cases = SqlCaseRepository(self.database)
        self.vectors = SqlVectorRepository(self.database)
        self.runs = SqlRunRepository(self.database)
        self.themes = SqlThemeRepository(self.database)
        self.edits = SqlEditRepository(self.database)
        self.drafts = SqlDraftRepository(self.database)
        self.jobs = SqlJobRepository(self.database)
        self.calls = SqlCallRepository(self.database)
        self.tokens = SqlTokenRepository(self.database)
        self.idempotency_keys = SqlIdempotencyKeyRepository(self.database)
        if not self.network.exists():
            SqlNetworkDirectory(self._file).create(Network(id=network_id, name=name or network_id))

    @property
    def path(self) -> Path:
        return self._file.path

    def close(self) -> None:
        self._file.close()

    def finish_run(self, run_id: str, outcome: RunOutcome, now: datetime) -> RunRecord:
        with self.database.writing() as tx:
            return transactions.finish_run(tx, run_id, outcome, now)

    def append_edits(self, edits: Sequence[Edit], *, expected_seq: int, revision: RunRevision | None = None) -> None:
        with self.database.writing() as tx:
            transactions.append_edits(tx, edits, expected_seq, revision)

    def extend_roster(
        self, entries: Iterable[tuple[str, str | None, str | None]], redact: transactions.Redact
    ) -> RosterChange:
        with self.database.writing() as tx:
            return transactions.extend_roster(tx, entries, redact)

    def remove_from_roster(self, number: int, redact: transactions.Redact) -> RosterChange:
        with self.database.writing() as tx:
            return transactions.remove_from_roster(tx, number, redact)

    def erase_case(
        self, case_id: str, rewrite: TextRewrite, *, kept_text_hashes: Collection[str], actor: str, at: datetime
    ) -> None:
        with self.database.writing() as tx:
            transactions.erase_case(tx, case_id, rewrite, kept_text_hashes, actor, at)

    def withdraw_case(
        self, case_id: str, rewrite: TextRewrite, *, kept_text_hashes: Collection[str], actor: str, at: datetime
    ) -> None:
        with self.database.writing() as tx:
            transactions.withdraw_case(tx, case_id, rewrite, kept_text_hashes, actor, at)

    def purge_deleted(self) -> None:
        self._file.purge_deleted()

    def network_counts(self, lens: str | None = None) -> NetworkCounts:
        with self.database.reading() as tx:
            return transactions.count_network(tx, lens)

    def data_version(self) -> DataVersion:
        with self.database.reading() as tx:
            return transactions.read_data_version(tx)

    def change_counters(self) -> dict[str, int]:
        with self.database.reading() as tx:
            return transactions.read_change_counters(tx)
