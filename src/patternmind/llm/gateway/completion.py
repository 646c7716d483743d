"""Send one HTTP request through litellm; no other module imports it.

Behaviour of litellm 1.106.2: with ``num_retries`` and ``max_retries`` both 0 it makes one HTTP request. Its timeout
restarts with every byte, so a slow response outlasts it. Its errors quote the provider, who may quote the prompt.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread, local
from typing import Any, Protocol, TypeVar, cast

from patternmind.domain.calls import CallOutcome, Endpoint
from patternmind.llm.gateway.failures import (
    CUT_OFF,
    EMPTY,
    FILTERED,
    REFUSED,
    AnswerTooLong,
    RequestFailure,
    classify_error,
    timeout_failure,
)

MAX_RESPONSE_BYTES = 2 << 20
"""Limit for an HTTP response, so that an endless response cannot fill the memory.

4,000 tokens are some 20 kB, reasoning included.
"""

_load_lock = Lock()

_thread_state = local()
"""``deadline`` is the time at which the request of this thread is abandoned."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of one request as counted by the provider; ``is_known`` is false without a count."""

    n_tokens_in: int = 0
    n_tokens_out: int = 0
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class CompletionResponse:
    """The provider's HTTP response: the model's text or the failure, and the token usage."""

    content: str | RequestFailure
    usage: TokenUsage


def request_completion(
    endpoint: Endpoint, messages: Sequence[Mapping[str, str]], *, max_tokens: int, timeout_seconds: float
) -> CompletionResponse | RequestFailure:
    """Send one HTTP request, and abandon it at the timeout.

    A key from the environment is never sent to ``api_base``.
    """
    request = partial(
        load_litellm(),  # before the clock starts
        model=endpoint.model,
        messages=messages,
        max_tokens=max_tokens,
        timeout=timeout_seconds,
        num_retries=0,
        max_retries=0,
        api_base=endpoint.api_base,
        api_key=endpoint.api_key or ("none" if endpoint.api_base else None),
    )
    outcome = _run_with_timeout(timeout_seconds, partial(_send, request, timeout_seconds))
    return timeout_failure(timeout_seconds) if outcome is None else outcome


class _CompletionFunction(Protocol):
    def __call__(self, **request: object) -> object: ...


def load_litellm() -> _CompletionFunction:
    """Load litellm once; one thread loads it while the others wait."""
    with _load_lock:
        return _load_completion()


@cache
def _load_completion() -> _CompletionFunction:
    """Import litellm's ``completion`` without output, .env file or price list download; takes 2.4 s."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    import litellm

    library = cast("Any", litellm)
    library.suppress_debug_info = True  # else an advertisement is printed on stdout, into --json
    library.redact_messages_in_exceptions = True
    library.turn_off_message_logging = True
    library.client_session = _bounded_client()
    for logger in ("LiteLLM", "openai", "httpx", "httpcore"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # at DEBUG they write whole prompts
    completion = cast("_CompletionFunction", library.completion)
    _warm_up(completion)
    return completion


def _warm_up(completion: _CompletionFunction) -> None:
    """Let litellm load all parts, with a request that expires before it is sent."""
    _thread_state.deadline = float("-inf")
    with suppress(Exception):
        messages = [{"role": "user", "content": "never sent"}]
        address = {"api_base": "http://127.0.0.1:9/v1", "api_key": "none"}
        completion(model="openai/none", messages=messages, timeout=1, num_retries=0, max_retries=0, **address)
    del _thread_state.deadline


def _bounded_client() -> object:
    """Return the HTTP client for OpenAI-compatible servers, with a deadline and a size limit.

    Without it, a request that was abandoned while litellm prepared it would still be sent, and a slow server would
    occupy its thread and socket as long as it sends. Other providers have their own clients in litellm; their thread
    ends when the server closes the connection.
    """
    import httpx

    class BoundedStream(httpx.SyncByteStream):
        def __init__(self, stream: httpx.SyncByteStream) -> None:
            self._stream = stream

        def __iter__(self) -> Iterator[bytes]:
            n_bytes = 0
            for chunk in self._stream:
                n_bytes += len(chunk)
                if n_bytes > MAX_RESPONSE_BYTES:
                    raise AnswerTooLong
                if _seconds_left() < 0:
                    raise httpx.ReadTimeout("the time of the whole answer is over")
                yield chunk

        def close(self) -> None:
            self._stream.close()

    class BoundedClient(httpx.Client):
        def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
            if _seconds_left() < 0:
                raise httpx.ConnectTimeout("the request was abandoned before it was sent")
            response = super().send(request, stream=True, **options)
            response.stream = BoundedStream(cast("httpx.SyncByteStream", response.stream))
            return response if stream else _read_body(response)

    return BoundedClient(follow_redirects=True)


def _seconds_left() -> float:
    """Return the seconds until the request of this thread is abandoned; the same thread sends and reads."""
    return getattr(_thread_state, "deadline", float("inf")) - time.monotonic()


def _read_body(response: Any) -> Any:
    try:
        response.read()
    except BaseException:
        response.close()
        raise
    return response


def _run_with_timeout(seconds: float, call: Callable[[], T]) -> T | None:
    """Return the result of the call, or ``None`` at the timeout; its thread ends by itself."""
    answers: SimpleQueue[T] = SimpleQueue()
    Thread(target=lambda: answers.put(call()), name="model call", daemon=True).start()
    with suppress(Empty):
        return answers.get(timeout=seconds)
    return None


def _send(request: Callable[[], object], timeout_seconds: float) -> CompletionResponse | RequestFailure:
    """Return the response, or the failure with a fixed text.

    The error is not chained: litellm raises more classes than it documents, and their messages may contain the prompt.
    """
    _thread_state.deadline = time.monotonic() + timeout_seconds
    try:
        response = request()
    except Exception as error:  # noqa: BLE001 - recorded as the failure, which is raised as GatewayFailed
        return classify_error(error, timeout_seconds=timeout_seconds)
    return CompletionResponse(_extract_content(response), _extract_usage(response))


def _extract_content(response: Any) -> str | RequestFailure:
    """Return the text of a response or its failure; the provider may omit any part of a response."""
    choice: Any = response.choices[0] if getattr(response, "choices", None) else None
    message: Any = getattr(choice, "message", None)
    content: str = getattr(message, "content", None) or ""
    extras: Mapping[str, object] = getattr(message, "provider_specific_fields", None) or {}
    finish = getattr(choice, "finish_reason", None)
    if finish == "content_filter":
        return RequestFailure(FILTERED, CallOutcome.FILTERED)
    if extras.get("refusal"):
        return RequestFailure(REFUSED, CallOutcome.REFUSED)
    if finish == "length" or len(content) > MAX_RESPONSE_BYTES:
        return RequestFailure(CUT_OFF, CallOutcome.CUT_OFF)
    if not content.strip():
        return RequestFailure(EMPTY, CallOutcome.EMPTY)
    return content


def _extract_usage(response: Any) -> TokenUsage:
    usage: Any = getattr(response, "usage", None)
    n_in, n_out = (getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens"))
    if not isinstance(n_in, int) or not isinstance(n_out, int) or n_in <= 0 or n_out < 0:
        return TokenUsage()
    return TokenUsage(n_in, n_out, is_known=True)
