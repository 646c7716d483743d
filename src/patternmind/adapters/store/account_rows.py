"""Accounts and who of them is in which network; the networks of an installation."""

import secrets
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from patternmind.adapters.store import tables
from patternmind.adapters.store.case_rows import network_row, read_network
from patternmind.adapters.store.engine import open_engine, reading, writing
from patternmind.adapters.store.sign_in_records import read_account, read_member, roles_text
from patternmind.errors import UsageError
from patternmind.model.members import Account, Member
from patternmind.model.network import Network
from patternmind.ports import MemberChange


class AccountRows:
    """Of the whole installation: what is asked of one network names it."""

    def __init__(self, path: Path, *, first: Network) -> None:
        """Open it; where there is no network at all, ``first`` is made."""
        self.path = path
        self._engine = open_engine(path)
        if not self.networks():
            with self._writing() as connection:
                connection.execute(insert(tables.network).prefix_with("OR IGNORE").values(_new_row(first)))

    def close(self) -> None:
        self._engine.dispose()

    def _reading(self):
        return reading(self._engine, self.path)

    def _writing(self):
        return writing(self._engine, self.path)

    def networks(self) -> list[Network]:
        with self._reading() as connection:
            rows = connection.execute(select(tables.network).order_by(tables.network.c.id)).all()
        return [read_network(row) for row in rows]

    def add_network(self, network: Network) -> None:
        table = tables.network
        with self._writing() as connection:
            if connection.execute(select(table.c.id).where(table.c.id == network.id)).first():
                raise UsageError(f'There is a network "{network.id}" already. Choose another id.')
            connection.execute(insert(table).values(_new_row(network)))

    def has_accounts(self) -> bool:
        with self._reading() as connection:
            return connection.execute(select(tables.account.c.id).limit(1)).first() is not None

    def account(self, account_id: str) -> Account | None:
        with self._reading() as connection:
            row = connection.execute(select(tables.account).where(tables.account.c.id == account_id)).first()
        return read_account(row) if row else None

    def members(self, network_id: str) -> list[Member]:
        with self._reading() as connection:
            return _members(connection, network_id)

    def memberships(self, account_id: str) -> list[Member]:
        with self._reading() as connection:
            member = tables.member
            asked = _joined().where(member.c.account_id == account_id).order_by(member.c.network_id)
            return [read_member(row) for row in connection.execute(asked).all()]

    def change_members(
        self, network_id: str, change: MemberChange, *, account: Account | None = None
    ) -> tuple[Member, ...]:
        with self._writing() as connection:
            if account is not None:
                _put_account(connection, account)
            before = {one.id: one for one in _members(connection, network_id)}
            after = {one.id: one for one in change(tuple(before.values()))}
            for id in before.keys() - after.keys():
                _remove(connection, network_id, id)
            for id, member in after.items():
                if before.get(id) != member:
                    _put_member(connection, member)
        return tuple(after.values())

    def save_password(self, account_id: str, password_hash: str) -> None:
        account = tables.account
        with self._writing() as connection:
            connection.execute(update(account).where(account.c.id == account_id).values(password_hash=password_hash))


def _new_row(network: Network) -> dict[str, Any]:
    return {**network_row(network), "id": network.id, "secret": secrets.token_bytes(32)}


def _joined() -> Select[Any, Any, Any, Any, Any]:
    member, account = tables.member, tables.account
    columns = (member.c.network_id, member.c.account_id, member.c.roles, account.c.name, account.c.password_hash)
    return select(*columns).join(account, account.c.id == member.c.account_id)


def _members(connection: Connection, network_id: str) -> list[Member]:
    asked = _joined().where(tables.member.c.network_id == network_id)
    found = [read_member(row) for row in connection.execute(asked).all()]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def _put_account(connection: Connection, account: Account) -> None:
    table = tables.account
    if connection.execute(select(table.c.id).where(table.c.id == account.id)).first():
        raise UsageError(f'Somebody signs in as "{account.id}" already. Choose another sign-in name.')
    row = {"id": account.id, "name": account.name, "created_at": account.created_at.isoformat()}
    connection.execute(insert(table).values(**row, password_hash=account.password_hash))


def _put_member(connection: Connection, member: Member) -> None:
    table, roles = tables.member, roles_text(member.roles)
    mine = (table.c.network_id == member.network_id) & (table.c.account_id == member.id)
    if not connection.execute(update(table).where(mine).values(roles=roles)).rowcount:
        connection.execute(insert(table).values(network_id=member.network_id, account_id=member.id, roles=roles))


def _remove(connection: Connection, network_id: str, account_id: str) -> None:
    """Out of this network with the sessions and links that show it; out of the installation with the last network."""
    member = tables.member
    in_network = (member.c.network_id == network_id) & (member.c.account_id == account_id)
    connection.execute(delete(member).where(in_network))
    for table in (tables.session, tables.sign_in_link):
        mine = (table.c.account_id == account_id) & (table.c.network_id == network_id)
        connection.execute(delete(table).where(mine))
    if connection.execute(select(member.c.account_id).where(member.c.account_id == account_id)).first() is None:
        for table in (tables.session, tables.sign_in_link):
            connection.execute(delete(table).where(table.c.account_id == account_id))
        connection.execute(delete(tables.account).where(tables.account.c.id == account_id))
