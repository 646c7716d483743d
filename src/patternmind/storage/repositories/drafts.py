"""Drafts and the append-only log of the decisions on them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, update

from patternmind.domain.drafts import Decision, Draft, DraftKind
from patternmind.errors import NotFound, VersionConflict
from patternmind.review import state_of
from patternmind.storage import records, schema
from patternmind.storage.repositories.base import NetworkScopedStore, chunked


class DraftRepository(NetworkScopedStore):
    """Drafts and decisions."""

    def drafts(
        self, *, current: bool = True, kind: DraftKind | None = None
    ) -> list[tuple[Draft, tuple[Decision, ...], datetime]]:
        draft = schema.draft
        query = self._of(draft).order_by(draft.c.created_at, draft.c.id)
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
            row = connection.execute(self._of(schema.draft).where(schema.draft.c.id == draft_id)).first()
            if row is None:
                raise NotFound("draft", draft_id)
            decisions = self._decision_logs(connection, draft_id).get(draft_id, ())
        return records.read_draft(row.body), decisions, datetime.fromisoformat(row.created_at)

    def _decision_logs(self, connection: Connection, draft_id: str | None = None) -> dict[str, tuple[Decision, ...]]:
        kept = schema.decision
        query = self._of(kept).order_by(kept.c.draft_id, kept.c.seq)
        found: dict[str, tuple[Decision, ...]] = {}
        for row in connection.execute(query if draft_id is None else query.where(kept.c.draft_id == draft_id)):
            found[row.draft_id] = (*found.get(row.draft_id, ()), records.read_decision(row.body))
        return found

    def _decision_logs_of(self, connection: Connection, draft_ids: Sequence[str]) -> dict[str, tuple[Decision, ...]]:
        """The decisions on some drafts."""
        kept = schema.decision
        found: dict[str, tuple[Decision, ...]] = {}
        query = self._of(kept).order_by(kept.c.draft_id, kept.c.seq)
        for part in chunked(draft_ids):
            for row in connection.execute(query.where(kept.c.draft_id.in_(part))):
                found[row.draft_id] = (*found.get(row.draft_id, ()), records.read_decision(row.body))
        return found

    def save_drafts(self, drafts: Sequence[Draft], now: datetime) -> None:
        with self._write_transaction() as connection:
            self._check_quoted_cases_exist(connection, drafts)
            self._put_drafts(connection, drafts, now)

    def _check_quoted_cases_exist(self, connection: Connection, drafts: Sequence[Draft]) -> None:
        """A draft begun before a case was erased would bring its words back."""
        erased = set(connection.execute(self._of(schema.erasure, schema.erasure.c.case_id)).scalars())
        quoted = {quote.case_id for draft in drafts for claim in draft.claims for quote in claim.quotes}
        for case_id in sorted(quoted & erased):
            raise VersionConflict("case", case_id)

    def _put_drafts(self, connection: Connection, drafts: Sequence[Draft], now: datetime) -> None:
        known = set(connection.execute(self._of(schema.draft, schema.draft.c.id)).scalars())
        mine = schema.draft.c.network_id == self._id
        for draft in drafts:
            if draft.id in known:
                connection.execute(update(schema.draft).where(mine & (schema.draft.c.id == draft.id)).values(current=1))
                continue
            connection.execute(
                insert(schema.draft).values(
                    network_id=self._id,
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
        """Step aside the pattern drafts of this lens that nobody decided on; those with a decision stay as they are."""
        theme, draft, decision = schema.theme, schema.draft, schema.decision
        of_lens = self._of(theme, theme.c.id).where(theme.c.body["lens"].as_string() == lens)
        decided = self._of(decision, decision.c.draft_id)
        connection.execute(
            update(draft)
            .where(draft.c.network_id == self._id, draft.c.kind == "pattern", draft.c.theme_id.in_(of_lens))
            .where(draft.c.id.not_in(decided))
            .values(current=0)
        )
        self._put_drafts(connection, drafts, now)

    def append_decision(self, decision: Decision, *, expected_version: int) -> None:
        kept = schema.decision
        with self._write_transaction() as connection:
            log = self._decision_logs(connection, decision.draft_id).get(decision.draft_id, ())
            if len(log) != expected_version:
                raise VersionConflict("draft", decision.draft_id)
            connection.execute(
                insert(kept).values(
                    network_id=self._id,
                    draft_id=decision.draft_id,
                    seq=len(log) + 1,
                    body=records.decision_record(decision),
                )
            )
            self._save_state(connection, (*log, decision))

    def _save_state(self, connection: Connection, log: Sequence[Decision]) -> None:
        """What the log adds up to, kept beside the draft, so that a list need not read every log."""
        draft = schema.draft
        mine = (draft.c.network_id == self._id) & (draft.c.id == log[-1].draft_id)
        values = {"state": state_of(log).value, "n_decisions": len(log)}
        connection.execute(update(draft).where(mine).values(values))
