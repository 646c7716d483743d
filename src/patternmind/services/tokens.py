"""Bearer tokens: made once, shown once, kept as a hash, for one network; never more than their maker may."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from patternmind.domain.members import DEFAULT_TOKEN_ROLES, ApiToken, Member
from patternmind.domain.permissions import Action, Role
from patternmind.errors import UsageError
from patternmind.ports import Accounts, Clock, Store

TOKEN_PREFIX = "pm_"


def create_token(
    store: Store,
    clock: Clock,
    name: str,
    *,
    lifetime_days: int,
    creator: Member | None = None,
    roles: Collection[Role] = DEFAULT_TOKEN_ROLES,
    actions: Collection[Action] = (),
) -> tuple[str, ApiToken]:
    """A new secret and the token kept for it. The secret holds 256 random bits, so a plain SHA-256 of it is enough.

    Args:
        maker: the member whose token it is; None at the command line.
        actions: the only ones it may do; none named is all that its roles may.

    Raises:
        UsageError: it has no role, or one that its maker has not.
    """
    missing = set(roles) - creator.roles if creator else set[Role]()
    if missing or not roles:
        raise UsageError("A token may do what its maker may, or less: choose among your own roles.", field="roles")
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
    store.save_token(token)
    return secret, token


def find_token(accounts: Accounts, secret: str, now: datetime) -> tuple[ApiToken, str, Member | None] | None:
    """The token that this secret opens, its network, and the member who made it; with the roles that are left of it.

    One hash and one look by it, whatever is sent. A maker who has left takes the token along.
    """
    found = accounts.find_token(hash_secret(secret))
    if found is None or not found[1].is_valid(now):
        return None
    network_id, token = found
    if token.account_id is None:
        return token, network_id, None
    maker = next((one for one in accounts.list_memberships(token.account_id) if one.network_id == network_id), None)
    return (token, network_id, maker) if maker and maker.roles & token.roles else None


def hash_secret(secret: str) -> str:
    """What is kept of a long random secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
