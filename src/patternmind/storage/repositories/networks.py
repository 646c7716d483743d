"""Store networks, and the roster and dismissed names of each."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from patternmind.domain.cases import Consent
from patternmind.domain.networks import Network, PublishingRule, RosterEntry
from patternmind.errors import NotFound, RosterChanged, UsageError
from patternmind.storage import schema
from patternmind.storage.database import InstallationRepository, SqlRepository
from patternmind.storage.dialects import sqlite

network, person, dismissed_name = schema.network, schema.person, schema.dismissed_name


class SqlNetworkRepository(SqlRepository):
    """Implements ``ports.NetworkRepository``."""

    def exists(self) -> bool:
        with self._source.reading() as tx:
            return tx.first(select(network.c.id).where(network.c.id == tx.network_id)) is not None

    def get(self) -> Network:
        with self._source.reading() as tx:
            return read_network(tx.first(select(network).where(network.c.id == tx.network_id)))

    def save(self, changed: Network) -> None:
        with self._source.writing() as tx:
            tx.connection.execute(update(network).where(network.c.id == tx.network_id).values(network_row(changed)))

    def contributor_secret(self) -> bytes:
        with self._source.reading() as tx:
            return tx.scalar(select(network.c.secret).where(network.c.id == tx.network_id))

    def roster(self) -> list[RosterEntry]:
        with self._source.reading() as tx:
            rows = tx.rows(tx.select(person).order_by(person.c.number))
        return [RosterEntry(number=row.number, name=row.name, email=row.email, team=row.team) for row in rows]

    def add_to_roster(self, entries: Iterable[tuple[str, str | None, str | None]]) -> int:
        with self._source.writing() as tx:
            rows = tx.rows(tx.select(person))
            names = {row.name.casefold() for row in rows}
            number = max((row.number for row in rows), default=0)
            new_rows: list[dict[str, Any]] = []
            for name, email, team in entries:
                if name.casefold() in names:
                    continue
                names.add(name.casefold())
                number += 1
                new_rows.append({"number": number, "name": name, "email": email, "team": team})
            tx.insert_all(person, new_rows)
        return len(new_rows)

    def remove_from_roster(self, number: int) -> None:
        """Empty an entry, and add another empty one.

        The number of entries is therefore the roster's version.

        Raises:
            NotFound: no entry has that number, or it was removed before.
        """
        with self._source.writing() as tx:
            roster = SqlNetworkRepository(tx).roster()
            if not any(entry.number == number and entry.name for entry in roster):
                raise NotFound("roster entry", str(number))
            tx.update(person, {"name": "", "email": None, "team": None}, person.c.number == number)
            tx.insert(person, {"number": roster[-1].number + 1, "name": ""})

    def check_roster_version(self, version: int | None) -> None:
        """Check that the roster has ``version`` entries; None skips the check.

        Raises:
            RosterChanged: the roster has another version.
        """
        with self._source.reading() as tx:
            if version is not None and tx.scalar(tx.select(person, func.count())) != version:
                raise RosterChanged(tx.network_id)

    def dismissed_names(self) -> set[str]:
        with self._source.reading() as tx:
            return set(tx.scalars(tx.select(dismissed_name, dismissed_name.c.digest)))

    def dismiss_names(self, digests: Iterable[str], *, actor: str, at: datetime) -> None:
        rows = [{"digest": digest, "by": actor, "at": at.isoformat()} for digest in sorted(set(digests))]
        with self._source.writing() as tx:
            tx.insert_all(dismissed_name, rows, statement=sqlite.insert_or_ignore(dismissed_name))

    def raw_key_id(self) -> str | None:
        """Return the id of the key of the stored raw text."""
        with self._source.reading() as tx:
            return tx.scalar(select(network.c.raw_key).where(network.c.id == tx.network_id))

    def save_raw_key_id(self, key_id: str | None) -> None:
        with self._source.writing() as tx:
            tx.connection.execute(update(network).where(network.c.id == tx.network_id).values(raw_key=key_id))

    def lock(self) -> None:
        """Lock the network's row until the transaction ends (FOR UPDATE, which SQLite omits)."""
        with self._source.writing() as tx:
            tx.connection.execute(select(network.c.id).where(network.c.id == tx.network_id).with_for_update()).one()


class SqlNetworkDirectory(InstallationRepository):
    """Implements ``ports.NetworkDirectory``."""

    def list_all(self) -> list[Network]:
        with self._file.reading() as connection:
            return [read_network(row) for row in connection.execute(select(network).order_by(network.c.id)).all()]

    def add(self, new_network: Network) -> None:
        with self._file.writing() as connection:
            if connection.execute(select(network.c.id).where(network.c.id == new_network.id)).first():
                raise UsageError(f'A network with the id "{new_network.id}" exists already. Choose another id.')
            connection.execute(insert(network).values(new_network_row(new_network)))

    def create(self, new_network: Network) -> None:
        """Create the network unless it exists."""
        with self._file.writing() as connection:
            connection.execute(sqlite.insert_or_ignore(network).values(new_network_row(new_network)))


def new_network_row(new_network: Network) -> dict[str, Any]:
    return {**network_row(new_network), "id": new_network.id, "secret": secrets.token_bytes(32)}


def network_row(values: Network) -> dict[str, Any]:
    return {
        "name": values.name,
        "purpose": values.purpose,
        "min_contributors": values.rule.min_contributors,
        "min_teams": values.rule.min_teams,
        "default_consent": values.default_consent.value,
    }


def read_network(row: Row[Any]) -> Network:
    return Network(
        id=row.id,
        name=row.name,
        purpose=row.purpose,
        rule=PublishingRule(min_contributors=row.min_contributors, min_teams=row.min_teams),
        default_consent=Consent(row.default_consent),
    )
