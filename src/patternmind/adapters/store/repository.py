"""The store of one network on SQLite. Every statement names the network; every write is one transaction."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, Select, Table, func, insert, select, update

from patternmind.adapters.store import records, tables
from patternmind.adapters.store.engine import open_engine, reading, writing
from patternmind.errors import ChangedMeanwhile, NotFound
from patternmind.model.cases import Case, Consent, Kind, Submission
from patternmind.model.drafts import Decision, Draft
from patternmind.model.network import Network, Person, PublishingRule
from patternmind.model.themes import Assignment, Theme, ThemeChange, Vectors
from patternmind.ports import RunOutcome, RunParameters, RunRecord, StoredCounts, Token

SLICE = 900
"""SQLite takes a few thousand values in one IN list; slices keep every statement small."""


class SqlStore:
    """Implements ``ports.Store``."""

    def __init__(self, path: Path, network_id: str = "default", *, name: str = "") -> None:
        self.path = path
        self._engine: Engine = open_engine(path)
        self._id = network_id
        with self._reading() as connection:
            known = connection.execute(select(tables.network.c.id).where(tables.network.c.id == network_id)).first()
        if known is None:
            self._make_network(Network(id=network_id, name=name or network_id))

    def close(self) -> None:
        self._engine.dispose()

    def _reading(self):
        return reading(self._engine, self.path)

    def _writing(self):
        return writing(self._engine, self.path)

    def _of(self, table: Table, *columns: Any) -> Select[Any]:
        return select(*(columns or (table,))).where(table.c.network_id == self._id)

    # network -------------------------------------------------------------------------------------------------------

    def _make_network(self, network: Network) -> None:
        row = {**_network_row(network), "id": network.id, "secret": secrets.token_bytes(32)}
        with self._writing() as connection:
            connection.execute(insert(tables.network).prefix_with("OR IGNORE").values(row))

    @property
    def network(self) -> Network:
        with self._reading() as connection:
            row = connection.execute(select(tables.network).where(tables.network.c.id == self._id)).one()
        return Network(
            id=row.id,
            name=row.name,
            purpose=row.purpose,
            rule=PublishingRule(min_contributors=row.min_contributors, min_teams=row.min_teams),
            default_consent=Consent(row.default_consent),
        )

    def save_network(self, network: Network) -> None:
        with self._writing() as connection:
            connection.execute(
                update(tables.network).where(tables.network.c.id == self._id).values(_network_row(network))
            )

    def secret(self) -> bytes:
        with self._reading() as connection:
            secret: bytes = connection.execute(
                select(tables.network.c.secret).where(tables.network.c.id == self._id)
            ).scalar_one()
        return secret

    def roster(self) -> list[Person]:
        with self._reading() as connection:
            rows = connection.execute(self._of(tables.person).order_by(tables.person.c.number)).all()
        return [Person(number=row.number, name=row.name, email=row.email, team=row.team) for row in rows]

    def add_people(self, people: Iterable[tuple[str, str | None, str | None]]) -> int:
        with self._writing() as connection:
            rows = connection.execute(self._of(tables.person)).all()
            known = {row.name.casefold() for row in rows}
            number = max((row.number for row in rows), default=0)
            added: list[dict[str, Any]] = []
            for name, email, team in people:
                if name.casefold() in known:
                    continue
                known.add(name.casefold())
                number += 1
                added.append({"network_id": self._id, "number": number, "name": name, "email": email, "team": team})
            if added:
                connection.execute(insert(tables.person), added)
        return len(added)

    # intake --------------------------------------------------------------------------------------------------------

    def save_cases(self, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False) -> StoredCounts:
        with self._writing() as connection:
            known = self._content(connection, [case.id for _, case in cases])
            taken = {case.id: (submission, case) for submission, case in cases if not _same(known.get(case.id), case)}
            elsewhere = self._same_text(connection, [case for _, case in taken.values()])
            for submission, case in () if dry_run else taken.values():
                self._put_case(connection, submission, case, known.get(case.id))
        return StoredCounts(
            accepted=len(taken),
            unchanged=len(cases) - len(taken),
            duplicates=elsewhere,
            updated=sum(case_id in known for case_id in taken),
        )

    def _content(self, connection: Connection, ids: Sequence[str]) -> dict[str, Any]:
        case = tables.case
        query = self._of(case, case.c.id, case.c.content_hash, case.c.body)
        return {row.id: row for part in _slices(ids) for row in connection.execute(query.where(case.c.id.in_(part)))}

    def _same_text(self, connection: Connection, cases: Sequence[Case]) -> int:
        """How many of these cases have a text that an earlier case, stored or in this list, has under another id."""
        case = tables.case
        hashes = sorted({one.content_hash for one in cases})
        query = self._of(case, case.c.content_hash, case.c.id)
        owners: dict[str, set[str]] = {}
        for part in _slices(hashes):
            for row in connection.execute(query.where(case.c.content_hash.in_(part))):
                owners.setdefault(row.content_hash, set()).add(row.id)
        repeated = 0
        for one in cases:
            others = owners.setdefault(one.content_hash, set())
            repeated += bool(others - {one.id})
            others.add(one.id)
        return repeated

    def _put_case(self, connection: Connection, submission: Submission, case: Case, known: Any) -> None:
        row = {
            "kind": case.kind.value,
            "external_id": case.external_id,
            "date": case.date.isoformat() if case.date else None,
            "content_hash": case.content_hash,
            "text_version": case.text_version,
            "body": records.case_record(case),
        }
        if known is None:
            connection.execute(insert(tables.case).values(network_id=self._id, id=case.id, **row))
        else:
            where = (tables.case.c.network_id == self._id) & (tables.case.c.id == case.id)
            connection.execute(update(tables.case).where(where).values(row))
        self._keep_submission(connection, submission, case)

    def _keep_submission(self, connection: Connection, submission: Submission, case: Case) -> None:
        """A new version where what was handed in is new; redacting the same submission again keeps the one there is."""
        kept = tables.submission
        query = self._of(kept, kept.c.version, kept.c.body).where(kept.c.case_id == case.id)
        newest = connection.execute(query.order_by(kept.c.version.desc()).limit(1)).first()
        body = records.submission_record(submission)
        if newest is not None and records.read_submission(newest.body) == submission:
            return
        connection.execute(
            insert(kept).values(
                network_id=self._id,
                case_id=case.id,
                version=newest.version + 1 if newest is not None else 1,
                body=body,
                content_hash=case.content_hash,
            )
        )

    def submissions(self) -> list[Submission]:
        kept = tables.submission
        query = self._of(kept, kept.c.case_id, kept.c.body).order_by(kept.c.case_id, kept.c.version)
        with self._reading() as connection:
            newest = {row.case_id: row.body for row in connection.execute(query)}
        return [records.read_submission(body) for body in newest.values()]

    def cases(self, *, kind: Kind | None = None, since: str | None = None) -> list[Case]:
        case = tables.case
        query = self._of(case, case.c.body, case.c.duplicate_of).order_by(case.c.id)
        if kind is not None:
            query = query.where(case.c.kind == kind.value)
        if since is not None:
            query = query.where((case.c.date >= since) | case.c.date.is_(None))
        with self._reading() as connection:
            return [records.read_case(row.body, row.duplicate_of) for row in connection.execute(query)]

    def case(self, case_id: str) -> Case:
        case = tables.case
        query = self._of(case, case.c.id, case.c.body, case.c.duplicate_of).where(
            (case.c.id == case_id) | (case.c.external_id == case_id)
        )
        with self._reading() as connection:
            rows = connection.execute(query.order_by(case.c.id)).all()
        if not rows:
            raise NotFound("case", case_id)
        row = next((row for row in rows if row.id == case_id), rows[0])
        return records.read_case(row.body, row.duplicate_of)

    # vectors -------------------------------------------------------------------------------------------------------

    def vectors(self, encoder_id: str, hashes: Sequence[str]) -> dict[str, Vectors]:
        kept = tables.vector
        query = self._of(kept, kept.c.text_hash, kept.c.vector).where(kept.c.encoder_id == encoder_id)
        with self._reading() as connection:
            return {
                row.text_hash: np.frombuffer(row.vector, np.float32)
                for part in _slices(sorted(set(hashes)))
                for row in connection.execute(query.where(kept.c.text_hash.in_(part)))
            }

    def save_vectors(self, encoder_id: str, rows: Mapping[str, Vectors]) -> None:
        if not rows:
            return
        values = [
            {
                "network_id": self._id,
                "encoder_id": encoder_id,
                "text_hash": text_hash,
                "vector": np.ascontiguousarray(vector, np.float32).tobytes(),
            }
            for text_hash, vector in rows.items()
        ]
        with self._writing() as connection:
            connection.execute(insert(tables.vector).prefix_with("OR IGNORE"), values)

    # runs ----------------------------------------------------------------------------------------------------------

    def begin_run(self, parameters: RunParameters, now: datetime) -> RunRecord:
        run = tables.run
        with self._writing() as connection:
            self._close_open_runs(connection, "interrupted", now)
            number = connection.execute(self._of(run, func.coalesce(func.max(run.c.number), 0))).scalar_one() + 1
            record = RunRecord(
                id=f"run-{number:04d}", number=number, parameters=parameters, state="running", started_at=now
            )
            connection.execute(insert(run).values(network_id=self._id, **_run_row(record)))
        return record

    def _close_open_runs(self, connection: Connection, state: str, now: datetime) -> None:
        run = tables.run
        open_runs = (run.c.network_id == self._id) & (run.c.state == "running")
        connection.execute(update(run).where(open_runs).values(state=state, finished_at=now.isoformat()))

    def finish_run(self, run_id: str, outcome: RunOutcome, now: datetime) -> RunRecord:
        with self._writing() as connection:
            begun = self._run(connection, run_id)
            record = replace(
                begun,
                state="finished",
                finished_at=now,
                n_cases=len(outcome.assignments),
                n_themes=sum(bool(theme.case_ids) for theme in outcome.themes),
                n_outliers=sum(one.theme_id is None for one in outcome.assignments),
                n_drafts=len(outcome.drafts),
                seconds=dict(outcome.seconds),
                notes=tuple(outcome.notes),
                fingerprint=outcome.fingerprint,
            )
            self._put_outcome(connection, run_id, outcome)
            if begun.parameters.draft:
                self._replace_drafts(connection, outcome.drafts, now, begun.parameters.lens)
            self._put_run(connection, record)
        return record

    def _put_outcome(self, connection: Connection, run_id: str, outcome: RunOutcome) -> None:
        of_run = {"network_id": self._id, "run_id": run_id}
        _insert_all(
            connection,
            tables.theme,
            [
                {**of_run, "id": theme.id, "rank": rank, "body": records.theme_record(theme)}
                for rank, theme in enumerate(outcome.themes)
            ],
        )
        _insert_all(connection, tables.area, [{**of_run, "id": id, "name": name} for id, name in outcome.areas.items()])
        _insert_all(
            connection,
            tables.theme_change,
            [
                {**of_run, "seq": seq, "theme_id": change.theme_id, "body": records.change_record(change)}
                for seq, change in enumerate(outcome.changes)
            ],
        )
        _insert_all(connection, tables.assignment, [{**of_run, **asdict(one)} for one in outcome.assignments])
        self._mark_duplicates(connection, outcome.duplicate_of)

    def _mark_duplicates(self, connection: Connection, duplicate_of: Mapping[str, str]) -> None:
        case = tables.case
        mine = case.c.network_id == self._id
        connection.execute(update(case).where(mine & case.c.duplicate_of.is_not(None)).values(duplicate_of=None))
        for case_id, first in duplicate_of.items():
            connection.execute(update(case).where(mine & (case.c.id == case_id)).values(duplicate_of=first))

    def fail_run(self, run_id: str, reason: str, now: datetime) -> None:
        with self._writing() as connection:
            begun = self._run(connection, run_id)
            self._put_run(connection, replace(begun, state="failed", finished_at=now, notes=(*begun.notes, reason)))

    def _run(self, connection: Connection, run_id: str) -> RunRecord:
        row = connection.execute(self._of(tables.run).where(tables.run.c.id == run_id)).first()
        if row is None:
            raise NotFound("run", run_id)
        return _read_run(row)

    def _put_run(self, connection: Connection, record: RunRecord) -> None:
        where = (tables.run.c.network_id == self._id) & (tables.run.c.id == record.id)
        connection.execute(update(tables.run).where(where).values(_run_row(record)))

    def last_run(self, lens: str | None = None) -> RunRecord | None:
        with self._reading() as connection:
            return self._last(connection, lens)

    def _last(self, connection: Connection, lens: str | None) -> RunRecord | None:
        run = tables.run
        query = self._of(run).where(run.c.state == "finished").order_by(run.c.number.desc()).limit(1)
        row = connection.execute(query if lens is None else query.where(run.c.lens == lens)).first()
        return _read_run(row) if row is not None else None

    def runs(self) -> list[RunRecord]:
        with self._reading() as connection:
            rows = connection.execute(self._of(tables.run).order_by(tables.run.c.number)).all()
        return [_read_run(row) for row in rows]

    # themes --------------------------------------------------------------------------------------------------------

    def themes(self, lens: str | None = None) -> list[Theme]:
        theme = tables.theme
        rows = self._of_last_run(theme, lens, theme.c.rank)
        return [records.read_theme(row.body) for row in rows]

    def theme_ids(self) -> set[str]:
        with self._reading() as connection:
            return set(connection.execute(self._of(tables.theme, tables.theme.c.id).distinct()).scalars())

    def areas(self, lens: str | None = None) -> dict[str, str]:
        return {row.id: row.name for row in self._of_last_run(tables.area, lens, tables.area.c.id)}

    def assignments(self, lens: str | None = None) -> list[Assignment]:
        return [
            Assignment(
                case_id=row.case_id,
                theme_id=row.theme_id,
                area_id=row.area_id,
                strength=row.strength,
                nearest_theme_id=row.nearest_theme_id,
                reason=row.reason,
            )
            for row in self._of_last_run(tables.assignment, lens, tables.assignment.c.case_id)
        ]

    def _of_last_run(self, table: Table, lens: str | None, order: Any) -> Sequence[Any]:
        with self._reading() as connection:
            last = self._last(connection, lens)
            if last is None:
                return []
            return connection.execute(self._of(table).where(table.c.run_id == last.id).order_by(order)).all()

    def changes(self, run_id: str) -> list[ThemeChange]:
        change = tables.theme_change
        query = self._of(change).where(change.c.run_id == run_id).order_by(change.c.seq)
        with self._reading() as connection:
            return [records.read_change(row.body) for row in connection.execute(query)]

    # drafts and decisions ------------------------------------------------------------------------------------------

    def drafts(self, *, current: bool = True) -> list[tuple[Draft, tuple[Decision, ...], datetime]]:
        draft = tables.draft
        query = self._of(draft).order_by(draft.c.created_at, draft.c.id)
        with self._reading() as connection:
            rows = connection.execute(query.where(draft.c.current == 1) if current else query).all()
            decisions = self._decisions(connection)
        return [
            (records.read_draft(row.body), decisions.get(row.id, ()), datetime.fromisoformat(row.created_at))
            for row in rows
        ]

    def draft(self, draft_id: str) -> tuple[Draft, tuple[Decision, ...], datetime]:
        with self._reading() as connection:
            row = connection.execute(self._of(tables.draft).where(tables.draft.c.id == draft_id)).first()
            if row is None:
                raise NotFound("draft", draft_id)
            decisions = self._decisions(connection, draft_id).get(draft_id, ())
        return records.read_draft(row.body), decisions, datetime.fromisoformat(row.created_at)

    def _decisions(self, connection: Connection, draft_id: str | None = None) -> dict[str, tuple[Decision, ...]]:
        kept = tables.decision
        query = self._of(kept).order_by(kept.c.draft_id, kept.c.seq)
        found: dict[str, tuple[Decision, ...]] = {}
        for row in connection.execute(query if draft_id is None else query.where(kept.c.draft_id == draft_id)):
            found[row.draft_id] = (*found.get(row.draft_id, ()), records.read_decision(row.body))
        return found

    def save_drafts(self, drafts: Sequence[Draft], now: datetime) -> None:
        with self._writing() as connection:
            self._put_drafts(connection, drafts, now)

    def _put_drafts(self, connection: Connection, drafts: Sequence[Draft], now: datetime) -> None:
        known = set(connection.execute(self._of(tables.draft, tables.draft.c.id)).scalars())
        mine = tables.draft.c.network_id == self._id
        for draft in drafts:
            if draft.id in known:
                connection.execute(update(tables.draft).where(mine & (tables.draft.c.id == draft.id)).values(current=1))
                continue
            connection.execute(
                insert(tables.draft).values(
                    network_id=self._id,
                    id=draft.id,
                    kind=draft.kind.value,
                    theme_id=draft.theme_id,
                    created_at=now.isoformat(),
                    body=records.draft_record(draft),
                )
            )

    def _replace_drafts(self, connection: Connection, drafts: Sequence[Draft], now: datetime, lens: str) -> None:
        """Step aside the pattern drafts of this lens that nobody decided on; those with a decision stay as they are."""
        theme, draft, decision = tables.theme, tables.draft, tables.decision
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
        kept = tables.decision
        with self._writing() as connection:
            count = connection.execute(
                self._of(kept, func.count()).where(kept.c.draft_id == decision.draft_id)
            ).scalar_one()
            if count != expected_version:
                raise ChangedMeanwhile("draft", decision.draft_id)
            connection.execute(
                insert(kept).values(
                    network_id=self._id,
                    draft_id=decision.draft_id,
                    seq=count + 1,
                    body=records.decision_record(decision),
                )
            )

    # tokens --------------------------------------------------------------------------------------------------------

    def save_token(self, token: Token) -> None:
        row = asdict(token)
        row["created_at"] = token.created_at.isoformat()
        row["expires_at"] = token.expires_at.isoformat() if token.expires_at else None
        with self._writing() as connection:
            connection.execute(insert(tables.token).values(network_id=self._id, **row))

    def tokens(self) -> list[Token]:
        with self._reading() as connection:
            rows = connection.execute(self._of(tables.token).order_by(tables.token.c.created_at)).all()
        return [
            Token(
                id=row.id,
                name=row.name,
                sha256=row.sha256,
                created_at=datetime.fromisoformat(row.created_at),
                expires_at=datetime.fromisoformat(row.expires_at) if row.expires_at else None,
            )
            for row in rows
        ]


def _same(known: Any, case: Case) -> bool:
    """Whether the stored row already says all that this submission says (redaction included)."""
    return known is not None and records.read_case(known.body, None) == replace(case, duplicate_of=None)


def _network_row(network: Network) -> dict[str, Any]:
    return {
        "name": network.name,
        "purpose": network.purpose,
        "min_contributors": network.rule.min_contributors,
        "min_teams": network.rule.min_teams,
        "default_consent": network.default_consent.value,
    }


def _run_row(record: RunRecord) -> dict[str, Any]:
    body = asdict(record)
    for name in ("id", "number", "state", "started_at", "finished_at", "fingerprint"):
        del body[name]
    return {
        "id": record.id,
        "number": record.number,
        "lens": record.parameters.lens,
        "state": record.state,
        "started_at": record.started_at.isoformat(),
        "finished_at": record.finished_at.isoformat() if record.finished_at else None,
        "fingerprint": record.fingerprint,
        "body": body,
    }


def _read_run(row: Any) -> RunRecord:
    body = dict(row.body)
    parameters = RunParameters(**body.pop("parameters"))
    body["notes"] = tuple(body["notes"])
    return RunRecord(
        id=row.id,
        number=row.number,
        parameters=parameters,
        state=row.state,
        started_at=datetime.fromisoformat(row.started_at),
        finished_at=datetime.fromisoformat(row.finished_at) if row.finished_at else None,
        fingerprint=row.fingerprint,
        **body,
    )


def _insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _slices(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + SLICE] for start in range(0, len(values), SLICE))
