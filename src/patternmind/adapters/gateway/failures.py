"""What went wrong with a request, in our own words, and what follows: again, elsewhere, or the end; billed or not."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import cast

from patternmind.errors import GatewayFailed
from patternmind.model.calls import CallOutcome

REFUSED = "the model refused to answer"
FILTERED = "the provider's content filter held the answer back"
EMPTY = "the answer was empty"
CUT_OFF = "the answer was longer than allowed and cut off"

LONGEST_WAIT_SECONDS = 30.0
"""However long Retry-After asks for, a run does not stand still longer than this before it tries again."""

NEVER_CONNECTED = frozenset({"ConnectError", "ConnectTimeout"})
"""By the names of httpx: nothing was sent."""

SLOW_STATUS = frozenset({408, 504})
"""A gateway gave up on a model that may still have answered it, and billed it."""


class AnswerTooLong(Exception):
    """Raised while an HTTP answer is read, to stop reading it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without a usable reply. ``reason`` is in our words, never in the provider's.

    Attributes:
        again: the same request may succeed.
        elsewhere: another model may well answer.
        billed: the provider may ask money for it although no answer came.
    """

    reason: str
    outcome: CallOutcome = CallOutcome.FAILED
    again: bool = False
    elsewhere: bool = False
    billed: bool = False
    retry_after: float | None = None

    def raised(self, task: str, told: str = "") -> GatewayFailed:
        """The failure as an error, with more to be told behind its reason."""
        return GatewayFailed(task, f"{self.reason}{told}", outcome=self.outcome, elsewhere=self.elsewhere)


def too_slow(seconds: float) -> Failure:
    return Failure(f"no whole answer within {seconds:g} s", again=True, elsewhere=True, billed=True)


def failure_of(error: Exception, *, timeout_seconds: float) -> Failure:
    """What an error of litellm means. Its message may hold the prompt, and is not looked at."""
    kinds = {type(one).__name__ for one in _chain(error)}
    if AnswerTooLong.__name__ in kinds:
        return Failure(CUT_OFF, CallOutcome.CUT_OFF, billed=True)
    kind = type(error).__name__
    code: object = getattr(error, "status_code", None)
    status = code if isinstance(code, int) else 0
    headers = cast("Mapping[str, str] | None", getattr(error, "litellm_response_headers", None))
    answered = headers is not None
    if kind == "Timeout" and not answered:
        return too_slow(timeout_seconds) if not kinds & NEVER_CONNECTED else _unreachable()
    if kinds & NEVER_CONNECTED:
        return _unreachable()
    if kind == "ContentPolicyViolationError":
        return Failure(FILTERED, CallOutcome.FILTERED)
    passing = status in {408, 429} or status >= 500
    return Failure(
        _reason(kind, status, answered=answered),
        again=passing,
        elsewhere=passing or status == 404 or not answered,
        billed=status in SLOW_STATUS or (not answered and status >= 500),
        retry_after=_retry_after_seconds(headers or {}),
    )


def wait_seconds(attempt: int, retry_after: float | None) -> float:
    """1, 2, 4, ... seconds after the first, second, third attempt, or what the server asked for."""
    wanted = 2.0 ** (attempt - 1) if retry_after is None else retry_after
    return min(max(0.0, wanted), LONGEST_WAIT_SECONDS)  # in this order not a number is 0


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it; a cycle of causes ends."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _unreachable() -> Failure:
    return Failure(
        "there was no usable response: is the address right and served, is the key set", again=True, elsewhere=True
    )


def _reason(kind: str, status: int, *, answered: bool) -> str:
    by_kind = {
        "ContextWindowExceededError": "the prompt is longer than the model can read",
        "Timeout": "the model's server was too slow",
        "UnsupportedParamsError": "the model does not take the parameters that were sent",
    }
    by_status = {
        401: "the key was refused (401)",
        402: "the account has no credit (402)",
        403: "the key may not use this model (403)",
        404: "there is no such model or address (404)",
        429: "the rate limit was reached (429)",
    }
    if kind in by_kind:
        return by_kind[kind]
    if not answered and status >= 500:
        return _unreachable().reason
    if not answered:
        return f"litellm cannot call this model, is its name right, such as openai/gpt-4o ({kind})"
    return by_status.get(status, f"the model's server failed ({status})" if status >= 500 else f"refused ({status})")


def _retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After as seconds from now; it may be a number or a date."""
    value = headers.get("retry-after", "")
    with suppress(ValueError):
        return float(value)
    with suppress(ValueError):
        return parsedate_to_datetime(value).timestamp() - time.time()
    return None
