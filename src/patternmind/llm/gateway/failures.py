"""What went wrong with a request, in our own words, and what follows: again, elsewhere, or the end; billed or not."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import cast

from patternmind.domain.calls import CallOutcome
from patternmind.errors import GatewayFailed

REFUSED = "the model refused to answer"
FILTERED = "the provider's content filter held the answer back"
EMPTY = "the answer was empty"
CUT_OFF = "the answer was longer than allowed and cut off"

MAX_WAIT_SECONDS = 30.0
"""However long Retry-After asks for, a run does not stand still longer than this before it tries again."""

CONNECTION_ERRORS = frozenset({"ConnectError", "ConnectTimeout"})
"""By the names of httpx: nothing was sent."""

TIMEOUT_STATUS_CODES = frozenset({408, 504})
"""A gateway gave up on a model that may still have answered it, and billed it."""


class AnswerTooLong(Exception):
    """Raised while an HTTP answer is read, to stop reading it."""


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """A request without a usable reply. ``reason`` is in our words, never in the provider's.

    Attributes:
        again: the same request may succeed.
        elsewhere: another model may well answer.
        billed: the provider may ask money for it although no answer came.
    """

    reason: str
    outcome: CallOutcome = CallOutcome.FAILED
    is_retryable: bool = False
    allows_fallback: bool = False
    may_be_billed: bool = False
    retry_after: float | None = None

    def to_error(self, task: str, suffix: str = "") -> GatewayFailed:
        """The failure as an error, with more to be told behind its reason."""
        return GatewayFailed(task, f"{self.reason}{suffix}", outcome=self.outcome, can_use_fallback=self.allows_fallback)


def timeout_failure(seconds: float) -> RequestFailure:
    return RequestFailure(
        f"no whole answer within {seconds:g} s", is_retryable=True, allows_fallback=True, may_be_billed=True
    )


def classify_error(error: Exception, *, timeout_seconds: float) -> RequestFailure:
    """What an error of litellm means. Its message may hold the prompt, and is not looked at."""
    kinds = {type(one).__name__ for one in _error_chain(error)}
    if AnswerTooLong.__name__ in kinds:
        return RequestFailure(CUT_OFF, CallOutcome.CUT_OFF, may_be_billed=True)
    kind = type(error).__name__
    code: object = getattr(error, "status_code", None)
    status = code if isinstance(code, int) else 0
    headers = cast("Mapping[str, str] | None", getattr(error, "litellm_response_headers", None))
    answered = headers is not None
    if kind == "Timeout" and not answered:
        return timeout_failure(timeout_seconds) if not kinds & CONNECTION_ERRORS else _connection_failure()
    if kinds & CONNECTION_ERRORS:
        return _connection_failure()
    if kind == "ContentPolicyViolationError":
        return RequestFailure(FILTERED, CallOutcome.FILTERED)
    passing = status in {408, 429} or status >= 500
    return RequestFailure(
        _reason_text(kind, status, has_response=answered),
        is_retryable=passing,
        allows_fallback=passing or status == 404 or not answered,
        may_be_billed=status in TIMEOUT_STATUS_CODES or (not answered and status >= 500),
        retry_after=_retry_after_seconds(headers or {}),
    )


def wait_seconds(attempt: int, retry_after: float | None) -> float:
    """1, 2, 4, ... seconds after the first, second, third attempt, or what the server asked for."""
    wanted = 2.0 ** (attempt - 1) if retry_after is None else retry_after
    return min(max(0.0, wanted), MAX_WAIT_SECONDS)  # in this order not a number is 0


def _error_chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it; a cycle of causes ends."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _connection_failure() -> RequestFailure:
    return RequestFailure(
        "there was no usable response: is the address right and served, is the key set",
        is_retryable=True,
        allows_fallback=True,
    )


def _reason_text(kind: str, status: int, *, has_response: bool) -> str:
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
    if not has_response and status >= 500:
        return _connection_failure().reason
    if not has_response:
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
