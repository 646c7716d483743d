"""Bearer tokens for one network: displayed once, stored as a hash, limited to their creator's roles."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from patternmind.domain.members import DEFAULT_TOKEN_ROLES, ApiToken, Member
from patternmind.domain.permissions import Action, Role
from patternmind.errors import UsageError
from patternmind.ports import Accounts, Clock, TokenRepository
from patternmind.services.members import find_membership

TOKEN_PREFIX = "pm_"  # noqa: S105 - the public beginning of every token


def create_token(
    tokens: TokenRepository,
    clock: Clock,
    name: str,
    *,
    lifetime_days: int,
    creator: Member | None = None,
    roles: Collection[Role] = DEFAULT_TOKEN_ROLES,
    actions: Collection[Action] = (),
) -> tuple[str, ApiToken]:
    """Create a token, and return its secret and its record.

    The secret has 256 random bits, so a plain SHA-256 of it is a sufficient hash.

    Args:
        creator: The member who owns the token; None at the command line.
        actions: Limits the token to these actions; empty allows all actions of its roles.

    Raises:
        UsageError: No role is given, or one that the creator does not have.
    """
    missing = set(roles) - creator.roles if creator else set[Role]()
    if missing or not roles:
        raise UsageError("A token cannot have more rights than you. Choose among your own roles.", field="roles")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    token = ApiToken(
        id=secrets.token_hex(4),
        name=name,
        sha256=hash_secret(secret),
        created_at=now,
        expires_at=now + timedelta(days=lifetime_days),
        account_id=creator.id if creator else None,
        roles=frozenset(roles),
        actions=frozenset(actions) or None,
    )
    tokens.save(token)
    return secret, token


def find_token(accounts: Accounts, secret: str, now: datetime) -> tuple[ApiToken, str, Member | None] | None:
    """Return the valid token of a secret, its network, and its creator.

    The creator is None for a token made at the command line. Any input takes one hash and one lookup. A token becomes
    invalid when its creator leaves the network or has none of its roles any more.
    """
    record = accounts.tokens.find(hash_secret(secret))
    if record is None or not record[1].is_valid(now):
        return None
    network_id, token = record
    if token.account_id is None:
        return token, network_id, None
    creator = find_membership(accounts.members, token.account_id, network_id)
    return (token, network_id, creator) if creator and creator.roles & token.roles else None


def hash_secret(secret: str) -> str:
    """Return the hash that is stored for a long random secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
