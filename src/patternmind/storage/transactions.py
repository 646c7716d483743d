"""Operations on several aggregates, each in one transaction."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, text

from patternmind.domain.cases import Case, CaseKind, Submission
from patternmind.domain.edits import Edit
from patternmind.domain.networks import RosterEntry
from patternmind.domain.read_models import DataVersion, NetworkCounts, VectorVersion
from patternmind.errors import VersionConflict
from patternmind.ports import RosterChange, RunOutcome, RunRecord, RunRevision, TextRewrite
from patternmind.storage import schema
from patternmind.storage.database import Transaction
from patternmind.storage.repositories.calls import SqlCallRepository
from patternmind.storage.repositories.cases import SqlCaseRepository
from patternmind.storage.repositories.drafts import SqlDraftRepository
from patternmind.storage.repositories.edits import SqlEditRepository
from patternmind.storage.repositories.idempotency import SqlIdempotencyKeyRepository
from patternmind.storage.repositories.jobs import SqlJobRepository
from patternmind.storage.repositories.networks import SqlNetworkRepository, read_network
from patternmind.storage.repositories.runs import SqlRunRepository
from patternmind.storage.repositories.submissions import SqlSubmissionRepository
from patternmind.storage.repositories.themes import SqlThemeRepository
from patternmind.storage.repositories.vectors import SqlVectorRepository

Redact = Callable[[list[RosterEntry]], tuple[Sequence[tuple[Submission, Case]], TextRewrite]]

WHOLE_TEXT_LENS = "all"
"""Lens over the whole text of a case."""

REWRITTEN_REPOSITORIES = (SqlThemeRepository, SqlEditRepository, SqlRunRepository, SqlDraftRepository, SqlJobRepository)
"""Repositories with text of cases other than the cases themselves; ``rewrite`` reaches all their tables."""

DATA_VERSION_QUERY = text("""
    SELECT network.*, d.*,
      (SELECT coalesce(max(number), 0) FROM "case" WHERE network_id = :id) AS newest,
      (SELECT count(*) FROM erasure WHERE network_id = :id)
        + (SELECT count(*) FROM withdrawal WHERE network_id = :id) AS n_removed,
      (SELECT count(*) FROM person WHERE network_id = :id) AS roster_version,
      (SELECT coalesce(max(number), 0) FROM run WHERE network_id = :id AND state = 'finished') AS last_run,
      (SELECT coalesce(max(seq), 0) FROM edit WHERE network_id = :id) AS last_edit_seq
    FROM network,
      (SELECT count(*) AS n_drafts, coalesce(sum(current), 0) AS n_current, coalesce(sum(n_decisions), 0) AS n_decisions
       FROM draft WHERE network_id = :id) AS d
    WHERE network.id = :id""")
"""Query of all parts of the data version in one statement, at one moment.

It is written as text because every page runs it. An index serves each part.
"""


def finish_run(tx: Transaction, run_id: str, outcome: RunOutcome, now: datetime) -> RunRecord:
    runs, themes = SqlRunRepository(tx), SqlThemeRepository(tx)
    running = runs.get(run_id)
    lens = running.parameters.lens
    newest_seq = SqlEditRepository(tx).newest_seq(lens)
    if outcome.last_edit_seq not in (None, newest_seq):
        raise VersionConflict("themes of lens", lens)
    record = replace(
        running,
        state="finished",
        finished_at=now,
        n_cases=len(outcome.assignments),
        n_themes=sum(bool(theme.case_ids) for theme in outcome.themes),
        n_outliers=sum(assignment.theme_id is None for assignment in outcome.assignments),
        n_drafts=len(outcome.drafts),
        conflicts=tuple(outcome.conflicts),
        seconds=dict(outcome.seconds),
        notes=tuple(outcome.notes),
        fingerprint=outcome.fingerprint,
    )
    themes.add_all(run_id, outcome.themes, outcome.areas)
    themes.add_changes(run_id, outcome.changes)
    runs.add_assignments(run_id, outcome.assignments)
    if outcome.machine_result is not None:
        runs.save_machine_result(run_id, lens, outcome.machine_result)
    runs.save_fits(lens, outcome.fits)
    # the whole text shows best which cases repeat each other; another lens decides only if that one was never run
    if lens == WHOLE_TEXT_LENS or runs.latest(WHOLE_TEXT_LENS) is None:
        compared_ids = {assignment.case_id for assignment in outcome.assignments}
        SqlCaseRepository(tx).mark_duplicates(compared_ids, outcome.duplicate_of)
    if running.parameters.draft:
        SqlDraftRepository(tx).replace_unreviewed(outcome.drafts, now, lens)
    runs.save(record)
    return record


def append_edits(tx: Transaction, edits: Sequence[Edit], expected_seq: int, revision: RunRevision | None) -> None:
    log, lens = SqlEditRepository(tx), edits[-1].lens
    latest = SqlRunRepository(tx).latest(lens)
    is_stale = (latest and latest.id) != (revision and revision.run_id)
    if log.newest_seq() != expected_seq or (is_stale and any(edit.changes_themes for edit in edits)):
        raise VersionConflict("themes of lens", lens)
    log.add_all(edits)
    if revision is not None:
        _apply_revision(tx, revision, edits[-1])


def _apply_revision(tx: Transaction, revision: RunRevision, edit: Edit) -> None:
    """Replace the themes and assignments of a run; its reported theme changes stay as they are."""
    runs, themes = SqlRunRepository(tx), SqlThemeRepository(tx)
    themes.delete_of_run(revision.run_id)
    themes.add_all(revision.run_id, revision.themes, revision.areas)
    runs.delete_assignments(revision.run_id)
    runs.add_assignments(revision.run_id, revision.assignments)
    record = runs.get(revision.run_id)
    if record.parameters.draft:
        SqlDraftRepository(tx).replace_unreviewed(revision.drafts, edit.at, edit.lens)
    revised = replace(
        record,
        n_themes=sum(bool(theme.case_ids) for theme in revision.themes),
        n_outliers=sum(assignment.theme_id is None for assignment in revision.assignments),
        n_drafts=len(revision.drafts),
        conflicts=tuple(revision.conflicts),
    )
    runs.save(revised)


def extend_roster(
    tx: Transaction, entries: Iterable[tuple[str, str | None, str | None]], redact: Redact
) -> RosterChange:
    SqlSubmissionRepository(tx).check_key()
    n_added = SqlNetworkRepository(tx).add_to_roster(entries)
    return RosterChange(added=n_added, changed=_redact_again(tx, redact))


def remove_from_roster(tx: Transaction, number: int, redact: Redact) -> RosterChange:
    SqlSubmissionRepository(tx).check_key()
    SqlNetworkRepository(tx).remove_from_roster(number)
    return RosterChange(added=0, changed=_redact_again(tx, redact))


def _redact_again(tx: Transaction, redact: Redact) -> int:
    """Redact all text for the current roster, and return the number of changed cases."""
    cases, rewrite = redact(SqlNetworkRepository(tx).roster())
    n_changed = SqlCaseRepository(tx).save_redacted(cases)
    rewrite_texts(tx, rewrite)
    return n_changed


def rewrite_texts(tx: Transaction, rewrite: TextRewrite) -> None:
    """Rewrite all stored text, and delete the vectors of dropped texts."""
    for repository in REWRITTEN_REPOSITORIES:
        repository(tx).rewrite(rewrite)
    SqlVectorRepository(tx).delete(rewrite.dropped_text_hashes)


def erase_case(
    tx: Transaction, case_id: str, rewrite: TextRewrite, kept_text_hashes: Collection[str], actor: str, at: datetime
) -> None:
    SqlIdempotencyKeyRepository(tx).drop_bodies()
    cases = SqlCaseRepository(tx)
    if not cases.delete_withdrawal(case_id):
        _remove_case(tx, case_id, rewrite, kept_text_hashes)
    SqlSubmissionRepository(tx).delete_of_case(case_id)
    cases.add_erasure(case_id, actor=actor, at=at)


def withdraw_case(
    tx: Transaction, case_id: str, rewrite: TextRewrite, kept_text_hashes: Collection[str], actor: str, at: datetime
) -> None:
    SqlIdempotencyKeyRepository(tx).drop_bodies()
    _remove_case(tx, case_id, rewrite, kept_text_hashes)
    SqlCaseRepository(tx).add_withdrawal(case_id, actor=actor, at=at)


def _remove_case(tx: Transaction, case_id: str, rewrite: TextRewrite, kept_text_hashes: Collection[str]) -> None:
    """Delete a case and everything derived from it, except its submission.

    A new table with a case id must be deleted from here, in the transaction that deletes the case.
    """
    SqlCaseRepository(tx).delete(case_id)
    rewrite_texts(tx, rewrite)
    SqlRunRepository(tx).delete_case(case_id)
    SqlCallRepository(tx).delete_answers_of([case_id])
    SqlJobRepository(tx).delete_of_case(case_id)
    SqlVectorRepository(tx).delete_others(kept_text_hashes)


def read_data_version(tx: Transaction) -> DataVersion:
    row = tx.connection.execute(DATA_VERSION_QUERY, {"id": tx.network_id}).one()
    return DataVersion(
        network=read_network(row),
        cases=VectorVersion(row.newest, row.n_removed),
        roster_version=row.roster_version,
        drafts=(row.n_drafts, row.n_current, row.n_decisions),
        last_run_number=row.last_run,
        last_edit_seq=row.last_edit_seq,
    )


def count_network(tx: Transaction, lens: str | None) -> NetworkCounts:
    case = schema.case
    rows = tx.rows(tx.select(case, case.c.kind, func.count().label("n")).group_by(case.c.kind))
    n_by_kind = {str(row.kind): int(row.n) for row in rows}
    runs = SqlRunRepository(tx)
    latest = runs.latest(lens)
    n_assigned, n_unplaced = runs.count_assigned(latest.id) if latest else (0, 0)
    return NetworkCounts(
        n_cases=n_by_kind.get(CaseKind.CASE, 0),
        n_recaps=n_by_kind.get(CaseKind.RECAP, 0),
        n_new=sum(n_by_kind.values()) - n_assigned,
        n_unplaced=n_unplaced,
        n_themes=latest.n_themes if latest else 0,
        drafts=SqlDraftRepository(tx).count_listed(),
    )


def read_change_counters(tx: Transaction) -> dict[str, int]:
    job, decision, run = schema.job, schema.decision, schema.run
    return {
        "jobs": tx.scalar(tx.select(job, func.coalesce(func.max(job.c.changed), 0))),
        "themes": SqlEditRepository(tx).newest_seq(),
        "reviews": tx.scalar(tx.select(decision, func.count())),
        "runs": tx.scalar(tx.select(run, func.count()).where(run.c.state == "finished")),
    }
