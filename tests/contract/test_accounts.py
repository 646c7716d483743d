"""Contract of the repositories of the installation: members, sign-in, tokens and the audit log."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fixtures.builders import NOON

from patternmind.domain.members import Account, ApiToken, AuditEntry, Member, Session, SignInLink
from patternmind.domain.networks import Network
from patternmind.domain.permissions import Action, Role
from patternmind.errors import NotFound, UsageError
from patternmind.ports import Accounts, Store
from patternmind.storage import SqlAccounts, SqlStore

LATER = NOON + dt.timedelta(hours=1)
ADA = Account(id="ada", name="Ada Berg", created_at=NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "patternmind.db"


@pytest.fixture
def accounts(path: Path) -> Iterator[Accounts]:
    accounts = SqlAccounts(path, default_network=Network(id="default", name="Default"))
    yield accounts
    accounts.close()


@pytest.fixture
def store(path: Path, accounts: Accounts) -> Iterator[Store]:
    """Store of the default network in the same database."""
    store = SqlStore(path)
    yield store
    store.close()


def make_member(network_id: str = "default", *roles: Role) -> Member:
    return Member(id=ADA.id, network_id=network_id, name=ADA.name, roles=frozenset(roles or {Role.STEWARD}))


def make_session(sha256: str = "s", **values: object) -> Session:
    session = Session(sha256=sha256, account_id=ADA.id, network_id="default", created_at=NOON, seen_at=NOON)
    return replace(session, **values)


def make_link(sha256: str, account_id: str | None = None) -> SignInLink:
    return SignInLink(sha256=sha256, account_id=account_id, network_id="default", created_at=NOON, expires_at=LATER)


def add_ada(accounts: Accounts) -> None:
    accounts.members.change("default", lambda before: [*before, make_member()], account=ADA)


def test_networks_are_listed_by_id_and_keep_their_ids_unique(accounts: Accounts) -> None:
    accounts.networks.add(Network(id="a-north", name="North"))
    assert [network.id for network in accounts.networks.list_all()] == ["a-north", "default"]
    with pytest.raises(UsageError, match="exists already"):
        accounts.networks.add(Network(id="a-north", name="Another"))


def test_member_change_creates_the_account_and_updates_roles(accounts: Accounts) -> None:
    assert not accounts.members.has_accounts()
    add_ada(accounts)
    assert accounts.members.has_accounts()
    assert accounts.members.find_account("ada") == ADA
    changed = make_member("default", Role.MEMBER, Role.SPONSOR)
    assert accounts.members.change("default", lambda _: [changed]) == (changed,)
    assert accounts.members.list_all("default") == [changed]
    accounts.members.set_password_hash("ada", "hash")
    assert accounts.members.list_memberships("ada") == [replace(changed, has_password=True)]


def test_member_change_stores_nothing_when_it_is_refused(accounts: Accounts) -> None:
    def refuse(_: object) -> list[Member]:
        raise UsageError("Refused.")

    with pytest.raises(UsageError, match="Refused"):
        accounts.members.change("default", refuse, account=ADA)
    assert accounts.members.find_account("ada") is None
    add_ada(accounts)
    with pytest.raises(UsageError, match="is taken"):
        accounts.members.change("default", lambda before: before, account=replace(ADA, name="Ada Boe"))


def test_account_is_deleted_with_its_last_membership(accounts: Accounts) -> None:
    add_ada(accounts)
    accounts.networks.add(Network(id="south", name="South"))
    accounts.members.change("south", lambda _: [make_member("south")])
    accounts.sessions.save(make_session("here"))
    accounts.sessions.save(make_session("there", network_id="south"))
    accounts.sign_in_links.save(make_link("link", "ada"))
    accounts.members.change("default", lambda _: [])
    assert [session.sha256 for session in accounts.sessions.list_all("ada")] == ["there"]
    assert accounts.sign_in_links.find("link") is None
    accounts.members.change("south", lambda _: [])
    assert (accounts.members.find_account("ada"), accounts.sessions.find("there")) == (None, None)


def test_session_is_updated_listed_and_deleted(accounts: Accounts) -> None:
    add_ada(accounts)
    older, newer = make_session("older"), make_session("newer", created_at=LATER, is_network_bound=True)
    accounts.sessions.save(older)
    accounts.sessions.save(newer)
    seen = replace(older, seen_at=LATER)
    accounts.sessions.save(seen)
    assert accounts.sessions.find("older") == seen
    assert accounts.sessions.list_all("ada") == [newer, seen]
    accounts.sessions.delete_all([])
    accounts.sessions.delete_all(["newer"])
    assert accounts.sessions.list_all("ada") == [seen]


@pytest.mark.parametrize(("created_before", "seen_before"), [(LATER, NOON), (NOON, LATER)])
def test_expired_sessions_are_deleted(
    accounts: Accounts, created_before: dt.datetime, seen_before: dt.datetime
) -> None:
    add_ada(accounts)
    accounts.sessions.save(make_session("expired"))
    accounts.sessions.save(make_session("current", created_at=LATER, seen_at=LATER))
    accounts.sessions.delete_expired(created_before=created_before, seen_before=seen_before)
    assert [session.sha256 for session in accounts.sessions.list_all("ada")] == ["current"]


def test_link_is_consumed_by_one_of_two_callers(accounts: Accounts) -> None:
    add_ada(accounts)
    accounts.sign_in_links.save(make_link("link", "ada"))
    with ThreadPoolExecutor(2) as pool:
        links = list(pool.map(accounts.sign_in_links.consume, ["link", "link"]))
    assert sorted(link is None for link in links) == [False, True]


def test_consumed_first_link_deletes_all_other_first_links(accounts: Accounts) -> None:
    add_ada(accounts)
    for link in (make_link("first"), make_link("second"), make_link("of-ada", "ada")):
        accounts.sign_in_links.save(link)
    assert accounts.sign_in_links.consume("first") == make_link("first")
    assert accounts.sign_in_links.find("second") is None
    accounts.sign_in_links.delete_expired(LATER)
    assert accounts.sign_in_links.find("of-ada") == make_link("of-ada", "ada")
    accounts.sign_in_links.delete_expired(LATER + dt.timedelta(seconds=1))
    assert accounts.sign_in_links.find("of-ada") is None


def test_token_is_found_by_hash_and_can_be_revoked(accounts: Accounts, store: Store) -> None:
    assert not accounts.tokens.exist()
    token = ApiToken(id="a", name="laptop", sha256="0" * 64, created_at=NOON, actions=frozenset({Action.SEARCH}))
    store.tokens.save(token)
    assert accounts.tokens.exist()
    assert accounts.tokens.find("0" * 64) == ("default", token)
    assert accounts.tokens.find("1" * 64) is None
    store.tokens.revoke("a", LATER)
    assert accounts.tokens.find("0" * 64) == ("default", replace(token, revoked_at=LATER))
    with pytest.raises(NotFound):
        store.tokens.revoke("b", LATER)


def test_audit_entries_are_numbered_per_network_and_listed_newest_first(accounts: Accounts) -> None:
    entry = AuditEntry(at=NOON, who="Ada", action=Action.SEARCH, did="search", kind="case", id="c-1")
    for network_id in ("default", "default", "south"):
        accounts.audit.append(network_id, entry)
    assert [item.number for item in accounts.audit.list_recent("default")] == [2, 1]
    assert accounts.audit.list_recent("default", before=2) == [replace(entry, number=1)]
    assert accounts.audit.list_recent("default", limit=1) == [replace(entry, number=2)]
    assert accounts.audit.list_recent("south") == [replace(entry, number=1)]
