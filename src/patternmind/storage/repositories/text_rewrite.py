"""Everything stored that holds words, told anew in one transaction: a name became known, or a case is gone."""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection, delete, insert, update

from patternmind.domain.cases import Case, Submission
from patternmind.domain.networks import RosterEntry
from patternmind.errors import NotFound
from patternmind.ports import RosterChange, TextRewrite
from patternmind.storage import records, schema
from patternmind.storage.repositories.base import chunked
from patternmind.storage.repositories.cases import CaseRepository
from patternmind.storage.repositories.edits import EditRepository
from patternmind.storage.repositories.jobs import JobRepository
from patternmind.storage.repositories.review_queue import ReviewQueueRepository
from patternmind.storage.repositories.runs import theme_row


class TextRewriting(CaseRepository, EditRepository, ReviewQueueRepository, JobRepository):
    """A table that comes to hold words of cases gets its lines in ``_retell``."""

    def extend_roster(
        self,
        entries: Iterable[tuple[str, str | None, str | None]],
        redact: Callable[[list[RosterEntry]], tuple[Sequence[tuple[Submission, Case]], TextRewrite]],
    ) -> RosterChange:
        with self._write_transaction() as connection:
            self._check_key(connection)
            added = self._add_people(connection, entries)
            cases, retelling = redact(self._roster(connection))
            changed = self._put_cases(connection, cases).updated
            self._rewrite_texts(connection, retelling)
            if changed:
                self._rebuild_word_index(connection)
        return RosterChange(added=added, changed=changed)

    def remove_from_roster(
        self, number: int, redact: Callable[[list[RosterEntry]], tuple[Sequence[tuple[Submission, Case]], TextRewrite]]
    ) -> RosterChange:
        person = schema.person
        with self._write_transaction() as connection:
            self._check_key(connection)
            roster = self._roster(connection)
            if not any(one.number == number and one.name for one in roster):
                raise NotFound("line on the roster", str(number))
            mine = (person.c.network_id == self._id) & (person.c.number == number)
            connection.execute(update(person).where(mine).values(name="", email=None, team=None))
            empty = {"network_id": self._id, "number": roster[-1].number + 1, "name": ""}  # see ``Person``
            connection.execute(insert(person).values(empty))
            cases, retelling = redact(self._roster(connection))
            changed = self._put_cases(connection, cases).updated
            self._rewrite_texts(connection, retelling)
            if changed:
                self._rebuild_word_index(connection)
        return RosterChange(added=0, changed=changed)

    def _rewrite_texts(self, connection: Connection, rewrite: TextRewrite) -> None:
        self._rewrite_themes(connection, rewrite)
        self._rewrite_edits(connection, rewrite)
        self._rewrite_runs(connection, rewrite)
        self._rewrite_drafts(connection, rewrite)
        self._rewrite_uses(connection, rewrite)
        self._rewrite_jobs(connection, rewrite)
        self._delete_vectors(connection, rewrite.vectors)

    def _rewrite_themes(self, connection: Connection, rewrite: TextRewrite) -> None:
        theme, area, found = schema.theme, schema.area, schema.machine_result
        for row in connection.execute(self._of(theme)).all():
            before = records.read_theme(row.body)
            if (told := rewrite.theme(before)) != before:
                mine = (theme.c.network_id == self._id) & (theme.c.run_id == row.run_id) & (theme.c.id == row.id)
                connection.execute(update(theme).where(mine).values(**theme_row(told)))
        for row in connection.execute(self._of(area)).all():
            if (name := rewrite.name(row.name)) != row.name:
                mine = (area.c.network_id == self._id) & (area.c.run_id == row.run_id) & (area.c.id == row.id)
                connection.execute(update(area).where(mine).values(name=name))
        for row in connection.execute(self._of(found, found.c.run_id, found.c.body)).all():
            memory = [records.theme_record(rewrite.theme(records.read_theme(one))) for one in row.body["memory"]]
            mine = (found.c.network_id == self._id) & (found.c.run_id == row.run_id)
            connection.execute(update(found).where(mine).values(body={**row.body, "memory": memory}))

    def _rewrite_edits(self, connection: Connection, rewrite: TextRewrite) -> None:
        edit = schema.edit
        for row in connection.execute(self._of(edit)).all():
            told = {name: rewrite.name(row.body[name]) for name in ("name", "former_name") if row.body[name]}
            told |= {"note": rewrite.words(row.body["note"])} if row.body["note"] else {}
            if any(row.body[name] != words for name, words in told.items()):
                mine = (edit.c.network_id == self._id) & (edit.c.seq == row.seq)
                connection.execute(update(edit).where(mine).values(body={**row.body, **told}))

    def _rewrite_runs(self, connection: Connection, rewrite: TextRewrite) -> None:
        run = schema.run
        for row in connection.execute(self._of(run)).all():
            notes = [rewrite.words(note) for note in row.body["notes"]]
            conflicts = [{**one, "text": rewrite.words(one["text"])} for one in row.body.get("conflicts", ())]
            told = {**row.body, "notes": notes, "conflicts": conflicts}
            if told != {"conflicts": [], **row.body}:
                mine = (run.c.network_id == self._id) & (run.c.id == row.id)
                connection.execute(update(run).where(mine).values(body=told))

    def _rewrite_drafts(self, connection: Connection, rewrite: TextRewrite) -> None:
        """Drafts that were replaced too, and the log of decisions: no line of it goes, only words in it."""
        draft, decision = schema.draft, schema.decision
        log = self._decision_logs(connection)
        for row in connection.execute(self._of(draft)).all():
            before, decided = records.read_draft(row.body), log.get(row.id, ())
            told, logged = rewrite.draft(before, decided)
            if told != before:
                mine = (draft.c.network_id == self._id) & (draft.c.id == row.id)
                connection.execute(update(draft).where(mine).values(body=records.draft_record(told), name=told.name))
            for seq, (was, one) in enumerate(zip(decided, logged, strict=True), start=1):
                if one != was:
                    mine = (decision.c.network_id == self._id) & (decision.c.draft_id == row.id)
                    body = records.decision_record(one)
                    connection.execute(update(decision).where(mine, decision.c.seq == seq).values(body=body))

    def _rebuild_word_index(self, connection: Connection) -> None:
        """The index of words keeps those of former texts in its older parts until it is written anew."""
        connection.exec_driver_sql("INSERT INTO case_words (case_words) VALUES ('delete-all')")
        connection.exec_driver_sql("INSERT INTO case_words (rowid, words) SELECT number, words FROM case_said")

    def _delete_vectors(self, connection: Connection, hashes: Iterable[str]) -> None:
        kept = schema.vector
        for part in chunked(sorted(hashes)):
            connection.execute(delete(kept).where(kept.c.network_id == self._id, kept.c.text_hash.in_(part)))
