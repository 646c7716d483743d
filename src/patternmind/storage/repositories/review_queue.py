"""Store reservations of drafts and uses of patterns, and query decisions for the review queue."""

from datetime import date, datetime

from sqlalchemy import Connection, delete, insert, select, update

from patternmind.domain.drafts import (
    Decision,
    DraftKind,
    DraftReservation,
    DraftSummary,
    FlagKind,
    PatternUse,
)
from patternmind.ports import TextRewrite
from patternmind.storage import records, schema
from patternmind.storage.repositories.drafts import DraftRepository


class ReviewQueueRepository(DraftRepository):
    """Draft summaries, reservations and pattern uses."""

    def draft_summaries(self) -> list[DraftSummary]:
        draft, decision = schema.draft, schema.decision
        columns = (draft.c.id, draft.c.kind, draft.c.theme_id, draft.c.name, draft.c.doubts, draft.c.n_cases)
        is_listed = (draft.c.current == 1) | draft.c.id.in_(self._select(decision, decision.c.draft_id))
        query = self._select(draft, *columns).where(is_listed)
        with self._read_transaction() as connection:
            logs = self._decision_logs(connection)
            rows = connection.execute(query.order_by(draft.c.id)).all()
        return [
            DraftSummary(
                id=row.id,
                kind=DraftKind(row.kind),
                theme_id=row.theme_id,
                name=row.name,
                flag_kinds=tuple(FlagKind(line) for line in row.doubts.splitlines()),
                n_cases=row.n_cases,
                decisions=logs.get(row.id, ()),
            )
            for row in rows
        ]

    def reserve_draft(self, reservation: DraftReservation, now: datetime) -> DraftReservation:
        table = schema.reservation
        of_draft = (table.c.network_id == self._network_id) & (table.c.draft_id == reservation.draft_id)
        with self._write_transaction() as connection:
            row = connection.execute(select(table).where(of_draft)).first()
            existing = DraftReservation(draft_id=row.draft_id, by=row.by, until=_parse_time(row.until)) if row else None
            if existing and existing.by != reservation.by and existing.until > now:
                return existing
            connection.execute(delete(table).where(of_draft))
            values = {"draft_id": reservation.draft_id, "by": reservation.by, "until": reservation.until.isoformat()}
            connection.execute(insert(table).values(network_id=self._network_id, **values))
        return reservation

    def release_draft(self, draft_id: str, actor: str) -> None:
        table = schema.reservation
        of_actor = (table.c.network_id == self._network_id) & (table.c.draft_id == draft_id) & (table.c.by == actor)
        with self._write_transaction() as connection:
            connection.execute(delete(table).where(of_actor))

    def reservations(self, now: datetime) -> list[DraftReservation]:
        with self._read_transaction() as connection:
            rows = connection.execute(self._select(schema.reservation).order_by(schema.reservation.c.draft_id)).all()
        stored = [DraftReservation(draft_id=row.draft_id, by=row.by, until=_parse_time(row.until)) for row in rows]
        return [reservation for reservation in stored if reservation.until > now]

    def recent_decisions(self, actor: str, *, limit: int) -> list[Decision]:
        decision = schema.decision
        query = self._select(decision).where(decision.c.body["by"].as_string() == actor)
        with self._read_transaction() as connection:
            latest = query.order_by(decision.c.body["at"].as_string().desc(), decision.c.seq.desc()).limit(limit)
            return [records.read_decision(row.body) for row in connection.execute(latest).all()]

    def save_pattern_use(self, use: PatternUse) -> None:
        with self._write_transaction() as connection:
            stored = self._select(schema.pattern_use, schema.pattern_use.c.id).where(schema.pattern_use.c.id == use.id)
            if connection.execute(stored).first() is None:
                connection.execute(insert(schema.pattern_use).values(network_id=self._network_id, **_use_row(use)))

    def list_pattern_uses(self, pattern_id: str | None = None) -> list[PatternUse]:
        table = schema.pattern_use
        query = self._select(table).order_by(table.c.on.desc(), table.c.at.desc(), table.c.id)
        with self._read_transaction() as connection:
            rows = connection.execute(query if pattern_id is None else query.where(table.c.pattern_id == pattern_id))
            return [
                PatternUse(
                    id=row.id,
                    pattern_id=row.pattern_id,
                    on=date.fromisoformat(row.on),
                    team=row.team,
                    note=row.note,
                    by=row.by,
                    at=_parse_time(row.at),
                )
                for row in rows
            ]

    def _rewrite_uses(self, connection: Connection, rewrite: TextRewrite) -> None:
        table = schema.pattern_use
        for row in connection.execute(self._select(table)).all():
            texts = {"note": rewrite.rewrite_text(row.note), "team": rewrite.rewrite_text(row.team)}
            if texts != {"note": row.note, "team": row.team}:
                is_use = (table.c.network_id == self._network_id) & (table.c.id == row.id)
                connection.execute(update(table).where(is_use).values(**texts))


def _use_row(use: PatternUse) -> dict[str, str]:
    return {
        "id": use.id,
        "pattern_id": use.pattern_id,
        "on": use.on.isoformat(),
        "team": use.team,
        "note": use.note,
        "by": use.by,
        "at": use.at.isoformat(),
    }


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)
