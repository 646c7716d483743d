"""Store drafts and the append-only log of decisions on them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, update

from patternmind.domain.drafts import Decision, Draft, DraftKind
from patternmind.errors import NotFound, VersionConflict
from patternmind.review import state_of
from patternmind.storage import records, schema
from patternmind.storage.repositories.base import NetworkScopedStore, chunked


class DraftRepository(NetworkScopedStore):
    """Drafts and their decisions."""

    def drafts(
        self, *, current: bool = True, kind: DraftKind | None = None
    ) -> list[tuple[Draft, tuple[Decision, ...], datetime]]:
        draft = schema.draft
        query = self._select(draft).order_by(draft.c.created_at, draft.c.id)
        query = query if kind is None else query.where(draft.c.kind == kind.value)
        with self._read_transaction() as connection:
            rows = connection.execute(query.where(draft.c.current == 1) if current else query).all()
            decisions = self._decision_logs(connection)
        return [
            (records.read_draft(row.body), decisions.get(row.id, ()), datetime.fromisoformat(row.created_at))
            for row in rows
        ]

    def draft(self, draft_id: str) -> tuple[Draft, tuple[Decision, ...], datetime]:
        with self._read_transaction() as connection:
            row = connection.execute(self._select(schema.draft).where(schema.draft.c.id == draft_id)).first()
            if row is None:
                raise NotFound("draft", draft_id)
            decisions = self._decision_logs(connection, draft_id).get(draft_id, ())
        return records.read_draft(row.body), decisions, datetime.fromisoformat(row.created_at)

    def _decision_logs(self, connection: Connection, draft_id: str | None = None) -> dict[str, tuple[Decision, ...]]:
        decision = schema.decision
        query = self._select(decision).order_by(decision.c.draft_id, decision.c.seq)
        logs: dict[str, tuple[Decision, ...]] = {}
        for row in connection.execute(query if draft_id is None else query.where(decision.c.draft_id == draft_id)):
            logs[row.draft_id] = (*logs.get(row.draft_id, ()), records.read_decision(row.body))
        return logs

    def _decision_logs_of(self, connection: Connection, draft_ids: Sequence[str]) -> dict[str, tuple[Decision, ...]]:
        """Load the decision logs of some drafts."""
        decision = schema.decision
        logs: dict[str, tuple[Decision, ...]] = {}
        query = self._select(decision).order_by(decision.c.draft_id, decision.c.seq)
        for chunk in chunked(draft_ids):
            for row in connection.execute(query.where(decision.c.draft_id.in_(chunk))):
                logs[row.draft_id] = (*logs.get(row.draft_id, ()), records.read_decision(row.body))
        return logs

    def save_drafts(self, drafts: Sequence[Draft], now: datetime) -> None:
        with self._write_transaction() as connection:
            self._check_quoted_cases_exist(connection, drafts)
            self._put_drafts(connection, drafts, now)

    def _check_quoted_cases_exist(self, connection: Connection, drafts: Sequence[Draft]) -> None:
        """Reject drafts started before a quoted case was erased; they would restore its text."""
        erased = set(connection.execute(self._select(schema.erasure, schema.erasure.c.case_id)).scalars())
        quoted = {quote.case_id for draft in drafts for claim in draft.claims for quote in claim.quotes}
        for case_id in sorted(quoted & erased):
            raise VersionConflict("case", case_id)

    def _put_drafts(self, connection: Connection, drafts: Sequence[Draft], now: datetime) -> None:
        stored_ids = set(connection.execute(self._select(schema.draft, schema.draft.c.id)).scalars())
        in_network = schema.draft.c.network_id == self._network_id
        for draft in drafts:
            if draft.id in stored_ids:
                is_draft = in_network & (schema.draft.c.id == draft.id)
                connection.execute(update(schema.draft).where(is_draft).values(current=1))
                continue
            connection.execute(
                insert(schema.draft).values(
                    network_id=self._network_id,
                    id=draft.id,
                    kind=draft.kind.value,
                    theme_id=draft.theme_id,
                    created_at=now.isoformat(),
                    body=records.draft_record(draft),
                    name=draft.name,
                    doubts="\n".join(sorted({flag.doubt.value for flag in draft.flags})),
                    n_cases=len({quote.case_id for claim in draft.claims for quote in claim.quotes}),
                )
            )

    def _replace_drafts(self, connection: Connection, drafts: Sequence[Draft], now: datetime, lens: str) -> None:
        """Replace the pattern drafts of this lens, except those with a decision."""
        theme, draft, decision = schema.theme, schema.draft, schema.decision
        of_lens = self._select(theme, theme.c.id).where(theme.c.body["lens"].as_string() == lens)
        decided = self._select(decision, decision.c.draft_id)
        connection.execute(
            update(draft)
            .where(draft.c.network_id == self._network_id, draft.c.kind == "pattern", draft.c.theme_id.in_(of_lens))
            .where(draft.c.id.not_in(decided))
            .values(current=0)
        )
        self._put_drafts(connection, drafts, now)

    def append_decision(self, decision: Decision, *, expected_version: int) -> None:
        with self._write_transaction() as connection:
            log = self._decision_logs(connection, decision.draft_id).get(decision.draft_id, ())
            if len(log) != expected_version:
                raise VersionConflict("draft", decision.draft_id)
            connection.execute(
                insert(schema.decision).values(
                    network_id=self._network_id,
                    draft_id=decision.draft_id,
                    seq=len(log) + 1,
                    body=records.decision_record(decision),
                )
            )
            self._save_state(connection, (*log, decision))

    def _save_state(self, connection: Connection, log: Sequence[Decision]) -> None:
        """Store the draft's state according to its log, so that lists need not read logs."""
        draft = schema.draft
        is_draft = (draft.c.network_id == self._network_id) & (draft.c.id == log[-1].draft_id)
        values = {"state": state_of(log).value, "n_decisions": len(log)}
        connection.execute(update(draft).where(is_draft).values(values))
