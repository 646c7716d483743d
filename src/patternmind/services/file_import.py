"""Import files as cases. Every row is accepted, unchanged, updated or rejected with all its errors."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from patternmind.domain.cases import CaseKind, IngestReport, RejectedRow, Submission
from patternmind.domain.networks import RosterEntry
from patternmind.ingestion.mapping import parse_mapping
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.submissions import read_submissions
from patternmind.ports import CaseSaveCounts, Progress, Store
from patternmind.services.roster import redact_submissions, with_current_roster

BATCH_ROWS = 1000
"""Rows stored in one transaction. An interrupted import repeats at most these; repeating changes nothing."""


@dataclass
class _ImportCounts:
    accepted: int = 0
    unchanged: int = 0
    duplicates: int = 0
    updated: int = 0
    rejected: list[RejectedRow] = field(default_factory=list[RejectedRow])
    suspicious: int = 0
    redacted: Counter[str] = field(default_factory=Counter[str])


def import_files(
    store: Store,
    paths: Sequence[Path],
    *,
    kind: CaseKind,
    mapping: Sequence[str] = (),
    dry_run: bool = False,
    is_atomic: bool = False,
    progress: Progress | None = None,
) -> IngestReport:
    """Import files in batches; each batch is one transaction.

    Args:
        is_atomic: Import each file completely or not at all; the file is held in memory.
        mapping: FIELD=COLUMN pairs; they take precedence over known column names.

    Raises:
        UnreadableFile, UnknownColumn: Raised before any row of that file is stored, unless a later part of the file is
            damaged.
    """
    fields = parse_mapping(mapping, kind)
    totals = _ImportCounts()
    for path in paths:
        for batch in _batches(read_submissions(path, kind=kind, mapping=fields), None if is_atomic else BATCH_ROWS):
            # Only the file's name is stored: its folder may reveal private details.
            submissions = [replace(row, file=path.name) for row in batch if isinstance(row, Submission)]
            totals.rejected += [row for row in batch if isinstance(row, RejectedRow)]
            counts = _store_batch(store, submissions, totals, dry_run=dry_run)
            totals.accepted += counts.accepted
            totals.unchanged += counts.unchanged
            totals.duplicates += counts.duplicates
            totals.updated += counts.updated
            if progress:
                progress("ingest", totals.accepted + totals.unchanged + len(totals.rejected), 0)
    return IngestReport(
        accepted=totals.accepted,
        unchanged=totals.unchanged,
        duplicates=totals.duplicates,
        updated=totals.updated,
        rejected=tuple(totals.rejected),
        redacted=dict(totals.redacted),
        suspicious=totals.suspicious,
    )


def _store_batch(store: Store, rows: Sequence[Submission], totals: _ImportCounts, *, dry_run: bool) -> CaseSaveCounts:
    """Store a batch, redacted with the current roster. Rows of erased and withdrawn cases are rejected."""
    removed = {erasure.case_id: _removed_message("erased", erasure.at) for erasure in store.cases.erasures()}
    removed |= {
        withdrawal.case_id: _removed_message("withdrawn", withdrawal.at) for withdrawal in store.cases.withdrawals()
    }

    def save(people: Sequence[RosterEntry]) -> CaseSaveCounts:
        made = redact_submissions(store, rows, Roster.of(people))
        accepted = [(row, case) for row, case, _ in made if case.id not in removed]
        counts = store.cases.save_all(accepted, dry_run=dry_run, roster_version=len(people))
        totals.rejected += [
            RejectedRow(file=row.file, row=row.row, errors=(removed[case.id],))
            for row, case, _ in made
            if case.id in removed
        ]
        for _, case, redacted in made:
            if case.id not in removed:
                totals.redacted.update(redacted)
                totals.suspicious += bool(case.suspicions)
        return counts

    return with_current_roster(store, save)


def _removed_message(removal: str, at: datetime) -> str:
    return f"this case was {removal} on {at:%Y-%m-%d}; remove its row from the file"


def _batches(rows: Iterator[Submission | RejectedRow], size: int | None) -> Iterator[list[Submission | RejectedRow]]:
    batch: list[Submission | RejectedRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch
