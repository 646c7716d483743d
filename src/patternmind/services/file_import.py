"""Files to stored cases: every row accepted, unchanged or rejected with all its errors, and nothing else."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from patternmind.domain.cases import (
    SUSPICIOUS_FLAG_PREFIX,
    CaseKind,
    IngestReport,
    RejectedRow,
    Submission,
)
from patternmind.errors import VersionConflict
from patternmind.ingestion.cases import make_case
from patternmind.ingestion.mapping import parse_mapping
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ingestion.submissions import read_submissions
from patternmind.ports import CaseSaveCounts, Progress, Store

BATCH_ROWS = 1000
"""Rows stored in one transaction: what an interrupted ingest has to read again; reading them again changes nothing."""


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
    """Take in files, in batches that are each stored whole.

    Args:
        whole: each file is one batch, so that all of it is stored or nothing; it is held in memory.
        mapping: FIELD=COLUMN pairs that come before the known names of columns.

    Raises:
        UnreadableFile, UnknownColumn: before any row of that file is stored, except where the file breaks off later.
    """
    fields = parse_mapping(mapping, kind)
    tally = _ImportCounts()
    for path in paths:
        for batch in _batches(read_submissions(path, kind=kind, mapping=fields), None if is_atomic else BATCH_ROWS):
            # Kept is the file's name alone: where it lay is nobody's business later on.
            taken = [replace(row, file=path.name) for row in batch if isinstance(row, Submission)]
            tally.rejected += [row for row in batch if isinstance(row, RejectedRow)]
            counts = _store_batch(store, taken, tally, dry_run=dry_run)
            tally.accepted += counts.accepted
            tally.unchanged += counts.unchanged
            tally.duplicates += counts.duplicates
            tally.updated += counts.updated
            if progress:
                progress("ingest", tally.accepted + tally.unchanged + len(tally.rejected), 0)
    return IngestReport(
        accepted=tally.accepted,
        unchanged=tally.unchanged,
        duplicates=tally.duplicates,
        updated=tally.updated,
        rejected=tuple(tally.rejected),
        redacted=dict(tally.redacted),
        suspicious=tally.suspicious,
    )


def _store_batch(store: Store, rows: Sequence[Submission], totals: _ImportCounts, *, dry_run: bool) -> CaseSaveCounts:
    """Store a batch, redacted by the roster as it is at that moment; rows of erased cases are rejected."""
    network, secret = store.network, store.secret()
    gone = {one.case_id: _removed_message("erased", one.at) for one in store.erasures()}
    gone |= {one.case_id: _removed_message("withdrawn", one.at) for one in store.withdrawals()}
    while True:  # ends: it goes on only where somebody changed the roster in the moment it took
        people = store.roster()
        roster = Roster.of(people)
        made = [(row, *make_case(row, roster=roster, network_id=network.id, secret=secret)) for row in rows]
        kept = [
            (row, case if "consent" in row.facts else replace(case, consent=network.default_consent))
            for row, case, _ in made
            if case.id not in gone
        ]
        try:
            counts = store.save_cases(kept, dry_run=dry_run, roster_version=len(people))
        except VersionConflict:
            continue
        totals.rejected += [
            RejectedRow(file=row.file, row=row.row, errors=(gone[case.id],)) for row, case, _ in made if case.id in gone
        ]
        for _, case, redacted in made:
            if case.id not in gone:
                totals.redacted.update(redacted)
                totals.suspicious += any(flag.startswith(SUSPICIOUS_FLAG_PREFIX) for flag in case.flags)
        return counts


def _removed_message(removal: str, at: datetime) -> str:
    return f"this case was {removal} on {at:%Y-%m-%d}; take its row out of the file"


def _batches(rows: Iterator[Submission | RejectedRow], size: int | None) -> Iterator[list[Submission | RejectedRow]]:
    batch: list[Submission | RejectedRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch
