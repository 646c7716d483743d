"""Protocols of the repositories of cases, submissions and vectors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from patternmind.domain.cases import Case, CaseKind, Consent, Submission
from patternmind.domain.read_models import CaseFilter, CaseOrder, CaseWithAssignment, Page, VectorVersion
from patternmind.domain.themes import Vectors

CaseTexts = tuple[str, Consent, tuple[str, ...]]
"""Id, consent and all texts of a case, including those of unknown columns."""

VectorRow = tuple[str, Vectors | None]
"""Id of a case and the vector of its whole text.

The vector is None if the case is not embedded yet.
"""


@dataclass(frozen=True, slots=True)
class CaseSaveCounts:
    accepted: int
    unchanged: int
    duplicates: int
    updated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTextCounts:
    """Number of raw texts stored, and of those encrypted.

    ``is_readable`` is True if the settings contain the right key.
    """

    n_texts: int
    n_encrypted: int
    key_id: str | None
    is_readable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Record of an erased case; only its id remains."""

    case_id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Record of a withdrawn case; its submission is kept until the case is restored or erased."""

    case_id: str
    by: str
    at: datetime


class SubmissionRepository(Protocol):
    """Submissions as people wrote them, unredacted."""

    def list_all(self) -> list[Submission]:
        """Return the newest version of every submission, unredacted, by case id, without withdrawn cases.

        Use it only to redact again.

        Raises:
            RawTextKeyInvalid: a submission is encrypted with a key that the settings do not contain.
        """
        ...

    def get(self, case_id: str, version: int | None = None) -> Submission:
        """Return one version (default: the newest) of a case's submission, unredacted; for stewards only.

        Submissions of withdrawn cases are included.

        Raises:
            NotFound: the case or version does not exist.
            RawTextKeyInvalid: it is encrypted with a key that the settings do not contain.
        """
        ...

    def count_versions(self, case_id: str) -> int:
        """Return the number of submitted versions of a case; 0 for an unknown case."""
        ...

    def count_raw_texts(self) -> RawTextCounts: ...

    def reencrypt_all(self) -> int:
        """Re-encrypt every version of all raw text with the current key, and return their number.

        Without a key in the settings, the raw text is decrypted.

        Raises:
            RawTextKeyInvalid: neither key of the settings decrypts some of it; nothing is changed.
        """
        ...


class CaseRepository(Protocol):
    """Redacted cases and recaps, with their erasures and withdrawals."""

    def save_all(
        self, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False, roster_version: int | None = None
    ) -> CaseSaveCounts:
        """Store cases in one transaction; a stored case with the same content is left unchanged.

        Args:
            dry_run: only count; store nothing.
            roster_version: version of the roster used to redact the cases; None skips the check.

        Raises:
            VersionConflict: the roster has changed; nothing is stored.
            RawTextKeyInvalid: stored raw text is encrypted with another key; nothing is stored.
        """
        ...

    def replace(
        self,
        submission: Submission,
        case: Case,
        *,
        expected_version: int | None = None,
        roster_version: int | None = None,
    ) -> None:
        """Store a new version of an existing case.

        Raises:
            NotFound: the case does not exist.
            RawTextKeyInvalid: stored raw text is encrypted with another key.
            VersionConflict: the case has another number of versions than ``expected_version``, or the roster changed.
        """
        ...

    def restore(self, submission: Submission, case: Case, *, roster_version: int | None = None) -> None:
        """Restore a withdrawn case; it counts as new since the last run.

        Raises:
            NotFound: the case is not withdrawn.
            VersionConflict: the roster has changed.
        """
        ...

    def list_all(self, *, kind: CaseKind | None = None, since: str | None = None) -> list[Case]:
        """Return cases and recaps by id.

        Args:
            since: ISO date; excludes cases with an earlier date, but not undated ones.
        """
        ...

    def get(self, case_id: str) -> Case:
        """Return a case by its id or its external id.

        Raises:
            NotFound: the case does not exist.
        """
        ...

    def get_many(self, case_ids: Sequence[str]) -> dict[str, Case]:
        """Return the existing cases with these ids (not external ids), unordered."""
        ...

    def page(
        self, case_filter: CaseFilter, *, limit: int, cursor: str | None = None, order: CaseOrder = CaseOrder.ID
    ) -> Page[CaseWithAssignment]:
        """Return cases and recaps with their assignments in the last run of ``case_filter.lens``."""
        ...

    def count(self, case_filter: CaseFilter) -> int:
        """Count the cases of a list.

        This scans an index, which takes 0.1 s at 100,000 cases.
        """
        ...

    def related_to(self, case: Case) -> list[Case]:
        """Return near-duplicates and linked cases, in both directions, by id.

        The case itself is left out. The result is approximate: it includes recaps whose text contains the case's id.
        Check ``linked_cases`` for an actual link.
        """
        ...

    def iter_texts(self, *, after_number: int = 0) -> Iterator[CaseTexts]:
        """Yield the texts of cases written after write ``after_number``, in the order of their writes."""
        ...

    def teams(self) -> list[str]:
        """Return the teams of all cases, sorted, as choices for a filter."""
        ...

    def withdrawals(self) -> list[Withdrawal]:
        """Return the withdrawals, oldest first."""
        ...

    def erasures(self) -> list[Erasure]:
        """Return the erasures, oldest first."""
        ...


class VectorRepository(Protocol):
    """Vectors of the cases' texts."""

    def get_many(self, encoder_id: str, hashes: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors of these text hashes; each is (d,) float32."""
        ...

    def save_all(self, encoder_id: str, rows: Mapping[str, Vectors]) -> None: ...

    def version(self) -> VectorVersion: ...

    def iter_by_case(self, encoder_id: str, *, after_number: int = 0) -> Iterator[VectorRow]:
        """Yield the vectors of cases written after write ``after_number``, in the order of their writes."""
        ...
