"""Who looks at which draft just now, whose last decisions those were, and the uses of patterns."""

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
    """The queue, reservations and uses."""

    def draft_summaries(self) -> list[DraftSummary]:
        draft, decision = schema.draft, schema.decision
        wanted = (draft.c.id, draft.c.kind, draft.c.theme_id, draft.c.name, draft.c.doubts, draft.c.n_cases)
        shown = (draft.c.current == 1) | draft.c.id.in_(self._of(decision, decision.c.draft_id))
        query = self._of(draft, *wanted).where(shown)
        with self._read_transaction() as connection:
            logs = self._decision_logs(connection)
            rows = connection.execute(query.order_by(draft.c.id)).all()
        return [
            DraftSummary(
                id=row.id,
                kind=DraftKind(row.kind),
                theme_id=row.theme_id,
                name=row.name,
                flag_kinds=tuple(FlagKind(one) for one in row.doubts.splitlines()),
                n_cases=row.n_cases,
                decisions=logs.get(row.id, ()),
            )
            for row in rows
        ]

    def reserve_draft(self, reservation: DraftReservation, now: datetime) -> DraftReservation:
        kept = schema.reservation
        mine = (kept.c.network_id == self._id) & (kept.c.draft_id == reservation.draft_id)
        with self._write_transaction() as connection:
            row = connection.execute(select(kept).where(mine)).first()
            held = DraftReservation(draft_id=row.draft_id, by=row.by, until=_parse_time(row.until)) if row else None
            if held and held.by != reservation.by and held.until > now:
                return held
            connection.execute(delete(kept).where(mine))
            values = {"draft_id": reservation.draft_id, "by": reservation.by, "until": reservation.until.isoformat()}
            connection.execute(insert(kept).values(network_id=self._id, **values))
        return reservation

    def release_draft(self, draft_id: str, actor: str) -> None:
        kept = schema.reservation
        mine = (kept.c.network_id == self._id) & (kept.c.draft_id == draft_id) & (kept.c.by == actor)
        with self._write_transaction() as connection:
            connection.execute(delete(kept).where(mine))

    def reservations(self, now: datetime) -> list[DraftReservation]:
        with self._read_transaction() as connection:
            rows = connection.execute(self._of(schema.reservation).order_by(schema.reservation.c.draft_id)).all()
        held = [DraftReservation(draft_id=row.draft_id, by=row.by, until=_parse_time(row.until)) for row in rows]
        return [one for one in held if one.until > now]

    def recent_decisions(self, actor: str, *, limit: int) -> list[Decision]:
        kept = schema.decision
        query = self._of(kept).where(kept.c.body["by"].as_string() == actor)
        with self._read_transaction() as connection:
            latest = query.order_by(kept.c.body["at"].as_string().desc(), kept.c.seq.desc()).limit(limit)
            return [records.read_decision(row.body) for row in connection.execute(latest).all()]

    def save_pattern_use(self, use: PatternUse) -> None:
        with self._write_transaction() as connection:
            known = self._of(schema.pattern_use, schema.pattern_use.c.id).where(schema.pattern_use.c.id == use.id)
            if connection.execute(known).first() is None:
                connection.execute(insert(schema.pattern_use).values(network_id=self._id, **_use_row(use)))

    def list_pattern_uses(self, pattern_id: str | None = None) -> list[PatternUse]:
        kept = schema.pattern_use
        query = self._of(kept).order_by(kept.c.on.desc(), kept.c.at.desc(), kept.c.id)
        with self._read_transaction() as connection:
            rows = connection.execute(query if pattern_id is None else query.where(kept.c.pattern_id == pattern_id))
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
        kept = schema.pattern_use
        for row in connection.execute(self._of(kept)).all():
            told = {"note": rewrite.words(row.note), "team": rewrite.words(row.team)}
            if told != {"note": row.note, "team": row.team}:
                mine = (kept.c.network_id == self._id) & (kept.c.id == row.id)
                connection.execute(update(kept).where(mine).values(**told))


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
