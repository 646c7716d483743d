"""Signing in and out. However somebody proves who they are, it ends in ``begin_session``."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from patternmind.domain.members import Member, Session, SignInLink
from patternmind.domain.permissions import Role
from patternmind.errors import RuleViolated, UsageError
from patternmind.ports import Accounts, Clock, PasswordHasher
from patternmind.services.members import add_member
from patternmind.services.tokens import hash_secret

MAX_SESSION_IDLE = timedelta(hours=24)
"""A browser nobody came back to for a day is signed out."""

MAX_SESSION_AGE = timedelta(days=14)
"""However busy, one signs in anew every two weeks."""

LAST_SEEN_RESOLUTION = timedelta(minutes=5)
"""How exactly it is kept when a session was last seen: a page that is read shall not cost a write."""

LINK_LIFETIME = timedelta(days=3)
FIRST_LINK_LIFETIME = timedelta(days=1)

MIN_PASSWORD_CHARS = 12
MAX_PASSWORD_CHARS = 200


@dataclass(frozen=True, slots=True)
class SignInResult:
    """A session and the secret that opens it, for the browser alone."""

    secret: str
    session: Session
    member: Member


def start_session(
    accounts: Accounts, clock: Clock, account_id: str, *, network_id: str | None = None, is_confined: bool = False
) -> SignInResult:
    """Sign in somebody who has proved who they are: by a link or a password, or at an identity provider.

    Args:
        network_id: the network to show; without it the first that they are in.
        confined: they may not turn to another one.

    Raises:
        NotAllowed: they are in no network, or not in that one.
    """
    member = next(
        (one for one in accounts.list_memberships(account_id) if network_id in {None, one.network_id}),
        None,
    )
    if member is None:
        raise RuleViolated("You are not a member here any more. Ask a steward to add you.")
    now = clock.now()
    accounts.delete_expired(
        links_expired_before=now,
        sessions_created_before=now - MAX_SESSION_AGE,
        sessions_seen_before=now - MAX_SESSION_IDLE,
    )
    secret = secrets.token_urlsafe(32)
    session = Session(
        sha256=hash_secret(secret),
        account_id=account_id,
        network_id=member.network_id,
        created_at=now,
        seen_at=now,
        is_network_bound=is_confined,
    )
    accounts.save_session(session)
    return SignInResult(secret, session, member)


def find_session(accounts: Accounts, secret: str, now: datetime) -> tuple[Session, Member] | None:
    """The session that this secret opens and who has it, while it lasts and they are in its network."""
    session = accounts.find_session(hash_secret(secret))
    if session is None or now - session.created_at > MAX_SESSION_AGE or now - session.seen_at > MAX_SESSION_IDLE:
        return None
    memberships = accounts.list_memberships(session.account_id)
    member = next((one for one in memberships if one.network_id == session.network_id), None)
    if member is None:
        return None
    if now - session.seen_at > LAST_SEEN_RESOLUTION:
        accounts.save_session(replace(session, seen_at=now))
    return session, member


def switch_network(accounts: Accounts, session: Session, network_id: str) -> Session:
    """The session on another network that its account is in.

    Raises:
        NotAllowed: it is confined to its network, or the account is not in the other one.
    """
    if session.is_network_bound and network_id != session.network_id:
        raise RuleViolated("You came here by a steward's link, which opens this network only. Sign in by password.")
    if network_id not in {one.network_id for one in accounts.list_memberships(session.account_id)}:
        raise RuleViolated("You are not a member of that network.")
    switched = replace(session, network_id=network_id)
    accounts.save_session(switched)
    return switched


# Links ---------------------------------------------------------------------------------------------------------------


def create_sign_in_link(accounts: Accounts, clock: Clock, member: Member, *, is_confined: bool) -> str:
    """The secret of a link that signs a member in once.

    Args:
        confined: made by a steward in the pages, who may let people into their own network and into no other.
    """
    return _create_link(accounts, clock, member.id, member.network_id, is_confined=is_confined, lifetime=LINK_LIFETIME)


def create_first_steward_link(accounts: Accounts, clock: Clock, network_id: str) -> str:
    """The secret of a link whose first visitor becomes the first steward; once used, all others like it are gone."""
    return _create_link(accounts, clock, None, network_id, is_confined=False, lifetime=FIRST_LINK_LIFETIME)


def _create_link(
    accounts: Accounts, clock: Clock, account_id: str | None, network_id: str, *, is_confined: bool, lifetime: timedelta
) -> str:
    secret, now = secrets.token_urlsafe(24), clock.now()
    link = SignInLink(
        sha256=hash_secret(secret),
        account_id=account_id,
        network_id=network_id,
        created_at=now,
        expires_at=now + lifetime,
        is_network_bound=is_confined,
    )
    accounts.save_link(link)
    return secret


def find_usable_link(accounts: Accounts, secret: str, now: datetime) -> SignInLink | None:
    """The link, if it can still be used; reading it does not use it."""
    return _if_usable(accounts, accounts.find_link(hash_secret(secret)), now)


def sign_in_by_link(accounts: Accounts, clock: Clock, secret: str, *, name: str = "") -> SignInResult | None:
    """Sign in by a link, which is used up; None where it is not valid any more.

    Args:
        name: how the first steward is called.

    Raises:
        UsageError: the first link without a usable name; it can be used again.
    """
    link = find_usable_link(accounts, secret, clock.now())
    if link is None:
        return None
    if link.account_id is None and not name.strip():
        raise UsageError("Say how you are called: decisions are logged under your name.", field="name")
    taken = _if_usable(accounts, accounts.consume_link(link.sha256), clock.now())
    if taken is None:
        return None
    account_id = taken.account_id
    if account_id is None:
        account_id = add_member(accounts, clock, taken.network_id, name, [Role.STEWARD]).id
    return start_session(accounts, clock, account_id, network_id=taken.network_id, is_confined=taken.is_network_bound)


def _if_usable(accounts: Accounts, link: SignInLink | None, now: datetime) -> SignInLink | None:
    if link is None or link.expires_at <= now or (link.account_id is None and accounts.has_accounts()):
        return None
    return link


# Passwords -----------------------------------------------------------------------------------------------------------


def sign_in_by_password(
    accounts: Accounts, passwords: PasswordHasher, clock: Clock, sign_in_name: str, password: str
) -> SignInResult | None:
    """Sign in by password; None where name or password is wrong, after the same work in either case."""
    account = accounts.find_account(sign_in_name.strip().casefold())
    fits = passwords.verify(password[: MAX_PASSWORD_CHARS + 1], account.password_hash if account else None)
    return start_session(accounts, clock, account.id) if account and fits else None


def set_password(accounts: Accounts, passwords: PasswordHasher, session: Session, password: str) -> None:
    """Give an account a password, and sign it out everywhere else.

    Raises:
        UsageError: too short or too long.
        NotAllowed: signed in by a steward's link, and a member of other networks too.
    """
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise UsageError(f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters.", field="password")
    if session.is_network_bound and len(accounts.list_memberships(session.account_id)) > 1:
        raise RuleViolated(
            "You came here by a steward's link of one network, and your password opens several. Sign in by password, "
            "or ask the one who runs this server for a link."
        )
    accounts.set_password_hash(session.account_id, passwords.hash(password))
    end_other_sessions(accounts, session)


def end_other_sessions(accounts: Accounts, session: Session) -> int:
    """End all other sessions of the account; how many."""
    others = [one.sha256 for one in accounts.list_sessions(session.account_id) if one.sha256 != session.sha256]
    accounts.delete_sessions(others)
    return len(others)
