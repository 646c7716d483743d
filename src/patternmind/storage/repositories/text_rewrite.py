"""Rewrite all stored text in one transaction, after a roster change or a case's removal."""

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
    """Rewriting of stored text; a new table with text of cases must be added to ``_rewrite_texts``."""

    def extend_roster(
        self,
        entries: Iterable[tuple[str, str | None, str | None]],
        redact: Callable[[list[RosterEntry]], tuple[Sequence[tuple[Submission, Case]], TextRewrite]],
    ) -> RosterChange:
        with self._write_transaction() as connection:
            self._check_key(connection)
            added = self._add_entries(connection, entries)
            cases, rewrite = redact(self._roster(connection))
            changed = self._put_cases(connection, cases).updated
            self._rewrite_texts(connection, rewrite)
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
            if not any(entry.number == number and entry.name for entry in roster):
                raise NotFound("roster entry", str(number))
            is_entry = (person.c.network_id == self._network_id) & (person.c.number == number)
            connection.execute(update(person).where(is_entry).values(name="", email=None, team=None))
            empty_row = {"network_id": self._network_id, "number": roster[-1].number + 1, "name": ""}  # see RosterEntry
            connection.execute(insert(person).values(empty_row))
            cases, rewrite = redact(self._roster(connection))
            changed = self._put_cases(connection, cases).updated
            self._rewrite_texts(connection, rewrite)
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
        self._delete_vectors(connection, rewrite.dropped_text_hashes)

    def _rewrite_themes(self, connection: Connection, rewrite: TextRewrite) -> None:
        theme, area, result = schema.theme, schema.area, schema.machine_result
        for row in connection.execute(self._select(theme)).all():
            before = records.read_theme(row.body)
            if (after := rewrite.rewrite_theme(before)) != before:
                of_run = (theme.c.network_id == self._network_id) & (theme.c.run_id == row.run_id)
                connection.execute(update(theme).where(of_run, theme.c.id == row.id).values(**theme_row(after)))
        for row in connection.execute(self._select(area)).all():
            if (name := rewrite.rewrite_name(row.name)) != row.name:
                of_run = (area.c.network_id == self._network_id) & (area.c.run_id == row.run_id)
                connection.execute(update(area).where(of_run, area.c.id == row.id).values(name=name))
        for row in connection.execute(self._select(result, result.c.run_id, result.c.body)).all():
            themes = [rewrite.rewrite_theme(records.read_theme(record)) for record in row.body["memory"]]
            body = {**row.body, "memory": [records.theme_record(theme) for theme in themes]}
            of_run = (result.c.network_id == self._network_id) & (result.c.run_id == row.run_id)
            connection.execute(update(result).where(of_run).values(body=body))

    def _rewrite_edits(self, connection: Connection, rewrite: TextRewrite) -> None:
        edit = schema.edit
        for row in connection.execute(self._select(edit)).all():
            texts = {key: rewrite.rewrite_name(row.body[key]) for key in ("name", "former_name") if row.body[key]}
            texts |= {"note": rewrite.rewrite_text(row.body["note"])} if row.body["note"] else {}
            if any(row.body[key] != text for key, text in texts.items()):
                is_edit = (edit.c.network_id == self._network_id) & (edit.c.seq == row.seq)
                connection.execute(update(edit).where(is_edit).values(body={**row.body, **texts}))

    def _rewrite_runs(self, connection: Connection, rewrite: TextRewrite) -> None:
        run = schema.run
        for row in connection.execute(self._select(run)).all():
            notes = [rewrite.rewrite_text(note) for note in row.body["notes"]]
            conflicts = [
                {**conflict, "text": rewrite.rewrite_text(conflict["text"])}
                for conflict in row.body.get("conflicts", ())
            ]
            body = {**row.body, "notes": notes, "conflicts": conflicts}
            if body != {"conflicts": [], **row.body}:
                is_run = (run.c.network_id == self._network_id) & (run.c.id == row.id)
                connection.execute(update(run).where(is_run).values(body=body))

    def _rewrite_drafts(self, connection: Connection, rewrite: TextRewrite) -> None:
        """Rewrite all drafts, including replaced ones, and the text of their decisions."""
        draft, decision = schema.draft, schema.decision
        logs = self._decision_logs(connection)
        for row in connection.execute(self._select(draft)).all():
            draft_before, log_before = records.read_draft(row.body), logs.get(row.id, ())
            draft_after, log_after = rewrite.rewrite_draft(draft_before, log_before)
            if draft_after != draft_before:
                is_draft = (draft.c.network_id == self._network_id) & (draft.c.id == row.id)
                values = {"body": records.draft_record(draft_after), "name": draft_after.name}
                connection.execute(update(draft).where(is_draft).values(values))
            for seq, (before, after) in enumerate(zip(log_before, log_after, strict=True), start=1):
                if after != before:
                    of_draft = (decision.c.network_id == self._network_id) & (decision.c.draft_id == row.id)
                    body = records.decision_record(after)
                    connection.execute(update(decision).where(of_draft, decision.c.seq == seq).values(body=body))

    def _rebuild_word_index(self, connection: Connection) -> None:
        """Rebuild the word index, whose older segments otherwise keep the words of former texts."""
        connection.exec_driver_sql("INSERT INTO case_words (case_words) VALUES ('delete-all')")
        connection.exec_driver_sql("INSERT INTO case_words (rowid, words) SELECT number, words FROM case_said")

    def _delete_vectors(self, connection: Connection, hashes: Iterable[str]) -> None:
        vector = schema.vector
        in_network = vector.c.network_id == self._network_id
        for chunk in chunked(sorted(hashes)):
            connection.execute(delete(vector).where(in_network, vector.c.text_hash.in_(chunk)))
