"""Store accounts and their memberships."""

from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from patternmind.domain.members import Account, Member
from patternmind.errors import UsageError
from patternmind.ports import MemberChange
from patternmind.storage import schema
from patternmind.storage.account_records import read_account, read_member, roles_text
from patternmind.storage.database import InstallationRepository


class SqlMemberRepository(InstallationRepository):
    """Implements ``ports.MemberRepository``."""

    def has_accounts(self) -> bool:
        with self._file.reading() as connection:
            return connection.execute(select(schema.account.c.id).limit(1)).first() is not None

    def find_account(self, account_id: str) -> Account | None:
        with self._file.reading() as connection:
            row = connection.execute(select(schema.account).where(schema.account.c.id == account_id)).first()
        return read_account(row) if row else None

    def list_all(self, network_id: str) -> list[Member]:
        with self._file.reading() as connection:
            return _load_members(connection, network_id)

    def list_memberships(self, account_id: str) -> list[Member]:
        with self._file.reading() as connection:
            member = schema.member
            query = _select_members().where(member.c.account_id == account_id).order_by(member.c.network_id)
            return [read_member(row) for row in connection.execute(query).all()]

    def change(self, network_id: str, change: MemberChange, *, account: Account | None = None) -> tuple[Member, ...]:
        with self._file.writing() as connection:
            if account is not None:
                _put_account(connection, account)
            before = {member.id: member for member in _load_members(connection, network_id)}
            after = {member.id: member for member in change(tuple(before.values()))}
            for id in before.keys() - after.keys():
                _remove_member(connection, network_id, id)
            for id, member in after.items():
                if before.get(id) != member:
                    _put_member(connection, member)
        return tuple(after.values())

    def set_password_hash(self, account_id: str, password_hash: str) -> None:
        account = schema.account
        with self._file.writing() as connection:
            connection.execute(update(account).where(account.c.id == account_id).values(password_hash=password_hash))


def _select_members() -> Select[Any, Any, Any, Any, Any]:
    member, account = schema.member, schema.account
    columns = (member.c.network_id, member.c.account_id, member.c.roles, account.c.name, account.c.password_hash)
    return select(*columns).join(account, account.c.id == member.c.account_id)


def _load_members(connection: Connection, network_id: str) -> list[Member]:
    query = _select_members().where(schema.member.c.network_id == network_id)
    members = [read_member(row) for row in connection.execute(query).all()]
    return sorted(members, key=lambda member: (member.name.casefold(), member.id))


def _put_account(connection: Connection, account: Account) -> None:
    table = schema.account
    if connection.execute(select(table.c.id).where(table.c.id == account.id)).first():
        raise UsageError(f'The sign-in name "{account.id}" is taken. Choose another one.')
    row = {"id": account.id, "name": account.name, "created_at": account.created_at.isoformat()}
    connection.execute(insert(table).values(**row, password_hash=account.password_hash))


def _put_member(connection: Connection, member: Member) -> None:
    table, roles = schema.member, roles_text(member.roles)
    is_member = (table.c.network_id == member.network_id) & (table.c.account_id == member.id)
    if not connection.execute(update(table).where(is_member).values(roles=roles)).rowcount:
        connection.execute(insert(table).values(network_id=member.network_id, account_id=member.id, roles=roles))


def _remove_member(connection: Connection, network_id: str, account_id: str) -> None:
    """Remove a member with the sessions and links of this network.

    An account that is in no other network is deleted.
    """
    member = schema.member
    in_network = (member.c.network_id == network_id) & (member.c.account_id == account_id)
    connection.execute(delete(member).where(in_network))
    for table in (schema.session, schema.sign_in_link):
        in_network = (table.c.account_id == account_id) & (table.c.network_id == network_id)
        connection.execute(delete(table).where(in_network))
    if connection.execute(select(member.c.account_id).where(member.c.account_id == account_id)).first() is None:
        for table in (schema.session, schema.sign_in_link):
            connection.execute(delete(table).where(table.c.account_id == account_id))
        connection.execute(delete(schema.account).where(schema.account.c.id == account_id))
