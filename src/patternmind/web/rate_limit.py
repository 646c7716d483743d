"""Rate limit for failed sign-ins.

Counts are per process: two processes behind the same address allow twice as many attempts.
"""

import ipaddress
import math
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from patternmind.web.problems import TOO_MANY_ATTEMPTS, HTTPProblem


class RateLimiter:
    """Limits failed attempts per client within a moving window; the rejection states when to retry."""

    def __init__(self, n: int, *, seconds: int) -> None:
        self._item = RateLimitItemPerSecond(n, seconds)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def record_failure(self, key: str) -> None:
        """Count a failed attempt.

        Raises:
            HTTPProblem: the limit is exceeded.
        """
        if not self._limiter.hit(self._item, key):
            self._raise_limited(key)

    def check(self, key: str) -> None:
        """Check that another attempt is allowed, without counting one.

        Raises:
            HTTPProblem: the limit is reached.
        """
        if not self._limiter.test(self._item, key):
            self._raise_limited(key)

    def _raise_limited(self, key: str) -> None:
        reset_time = self._limiter.get_window_stats(self._item, key).reset_time
        seconds = max(1, math.ceil(reset_time - time.time()))
        raise HTTPProblem(
            TOO_MANY_ATTEMPTS, f"Wait {seconds} seconds, then try again.", headers={"retry-after": str(seconds)}
        )


def client_key(request: Request, *, is_proxied: bool) -> str:
    """Return the client's address; for IPv6 its /64 network, since a household has a whole one.

    Args:
        is_proxied: a trusted proxy on this machine adds the client's address to ``X-Forwarded-For``.
    """
    host = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    try:
        peer = ipaddress.ip_address(host)
        address = ipaddress.ip_address(forwarded) if is_proxied and peer.is_loopback and forwarded else peer
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
