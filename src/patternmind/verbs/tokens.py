"""Bearer tokens: made once, shown once, kept as a hash, compared in constant time."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from patternmind.ports import Clock, Store, Token

PREFIX = "pm_"


def create_token(store: Store, clock: Clock, name: str, *, days: int) -> tuple[str, Token]:
    """A new secret and the token kept for it. The secret holds 256 random bits, so a plain SHA-256 of it is enough."""
    secret = PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    token = Token(
        id=secrets.token_hex(4),
        name=name,
        sha256=hashlib.sha256(secret.encode()).hexdigest(),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    store.save_token(token)
    return secret, token


def find_token(store: Store, secret: str, now: datetime) -> Token | None:
    """The token that this secret opens, if it has not expired."""
    given = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
    matching = [token for token in store.tokens() if hmac.compare_digest(token.sha256, given)]
    return next((token for token in matching if token.expires_at is None or token.expires_at > now), None)
