"""How often somebody may be wrong. Kept in this process: two processes behind one address allow twice as much."""

import ipaddress
import math
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from patternmind.web.problems import TOO_MANY_ATTEMPTS, HTTPProblem


class RateLimiter:
    """So many wrong tries a window from one place; more are told when to come again."""

    def __init__(self, n: int, *, seconds: int) -> None:
        self._item = RateLimitItemPerSecond(n, seconds)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def record_failure(self, place: str) -> None:
        """Count one.

        Raises:
            Declined: there were too many.
        """
        if not self._limiter.hit(self._item, place):
            self._raise_limited(place)

    def check(self, key: str) -> None:
        """Go on only while one more is allowed.

        Raises:
            Declined
        """
        if not self._limiter.test(self._item, key):
            self._raise_limited(key)

    def _raise_limited(self, key: str) -> None:
        until = self._limiter.get_window_stats(self._item, key).reset_time
        wait = max(1, math.ceil(until - time.time()))
        raise HTTPProblem(
            TOO_MANY_ATTEMPTS, f"Wait {wait} seconds, then try again.", headers={"retry-after": str(wait)}
        )


def client_key(request: Request, *, is_proxied: bool) -> str:
    """Whose tries these are: an address; of IPv6 the network, since one household holds more than can be counted.

    Args:
        proxied: a proxy of ours stands on this machine and adds the address it was asked from.
    """
    host = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    try:
        near = ipaddress.ip_address(host)
        address = ipaddress.ip_address(forwarded) if is_proxied and near.is_loopback and forwarded else near
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
