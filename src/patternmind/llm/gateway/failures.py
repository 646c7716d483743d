"""Classify failed requests: reason, retry, fallback, and possible cost."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import cast

from patternmind.domain.calls import CallOutcome
from patternmind.errors import GatewayFailed

REFUSED = "the model refused to answer"
FILTERED = "the provider's content filter blocked the answer"
EMPTY = "the answer was empty"
CUT_OFF = "the answer was longer than allowed and cut off"

MAX_WAIT_SECONDS = 30.0
"""Longest wait before a retry, whatever Retry-After says."""

CONNECTION_ERRORS = frozenset({"ConnectError", "ConnectTimeout"})
"""Names of httpx errors that are raised before anything is sent."""

TIMEOUT_STATUS_CODES = frozenset({408, 504})
"""Status codes of a gateway timeout; the model may still have answered and billed the request."""


class AnswerTooLong(Exception):
    """Raised to stop reading an HTTP response that is too long."""


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """A request without a usable reply; ``reason`` never contains the provider's text.

    Attributes:
        is_retryable: The same request may succeed later.
        allows_fallback: Another model may answer.
        may_be_billed: The provider may charge for the request although there was no answer.
    """

    reason: str
    outcome: CallOutcome = CallOutcome.FAILED
    is_retryable: bool = False
    allows_fallback: bool = False
    may_be_billed: bool = False
    retry_after: float | None = None

    def to_error(self, task: str, suffix: str = "") -> GatewayFailed:
        """Return the failure as an exception, with a suffix to its reason."""
        return GatewayFailed(
            task, f"{self.reason}{suffix}", outcome=self.outcome, can_use_fallback=self.allows_fallback
        )


def timeout_failure(seconds: float) -> RequestFailure:
    return RequestFailure(
        f"no complete answer within {seconds:g} s", is_retryable=True, allows_fallback=True, may_be_billed=True
    )


def classify_error(error: Exception, *, timeout_seconds: float) -> RequestFailure:
    """Classify an error of litellm, without its message, which may contain the prompt."""
    kinds = {type(cause).__name__ for cause in _error_chain(error)}
    if AnswerTooLong.__name__ in kinds:
        return RequestFailure(CUT_OFF, CallOutcome.CUT_OFF, may_be_billed=True)
    kind = type(error).__name__
    code: object = getattr(error, "status_code", None)
    status = code if isinstance(code, int) else 0
    headers = cast("Mapping[str, str] | None", getattr(error, "litellm_response_headers", None))
    has_response = headers is not None
    if kind == "Timeout" and not has_response:
        return timeout_failure(timeout_seconds) if not kinds & CONNECTION_ERRORS else _connection_failure()
    if kinds & CONNECTION_ERRORS:
        return _connection_failure()
    if kind == "ContentPolicyViolationError":
        return RequestFailure(FILTERED, CallOutcome.FILTERED)
    is_transient = status in {408, 429} or status >= 500
    return RequestFailure(
        _reason_text(kind, status, has_response=has_response),
        is_retryable=is_transient,
        allows_fallback=is_transient or status == 404 or not has_response,
        may_be_billed=status in TIMEOUT_STATUS_CODES or (not has_response and status >= 500),
        retry_after=_retry_after_seconds(headers or {}),
    )


def wait_seconds(attempt: int, retry_after: float | None) -> float:
    """Return 1, 2, 4, ... seconds for the first, second, third attempt, or the server's Retry-After."""
    seconds = 2.0 ** (attempt - 1) if retry_after is None else retry_after
    return min(max(0.0, seconds), MAX_WAIT_SECONDS)  # in this order, NaN becomes 0


def _error_chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and its causes, each once."""
    visited: set[int] = set()
    while error is not None and id(error) not in visited:
        visited.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _connection_failure() -> RequestFailure:
    return RequestFailure(
        "there was no usable response; check that the address is right and reachable, and that the key is set",
        is_retryable=True,
        allows_fallback=True,
    )


def _reason_text(kind: str, status: int, *, has_response: bool) -> str:
    by_kind = {
        "ContextWindowExceededError": "the prompt is longer than the model can read",
        "Timeout": "the model's server was too slow",
        "UnsupportedParamsError": "the model does not accept the request parameters",
    }
    by_status = {
        401: "the key was refused (401)",
        402: "the account has no credit (402)",
        403: "the key is not allowed to use this model (403)",
        404: "the model or the address was not found (404)",
        429: "the rate limit was reached (429)",
    }
    if kind in by_kind:
        return by_kind[kind]
    if not has_response and status >= 500:
        return _connection_failure().reason
    if not has_response:
        return f"litellm cannot call this model; check its name, for example openai/gpt-4o ({kind})"
    return by_status.get(status, f"the model's server failed ({status})" if status >= 500 else f"refused ({status})")


def _retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After, a number or a date, as seconds from now."""
    value = headers.get("retry-after", "")
    with suppress(ValueError):
        return float(value)
    with suppress(ValueError):
        return parsedate_to_datetime(value).timestamp() - time.time()
    return None
