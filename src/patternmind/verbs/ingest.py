"""Files to stored cases: every row accepted, unchanged or rejected with all its errors, and nothing else."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from patternmind.intake.cases import make_case
from patternmind.intake.fields import parse_mapping
from patternmind.intake.redaction import Roster
from patternmind.intake.submissions import read_submissions
from patternmind.model.cases import SUSPICIOUS, Case, IntakeReport, Kind, RejectedRow, Submission
from patternmind.ports import Progress, Store

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
    progress: Progress | None = None,
) -> IntakeReport:
    """Take in files, in batches that are each stored whole.

    Args:
        mapping: FIELD=COLUMN pairs that come before the known names of columns.

    Raises:
        UnreadableFile, UnknownColumn: before any row of that file is stored, except where the file breaks off later.
    """
    fields = parse_mapping(mapping, kind)
    roster = Roster.of(store.roster())
    network, secret = store.network, store.secret()
    tally = _Tally()

    def case_of(submission: Submission) -> Case:
        case, redacted = make_case(submission, roster=roster, network_id=network.id, secret=secret)
        tally.redacted.update(redacted)
        tally.suspicious += any(flag.startswith(SUSPICIOUS) for flag in case.flags)
        return case if "consent" in submission.facts else replace(case, consent=network.default_consent)

    for path in paths:
        for batch in _batches(read_submissions(path, kind=kind, mapping=fields)):
            # Kept is the file's name alone: where it lay is nobody's business later on.
            taken = [replace(row, file=path.name) for row in batch if isinstance(row, Submission)]
            tally.rejected += [row for row in batch if isinstance(row, RejectedRow)]
            counts = store.save_cases([(row, case_of(row)) for row in taken], dry_run=dry_run)
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


def _batches(rows: Iterator[Submission | RejectedRow]) -> Iterator[list[Submission | RejectedRow]]:
    batch: list[Submission | RejectedRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch
