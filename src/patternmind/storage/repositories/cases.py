"""Store the network, its roster, its cases and their vectors."""

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
from patternmind.errors import NotFound, RosterChanged, VersionConflict
from patternmind.ports import CaseSaveCounts
from patternmind.storage import records, schema
from patternmind.storage.repositories.base import chunked
from patternmind.storage.repositories.calls import CallRepository
from patternmind.storage.repositories.submissions import SubmissionRepository


class CaseRepository(SubmissionRepository, CallRepository):
    """Network, roster, cases and vectors.

    Storing a changed text of a case deletes the cached answers about its old text.
    """

    def _create_network(self, network: Network) -> None:
        row = {**network_row(network), "id": network.id, "secret": secrets.token_bytes(32)}
        with self._write_transaction() as connection:
            connection.execute(insert(schema.network).prefix_with("OR IGNORE").values(row))

    @property
    def network(self) -> Network:
        with self._read_transaction() as connection:
            row = connection.execute(select(schema.network).where(schema.network.c.id == self._network_id)).one()
        return read_network(row)

    def save_network(self, network: Network) -> None:
        with self._write_transaction() as connection:
            connection.execute(
                update(schema.network).where(schema.network.c.id == self._network_id).values(network_row(network))
            )

    def contributor_secret(self) -> bytes:
        with self._read_transaction() as connection:
            secret: bytes = connection.execute(
                select(schema.network.c.secret).where(schema.network.c.id == self._network_id)
            ).scalar_one()
        return secret

    def roster(self) -> list[RosterEntry]:
        with self._read_transaction() as connection:
            return self._roster(connection)

    def _roster(self, connection: Connection) -> list[RosterEntry]:
        rows = connection.execute(self._select(schema.person).order_by(schema.person.c.number)).all()
        return [RosterEntry(number=row.number, name=row.name, email=row.email, team=row.team) for row in rows]

    def add_to_roster(self, entries: Iterable[tuple[str, str | None, str | None]]) -> int:
        with self._write_transaction() as connection:
            return self._add_entries(connection, entries)

    def _add_entries(self, connection: Connection, entries: Iterable[tuple[str, str | None, str | None]]) -> int:
        rows = connection.execute(self._select(schema.person)).all()
        names = {row.name.casefold() for row in rows}
        number = max((row.number for row in rows), default=0)
        new_rows: list[dict[str, Any]] = []
        for name, email, team in entries:
            if name.casefold() in names:
                continue
            names.add(name.casefold())
            number += 1
            row = {"network_id": self._network_id, "number": number, "name": name, "email": email, "team": team}
            new_rows.append(row)
        if new_rows:
            connection.execute(insert(schema.person), new_rows)
        return len(new_rows)

    def save_cases(
        self, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False, roster_version: int | None = None
    ) -> CaseSaveCounts:
        with self._write_transaction() as connection:
            if roster_version is not None and len(self._roster(connection)) != roster_version:
                raise RosterChanged(self._network_id)
            if not dry_run:
                self._check_key(connection)
            return self._put_cases(connection, cases, dry_run=dry_run)

    def _put_cases(
        self, connection: Connection, cases: Sequence[tuple[Submission, Case]], *, dry_run: bool = False
    ) -> CaseSaveCounts:
        n_updated = 0
        accepted: list[Case] = []
        stored = self._load_cases(connection, [case.id for _, case in cases])
        ids_by_hash = self._case_ids_by_hash(connection, [case.content_hash for _, case in cases])
        for submission, case in cases:
            before, after = stored.get(case.id), replace(case, duplicate_of=None)
            if before == after or (before is not None and self._is_superseded_import(connection, submission, after)):
                continue
            stored[case.id] = after
            accepted.append(case)
            n_updated += before is not None
            if not dry_run:
                self._put_case(connection, submission, case, is_new=before is None)
        return CaseSaveCounts(
            accepted=len(accepted),
            unchanged=len(cases) - len(accepted),
            duplicates=_count_duplicates(accepted, ids_by_hash),
            updated=n_updated,
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
                raise RosterChanged(self._network_id)
            version = self._count_versions(connection, case.id)
            if not self._load_cases(connection, [case.id]):
                raise NotFound("case", case.id)
            if expected_version not in (None, version):
                raise VersionConflict("case", case.id)
            self._check_key(connection)
            self._put_cases(connection, [(submission, case)])

    def _load_cases(self, connection: Connection, ids: Sequence[str]) -> dict[str, Case]:
        query = self._select(schema.case, schema.case.c.body)
        rows = (row for chunk in chunked(ids) for row in connection.execute(query.where(schema.case.c.id.in_(chunk))))
        return {case.id: case for case in (records.read_case(row.body, None) for row in rows)}

    def _case_ids_by_hash(self, connection: Connection, hashes: Sequence[str]) -> dict[str, set[str]]:
        """Return the ids of the stored cases with each content hash."""
        case = schema.case
        query = self._select(case, case.c.content_hash, case.c.id)
        ids_by_hash: dict[str, set[str]] = {}
        for chunk in chunked(sorted(set(hashes))):
            for row in connection.execute(query.where(case.c.content_hash.in_(chunk))):
                ids_by_hash.setdefault(row.content_hash, set()).add(row.id)
        return ids_by_hash

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
            connection.execute(insert(schema.case).values(network_id=self._network_id, id=case.id, **row))
        else:
            where = (schema.case.c.network_id == self._network_id) & (schema.case.c.id == case.id)
            stored_version = connection.execute(select(schema.case.c.text_version).where(where)).scalar_one()
            if stored_version != case.text_version:
                self._delete_cached_answers(connection, [case.id])
            connection.execute(update(schema.case).where(where).values(row))
        self._save_submission_version(connection, submission, case)

    def _next_write_number(self, connection: Connection) -> int:
        """Return the next write number over all networks; it identifies a case in the word index."""
        return connection.execute(select(func.coalesce(func.max(schema.case.c.number), 0))).scalar_one() + 1

    def cases(self, *, kind: CaseKind | None = None, since: str | None = None) -> list[Case]:
        case = schema.case
        query = self._select(case, case.c.body, case.c.duplicate_of).order_by(case.c.id)
        if kind is not None:
            query = query.where(case.c.kind == kind.value)
        if since is not None:
            query = query.where((case.c.date >= since) | case.c.date.is_(None))
        with self._read_transaction() as connection:
            return [records.read_case(row.body, row.duplicate_of) for row in connection.execute(query)]

    def case(self, case_id: str) -> Case:
        case = schema.case
        query = self._select(case, case.c.id, case.c.body, case.c.duplicate_of)
        with (
            self._read_transaction() as connection
        ):  # two queries, each with its index: one with OR would scan all cases
            row = connection.execute(query.where(case.c.id == case_id)).first()
            by_external_id = query.where(case.c.external_id == case_id).order_by(case.c.id)
            row = row or connection.execute(by_external_id).first()
        if row is None:
            raise NotFound("case", case_id)
        return records.read_case(row.body, row.duplicate_of)

    def vectors(self, encoder_id: str, hashes: Sequence[str]) -> dict[str, Vectors]:
        vector = schema.vector
        query = self._select(vector, vector.c.text_hash, vector.c.vector).where(vector.c.encoder_id == encoder_id)
        with self._read_transaction() as connection:
            return {
                row.text_hash: np.frombuffer(row.vector, np.float32)
                for chunk in chunked(sorted(set(hashes)))
                for row in connection.execute(query.where(vector.c.text_hash.in_(chunk)))
            }

    def save_vectors(self, encoder_id: str, rows: Mapping[str, Vectors]) -> None:
        if not rows:
            return
        values = [
            {
                "network_id": self._network_id,
                "encoder_id": encoder_id,
                "text_hash": text_hash,
                "vector": np.ascontiguousarray(vector, np.float32).tobytes(),
            }
            for text_hash, vector in rows.items()
        ]
        with self._write_transaction() as connection:
            connection.execute(insert(schema.vector).prefix_with("OR IGNORE"), values)


def _count_duplicates(cases: Sequence[Case], case_ids_by_hash: Mapping[str, set[str]]) -> int:
    """Count cases that repeat the text of an earlier case, stored or in this list."""
    ids_by_hash = {content_hash: set(ids) for content_hash, ids in case_ids_by_hash.items()}
    n_duplicates = 0
    for case in cases:
        ids = ids_by_hash.setdefault(case.content_hash, set())
        n_duplicates += bool(ids - {case.id})
        ids.add(case.id)
    return n_duplicates


def case_list_columns(case: Case) -> dict[str, Any]:
    """Return the columns that lists and search use; all are derived from the case."""
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
