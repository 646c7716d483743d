"""Sign-in by link or password, and sessions. Every way to sign in ends in ``start_session``."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from patternmind.domain.members import Member, Session, SignInLink
from patternmind.domain.permissions import Role
from patternmind.errors import RuleViolated, UsageError
from patternmind.ports import Accounts, Clock, PasswordHasher, SessionRepository, SignInLinkRepository
from patternmind.services.members import add_member, find_membership
from patternmind.services.tokens import hash_secret

MAX_SESSION_IDLE = timedelta(hours=24)
"""A session ends after a day without a request."""

MAX_SESSION_AGE = timedelta(days=14)
"""A session ends after two weeks, even if it is in use."""

LAST_SEEN_RESOLUTION = timedelta(minutes=5)
"""Precision of ``Session.seen_at``: without it, every page view would cost a write."""

LINK_LIFETIME = timedelta(days=3)
FIRST_LINK_LIFETIME = timedelta(days=1)

MIN_PASSWORD_CHARS = 12
MAX_PASSWORD_CHARS = 200


@dataclass(frozen=True, slots=True)
class SignInResult:
    """A session, and its secret, which only the browser keeps."""

    secret: str
    session: Session
    member: Member


def start_session(
    accounts: Accounts, clock: Clock, account_id: str, *, network_id: str | None = None, is_confined: bool = False
) -> SignInResult:
    """Start a session for an account verified by link, password or identity provider.

    Args:
        network_id: Network to show; by default the first one of the account.
        is_confined: The session cannot switch to another network.

    Raises:
        RuleViolated: The account is not a member of that network, or of any.
    """
    member = find_membership(accounts.members, account_id, network_id)
    if member is None:
        raise RuleViolated("You are not a member here any more. Ask a steward to add you.")
    now = clock.now()
    accounts.sign_in_links.delete_expired(now)
    accounts.sessions.delete_expired(created_before=now - MAX_SESSION_AGE, seen_before=now - MAX_SESSION_IDLE)
    secret = secrets.token_urlsafe(32)
    session = Session(
        sha256=hash_secret(secret),
        account_id=account_id,
        network_id=member.network_id,
        created_at=now,
        seen_at=now,
        is_network_bound=is_confined,
    )
    accounts.sessions.save(session)
    return SignInResult(secret, session, member)


def find_session(accounts: Accounts, secret: str, now: datetime) -> tuple[Session, Member] | None:
    """Return the valid session of a secret with its member; None if either is gone."""
    session = accounts.sessions.find(hash_secret(secret))
    if session is None or now - session.created_at > MAX_SESSION_AGE or now - session.seen_at > MAX_SESSION_IDLE:
        return None
    member = find_membership(accounts.members, session.account_id, session.network_id)
    if member is None:
        return None
    if now - session.seen_at > LAST_SEEN_RESOLUTION:
        accounts.sessions.save(replace(session, seen_at=now))
    return session, member


def switch_network(accounts: Accounts, session: Session, network_id: str) -> Session:
    """Switch a session to another network of its account.

    Raises:
        RuleViolated: The session is confined to its network, or the account is not in the other network.
    """
    if session.is_network_bound and network_id != session.network_id:
        raise RuleViolated("You signed in by a steward's link, which opens this network only. Sign in by password.")
    if network_id not in {
        membership.network_id for membership in accounts.members.list_memberships(session.account_id)
    }:
        raise RuleViolated("You are not a member of that network.")
    switched = replace(session, network_id=network_id)
    accounts.sessions.save(switched)
    return switched


# Links ---------------------------------------------------------------------------------------------------------------


def create_sign_in_link(links: SignInLinkRepository, clock: Clock, member: Member, *, is_confined: bool) -> str:
    """Create a link that signs a member in once, and return its secret.

    Args:
        is_confined: Made by a steward in the pages. Stewards can only give access to their own network.
    """
    return _create_link(links, clock, member.id, member.network_id, is_confined=is_confined, lifetime=LINK_LIFETIME)


def create_first_steward_link(links: SignInLinkRepository, clock: Clock, network_id: str) -> str:
    """Create a link that makes its first visitor the first steward, and return its secret.

    Once such a link is used, all others like it are invalid.
    """
    return _create_link(links, clock, None, network_id, is_confined=False, lifetime=FIRST_LINK_LIFETIME)


def _create_link(
    links: SignInLinkRepository,
    clock: Clock,
    account_id: str | None,
    network_id: str,
    *,
    is_confined: bool,
    lifetime: timedelta,
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
    links.save(link)
    return secret


def find_usable_link(accounts: Accounts, secret: str, now: datetime) -> SignInLink | None:
    """Return the link of a secret if it is still valid, without using it up."""
    return _if_usable(accounts, accounts.sign_in_links.find(hash_secret(secret)), now)


def sign_in_by_link(accounts: Accounts, clock: Clock, secret: str, *, name: str = "") -> SignInResult | None:
    """Sign in by a link and use it up; None if the link is not valid any more.

    Args:
        name: Name of the first steward.

    Raises:
        UsageError: The link is for the first steward, and the name is missing or not usable. The link stays valid.
    """
    link = find_usable_link(accounts, secret, clock.now())
    if link is None:
        return None
    if link.account_id is None and not name.strip():
        raise UsageError("Enter your name: decisions are logged under it.", field="name")
    consumed = _if_usable(accounts, accounts.sign_in_links.consume(link.sha256), clock.now())
    if consumed is None:
        return None
    account_id = consumed.account_id
    if account_id is None:
        account_id = add_member(accounts.members, clock, consumed.network_id, name, [Role.STEWARD]).id
    return start_session(
        accounts, clock, account_id, network_id=consumed.network_id, is_confined=consumed.is_network_bound
    )


def _if_usable(accounts: Accounts, link: SignInLink | None, now: datetime) -> SignInLink | None:
    if link is None or link.expires_at <= now or (link.account_id is None and accounts.members.has_accounts()):
        return None
    return link


# Passwords -----------------------------------------------------------------------------------------------------------


def sign_in_by_password(
    accounts: Accounts, passwords: PasswordHasher, clock: Clock, sign_in_name: str, password: str
) -> SignInResult | None:
    """Sign in by password; None if name or password is wrong. Both failures take the same time."""
    account = accounts.members.find_account(sign_in_name.strip().casefold())
    is_correct = passwords.verify(password[: MAX_PASSWORD_CHARS + 1], account.password_hash if account else None)
    return start_session(accounts, clock, account.id) if account and is_correct else None


def set_password(accounts: Accounts, passwords: PasswordHasher, session: Session, password: str) -> None:
    """Set the password of an account, and end all its other sessions.

    Raises:
        UsageError: The password is too short or too long.
        RuleViolated: The session is confined to one network, and the account is in several.
    """
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise UsageError(f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters.", field="password")
    if session.is_network_bound and len(accounts.members.list_memberships(session.account_id)) > 1:
        raise RuleViolated(
            "You signed in by a steward's link for one network, but your password opens several. Sign in by password, "
            "or ask the operator of this server for a link."
        )
    accounts.members.set_password_hash(session.account_id, passwords.hash(password))
    end_other_sessions(accounts.sessions, session)


def end_other_sessions(sessions: SessionRepository, session: Session) -> int:
    """End all other sessions of the account, and return their number."""
    others = [other.sha256 for other in sessions.list_all(session.account_id) if other.sha256 != session.sha256]
    sessions.delete_all(others)
    return len(others)
