"""The network itself, its roster, what was handed in, and the vectors of its texts."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, insert, select, update

from patternmind.domain.cases import (
    Case,
    CaseKind,
    Consent,
    Submission,
)
from patternmind.domain.networks import Network, PublishingRule, RosterEntry
from patternmind.domain.themes import Vectors
from patternmind.embedding.lenses import lens_text
from patternmind.embedding.vectors import text_hash
from patternmind.errors import NotFound, VersionConflict
from patternmind.ports import CaseSaveCounts
from patternmind.storage import records, schema
from patternmind.storage.repositories.base import chunked
from patternmind.storage.repositories.calls import CallRepository
from patternmind.storage.repositories.submissions import SubmissionRepository


class CaseRepository(SubmissionRepository, CallRepository):
    """Submissions, cases and vectors; a case with a new text takes the answers about its old one with it."""

    def _create_network(self, network: Network) -> None:
        row = {**network_row(network), "id": network.id, "secret": secrets.token_bytes(32)}
        with self._write_transaction() as connection:
            connection.execute(insert(schema.network).prefix_with("OR IGNORE").values(row))

    @property
    def network(self) -> Network:
        with self._read_transaction() as connection:
            row = connection.execute(select(schema.network).where(schema.network.c.id == self._id)).one()
        return read_network(row)

    def save_network(self, network: Network) -> None:
        with self._write_transaction() as connection:
            connection.execute(
                update(schema.network).where(schema.network.c.id == self._id).values(network_row(network))
            )

    def secret(self) -> bytes:
        with self._read_transaction() as connection:
            secret: bytes = connection.execute(
                select(schema.network.c.secret).where(schema.network.c.id == self._id)
            ).scalar_one()
        return secret

    def roster(self) -> list[RosterEntry]:
        with self._read_transaction() as connection:
            return self._roster(connection)

    def _roster(self, connection: Connection) -> list[RosterEntry]:
        rows = connection.execute(self._of(schema.person).order_by(schema.person.c.number)).all()
        return [RosterEntry(number=row.number, name=row.name, email=row.email, team=row.team) for row in rows]

    def add_to_roster(self, entries: Iterable[tuple[str, str | None, str | None]]) -> int:
        with self._write_transaction() as connection:
            return self._add_people(connection, entries)

    def _add_people(self, connection: Connection, people: Iterable[tuple[str, str | None, str | None]]) -> int:
        rows = connection.execute(self._of(schema.person)).all()
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
            connection.execute(insert(schema.person), added)
        return len(added)

    def save_cases(
        self, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False, roster_version: int | None = None
    ) -> CaseSaveCounts:
        with self._write_transaction() as connection:
            if roster_version is not None and len(self._roster(connection)) != roster_version:
                raise VersionConflict("roster of network", self._id)
            if not dry_run:
                self._check_key(connection)
            return self._put_cases(connection, cases, dry_run=dry_run)

    def _put_cases(
        self, connection: Connection, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False
    ) -> CaseSaveCounts:
        updated = 0
        taken: list[Case] = []
        known = self._known(connection, [case.id for _, case in cases])
        owners = self._case_ids_by_hash(connection, [case.content_hash for _, case in cases])
        for submission, case in cases:
            before, now = known.get(case.id), replace(case, duplicate_of=None)
            if before == now or (before is not None and self._is_superseded_import(connection, submission, now)):
                continue
            known[case.id] = now
            taken.append(case)
            updated += before is not None
            if not dry_run:
                self._put_case(connection, submission, case, is_new=before is None)
        return CaseSaveCounts(
            accepted=len(taken),
            unchanged=len(cases) - len(taken),
            duplicates=_count_duplicates(taken, owners),
            updated=updated,
        )

    def replace_case(
        self,
        submission: Submission,
        case: Case,
        *,
        expected_version: int | None = None,
        roster_version: int | None = None,
    ) -> None:
        with self._write_transaction() as connection:
            if roster_version is not None and len(self._roster(connection)) != roster_version:
                raise VersionConflict("roster of network", self._id)
            version = self._count_versions(connection, case.id)
            if not self._known(connection, [case.id]):
                raise NotFound("case", case.id)
            if expected_version not in (None, version):
                raise VersionConflict("case", case.id)
            self._check_key(connection)
            self._put_cases(connection, [(submission, case)])

    def _known(self, connection: Connection, ids: Sequence[str]) -> dict[str, Case]:
        query = self._of(schema.case, schema.case.c.body)
        rows = (row for part in chunked(ids) for row in connection.execute(query.where(schema.case.c.id.in_(part))))
        return {one.id: one for one in (records.read_case(row.body, None) for row in rows)}

    def _case_ids_by_hash(self, connection: Connection, hashes: Sequence[str]) -> dict[str, set[str]]:
        """The stored cases of each text."""
        case = schema.case
        query = self._of(case, case.c.content_hash, case.c.id)
        owners: dict[str, set[str]] = {}
        for part in chunked(sorted(set(hashes))):
            for row in connection.execute(query.where(case.c.content_hash.in_(part))):
                owners.setdefault(row.content_hash, set()).add(row.id)
        return owners

    def _put_case(self, connection: Connection, submission: Submission, case: Case, *, is_new: bool) -> None:
        row = {
            "kind": case.kind.value,
            "external_id": case.external_id,
            "date": case.date.isoformat() if case.date else None,
            "content_hash": case.content_hash,
            "text_version": case.text_version,
            "body": records.case_record(case),
            **case_list_columns(case),
            "number": self._next_write_number(connection),
        }
        if is_new:
            connection.execute(insert(schema.case).values(network_id=self._id, id=case.id, **row))
        else:
            where = (schema.case.c.network_id == self._id) & (schema.case.c.id == case.id)
            told = connection.execute(select(schema.case.c.text_version).where(where)).scalar_one()
            if told != case.text_version:
                self._delete_cached_answers(connection, [case.id])
            connection.execute(update(schema.case).where(where).values(row))
        self._save_submission_version(connection, submission, case)

    def _next_write_number(self, connection: Connection) -> int:
        """Of all networks: the index of words knows a case by it."""
        return connection.execute(select(func.coalesce(func.max(schema.case.c.number), 0))).scalar_one() + 1

    def cases(self, *, kind: CaseKind | None = None, since: str | None = None) -> list[Case]:
        case = schema.case
        query = self._of(case, case.c.body, case.c.duplicate_of).order_by(case.c.id)
        if kind is not None:
            query = query.where(case.c.kind == kind.value)
        if since is not None:
            query = query.where((case.c.date >= since) | case.c.date.is_(None))
        with self._read_transaction() as connection:
            return [records.read_case(row.body, row.duplicate_of) for row in connection.execute(query)]

    def case(self, case_id: str) -> Case:
        case = schema.case
        query = self._of(case, case.c.id, case.c.body, case.c.duplicate_of)
        with self._read_transaction() as connection:  # one look by each index: both in one look would read every case
            row = connection.execute(query.where(case.c.id == case_id)).first()
            known_by = query.where(case.c.external_id == case_id).order_by(case.c.id)
            row = row or connection.execute(known_by).first()
        if row is None:
            raise NotFound("case", case_id)
        return records.read_case(row.body, row.duplicate_of)

    def vectors(self, encoder_id: str, hashes: Sequence[str]) -> dict[str, Vectors]:
        kept = schema.vector
        query = self._of(kept, kept.c.text_hash, kept.c.vector).where(kept.c.encoder_id == encoder_id)
        with self._read_transaction() as connection:
            return {
                row.text_hash: np.frombuffer(row.vector, np.float32)
                for part in chunked(sorted(set(hashes)))
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
        with self._write_transaction() as connection:
            connection.execute(insert(schema.vector).prefix_with("OR IGNORE"), values)


def _count_duplicates(cases: Sequence[Case], case_ids_by_hash: Mapping[str, set[str]]) -> int:
    """How many of these cases have a text that an earlier case, stored or in this list, has under another id."""
    seen = {text: set(ids) for text, ids in case_ids_by_hash.items()}
    repeated = 0
    for one in cases:
        others = seen.setdefault(one.content_hash, set())
        repeated += bool(others - {one.id})
        others.add(one.id)
    return repeated


def case_list_columns(case: Case) -> dict[str, Any]:
    """The columns that lists and search go by; all of them are read off the case."""
    return {
        "dated": case.date.isoformat() if case.date else "",
        "team": case.team,
        "status": case.facts.get("status"),
        "flags": "".join(f"|{flag}" for flag in case.flags),
        "vector_hash": text_hash(lens_text(case, "all")),
    }


def read_network(row: Row[Any]) -> Network:
    return Network(
        id=row.id,
        name=row.name,
        purpose=row.purpose,
        rule=PublishingRule(min_contributors=row.min_contributors, min_teams=row.min_teams),
        default_consent=Consent(row.default_consent),
    )


def network_row(network: Network) -> dict[str, Any]:
    return {
        "name": network.name,
        "purpose": network.purpose,
        "min_contributors": network.rule.min_contributors,
        "min_teams": network.rule.min_teams,
        "default_consent": network.default_consent.value,
    }
