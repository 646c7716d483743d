"""Files to stored cases: every row accepted, unchanged or rejected with all its errors, and nothing else."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from patternmind.errors import ChangedMeanwhile
from patternmind.intake.cases import make_case
from patternmind.intake.fields import parse_mapping
from patternmind.intake.redaction import Roster
from patternmind.intake.submissions import read_submissions
from patternmind.model.cases import SUSPICIOUS, IntakeReport, Kind, RejectedRow, Submission
from patternmind.ports import Progress, Store, StoredCounts

BATCH = 1000
"""Rows stored in one transaction: what an interrupted ingest has to read again; reading them again changes nothing."""


@dataclass
class _Tally:
    accepted: int = 0
    unchanged: int = 0
    duplicates: int = 0
    updated: int = 0
    rejected: list[RejectedRow] = field(default_factory=list[RejectedRow])
    suspicious: int = 0
    redacted: Counter[str] = field(default_factory=Counter[str])


def ingest_files(
    store: Store,
    paths: Sequence[Path],
    *,
    kind: Kind,
    mapping: Sequence[str] = (),
    dry_run: bool = False,
    whole: bool = False,
    progress: Progress | None = None,
) -> IntakeReport:
    """Take in files, in batches that are each stored whole.

    Args:
        whole: each file is one batch, so that all of it is stored or nothing; it is held in memory.
        mapping: FIELD=COLUMN pairs that come before the known names of columns.

    Raises:
        UnreadableFile, UnknownColumn: before any row of that file is stored, except where the file breaks off later.
    """
    fields = parse_mapping(mapping, kind)
    tally = _Tally()
    for path in paths:
        for batch in _batches(read_submissions(path, kind=kind, mapping=fields), None if whole else BATCH):
            # Kept is the file's name alone: where it lay is nobody's business later on.
            taken = [replace(row, file=path.name) for row in batch if isinstance(row, Submission)]
            tally.rejected += [row for row in batch if isinstance(row, RejectedRow)]
            counts = _take_in(store, taken, tally, dry_run=dry_run)
            tally.accepted += counts.accepted
            tally.unchanged += counts.unchanged
            tally.duplicates += counts.duplicates
            tally.updated += counts.updated
            if progress:
                progress("ingest", tally.accepted + tally.unchanged + len(tally.rejected), 0)
    return IntakeReport(
        accepted=tally.accepted,
        unchanged=tally.unchanged,
        duplicates=tally.duplicates,
        updated=tally.updated,
        rejected=tuple(tally.rejected),
        redacted=dict(tally.redacted),
        suspicious=tally.suspicious,
    )


def _take_in(store: Store, rows: Sequence[Submission], tally: _Tally, *, dry_run: bool) -> StoredCounts:
    """Store a batch, redacted by the roster as it is at that moment; rows of erased cases are rejected."""
    network, secret = store.network, store.secret()
    gone = {one.case_id: _gone("erased", one.at) for one in store.erasures()}
    gone |= {one.case_id: _gone("withdrawn", one.at) for one in store.withdrawals()}
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
            counts = store.save_cases(kept, dry_run=dry_run, n_people=len(people))
        except ChangedMeanwhile:
            continue
        tally.rejected += [
            RejectedRow(file=row.file, row=row.row, errors=(gone[case.id],)) for row, case, _ in made if case.id in gone
        ]
        for _, case, redacted in made:
            if case.id not in gone:
                tally.redacted.update(redacted)
                tally.suspicious += any(flag.startswith(SUSPICIOUS) for flag in case.flags)
        return counts


def _gone(how: str, at: datetime) -> str:
    return f"this case was {how} on {at:%Y-%m-%d}; take its row out of the file"


def _batches(rows: Iterator[Submission | RejectedRow], size: int | None) -> Iterator[list[Submission | RejectedRow]]:
    batch: list[Submission | RejectedRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch
