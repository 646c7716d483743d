"""The language model behind litellm: our own retries, a limit in wall-clock time, and answers that fit their schema.

As litellm 1.106.2 behaves: with ``num_retries`` and ``max_retries`` both 0 it makes one HTTP request; its timeout
starts anew with every byte, so a slow drip outlasts it; and its errors quote the provider, who may quote the prompt.
"""

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import cache, partial
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar, cast

from jsonschema import Draft202012Validator

from patternmind.errors import GatewayFailed
from patternmind.ports import ModelAnswer, RenderedPrompt

REFUSED = "the model refused to answer"
FILTERED = "the provider's content filter held the answer back"
EMPTY = "the answer was empty"
CUT_OFF = "the answer was longer than allowed and cut off"

LONGEST_WAIT_SECONDS = 30.0
"""However long Retry-After asks for, a run does not stand still longer than this before it tries again."""

OPENING_FENCE = re.compile(r"```(?:json)?\s*(?=\{)")
N_RULES, N_CHARACTERS = 3, 200
"""Of what is wrong with an answer, so much is sent back, and not the answer."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said to one request, not yet checked."""

    content: str
    n_tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why an answer does not fit its schema.

    ``rule`` is made of the schema's own words and may be shown to anyone; ``message`` may hold words of the answer and
    goes back to the model alone.
    """

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class _Failure:
    """A request without a reply. ``reason`` is in our words, never in the provider's."""

    reason: str
    again: bool = False
    retry_after: float | None = None


class LiteLLMGateway:
    """``LanguageModel`` over any provider that litellm speaks to.

    Temperature is left to the provider: reasoning models refuse any but their own.
    """

    def __init__(
        self,
        model: str,
        *,
        api_base: str | None = None,
        api_key: str | None = None,
        timeout_seconds: float = 60.0,
        max_attempts: int = 3,
        max_tokens: int = 4000,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is loaded or sent yet.

        Args:
            api_base: where the model is served; without it, the provider's own address.
            api_key: without it litellm takes the provider's usual variable (``OPENAI_API_KEY``, ...), but only where
                ``api_base`` is not given either: that key must not travel to another address.
            timeout_seconds: wall-clock limit of one HTTP request.
            max_attempts: HTTP requests of one ``ask`` in total, the repair among them. So ``ask`` takes at most
                ``max_attempts`` times ``timeout_seconds``, and the waits between.
            max_tokens: longest answer; reasoning counts.
        """
        self._model = model
        self._address = {"api_base": api_base, "api_key": api_key or ("none" if api_base else None)}
        self._timeout_seconds = float(timeout_seconds)
        self._max_attempts = max_attempts
        self._max_tokens = max_tokens
        self._sleep = sleep

    @property
    def name(self) -> str:
        return self._model

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        """One answer that fits the prompt's schema.

        ``cost_usd`` is litellm's price of all replies, 0.0 where it knows none.

        Raises:
            GatewayFailed: after ``max_attempts`` requests, one repair, or at once where trying again cannot help.
        """
        attempts = iter(range(1, self._max_attempts + 1))
        return ask_until_fit(task, prompt, partial(self._send, task, attempts), model=self._model)

    def ping(self) -> None:
        """One request for one token, answered: address, key and model name are right.

        Raises:
            GatewayFailed
        """
        outcome = self._request([{"role": "user", "content": "ping"}], max_tokens=1)
        if isinstance(outcome, _Failure):
            raise GatewayFailed("the connection check", outcome.reason)

    def _send(self, task: str, attempts: Iterator[int], prompt: RenderedPrompt) -> Reply:
        """The reply, from as many of the attempts as it takes."""
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        for attempt in attempts:
            response = self._request(messages, max_tokens=self._max_tokens)
            outcome = response if isinstance(response, _Failure) else _reply(response)
            if isinstance(outcome, Reply):
                return outcome
            if not outcome.again:
                raise GatewayFailed(task, outcome.reason)
            if attempt == self._max_attempts:
                raise GatewayFailed(task, f"{outcome.reason}; requests made: {attempt}")
            self._sleep(_wait_seconds(attempt, outcome.retry_after))
        raise GatewayFailed(task, "the answer did not fit, and no request was left to repair it")

    def _request(self, messages: Sequence[Mapping[str, str]], *, max_tokens: int) -> "_Response | _Failure":
        """One HTTP request, given up when its time is over."""
        complete = _load_completion()  # before the clock starts
        request = partial(
            complete,
            model=self._model,
            messages=messages,
            max_tokens=max_tokens,
            timeout=self._timeout_seconds,
            num_retries=0,
            max_retries=0,
            **self._address,
        )
        outcome = _within(self._timeout_seconds, partial(_outcome, request))
        if outcome is None:
            return _Failure(f"no whole answer within {self._timeout_seconds:g} s", again=True)
        return outcome


def ask_until_fit(
    task: str, prompt: RenderedPrompt, send: Callable[[RenderedPrompt], Reply], *, model: str
) -> ModelAnswer:
    """The answer that ``send`` gives, asked for once more where it does not fit the prompt's schema.

    The repair names the broken rules; it repeats the prompt, not the answer.

    Raises:
        GatewayFailed: the second answer does not fit either, or ``send`` raised it.
    """
    replies = [send(prompt)]
    value = read_answer(replies[0].content, prompt.answer_schema)
    if isinstance(value, Unfit):
        replies.append(send(replace(prompt, user=f"{prompt.user}\n\n{_repair_request(value)}")))
        value = read_answer(replies[1].content, prompt.answer_schema)
    if isinstance(value, Unfit):
        raise GatewayFailed(task, f"neither the answer nor its repair fits the schema ({value.rule})")
    return ModelAnswer(
        value=value,
        model=model,
        n_tokens=sum(reply.n_tokens for reply in replies),
        cost_usd=sum(reply.cost_usd for reply in replies),
    )


def read_answer(content: str, schema: Mapping[str, Any]) -> dict[str, Any] | Unfit:
    """The JSON object in a reply, plain or in a ``json`` fence, where it fits the schema."""
    text = content.strip()
    fenced = OPENING_FENCE.search(text)
    start = 0 if text.startswith("{") else fenced.end() if fenced else -1
    if start < 0:
        return Unfit("no JSON object", "the answer is not a JSON object")
    try:
        value, end = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        return Unfit("no valid JSON", f"the answer is not valid JSON: {error}")
    if start == 0 and end < len(text):
        return Unfit("text after the JSON", "there is text after the JSON object")
    return _broken_rule(value, schema) or value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _broken_rule(value: object, schema: Mapping[str, Any]) -> Unfit | None:
    """The first broken rule by its place in the schema; the message tells the model of the next ones too."""
    validator = cast("Any", Draft202012Validator)(schema)
    errors: list[Any] = list(islice(validator.iter_errors(value), N_RULES))
    if not errors:
        return None
    rule = "/".join(str(part) for part in errors[0].absolute_schema_path)
    return Unfit(rule, "; ".join(_describe(error) for error in errors))


def _describe(error: Any) -> str:
    requirement = f"{error.validator}: {json.dumps(error.validator_value)}"[:N_CHARACTERS]
    return f"at {error.json_path}, which must fulfil {requirement}: {error.message[:N_CHARACTERS]}"


def _repair_request(unfit: Unfit) -> str:
    return (
        f"Your last answer could not be used: {unfit.message}\n"
        "Answer again, with one JSON object of the form asked for and nothing else."
    )


class _Response(Protocol):
    """What we read of litellm's ModelResponse; everything in it is the provider's and may be missing."""

    choices: Sequence[Any]


class _Completion(Protocol):
    def __call__(self, **request: object) -> _Response: ...


@cache
def _load_completion() -> _Completion:
    """litellm's ``completion``, silent and without reading a .env file or fetching its price list."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    import litellm

    library = cast("Any", litellm)
    library.suppress_debug_info = True  # else an advertisement is printed on stdout, into --json
    library.redact_messages_in_exceptions = True
    library.turn_off_message_logging = True
    for logger in ("LiteLLM", "openai", "httpx", "httpcore"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # at DEBUG they write whole prompts
    return cast("_Completion", library.completion)


def _within(seconds: float, call: Callable[[], T]) -> T | None:
    """What the call gives, or None when the time is over; its thread then ends when the server lets go of it."""
    answers: SimpleQueue[T] = SimpleQueue()
    Thread(target=lambda: answers.put(call()), name="model call", daemon=True).start()
    with suppress(Empty):
        return answers.get(timeout=seconds)
    return None


def _outcome(request: Callable[[], _Response]) -> _Response | _Failure:
    """The response, or the failure in our own words.

    The error stops here and is not chained: litellm raises more classes than it documents, and their messages may hold
    the prompt.
    """
    try:
        return request()
    except Exception as error:  # noqa: BLE001 - recorded as the failure, which is raised as GatewayFailed
        return _failure(error)


def _failure(error: Exception) -> _Failure:
    code: object = getattr(error, "status_code", None)
    status = code if isinstance(code, int) else 0
    headers = cast("Mapping[str, str] | None", getattr(error, "litellm_response_headers", None))
    return _Failure(
        _reason(type(error).__name__, status, answered=headers is not None),
        again=status in {408, 429} or status >= 500,
        retry_after=_retry_after_seconds(headers or {}),
    )


def _reason(kind: str, status: int, *, answered: bool) -> str:
    by_kind = {
        "ContentPolicyViolationError": FILTERED,
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
        return "there was no usable response: is the address right and served, is the key set"
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


def _wait_seconds(attempt: int, retry_after: float | None) -> float:
    """1, 2, 4, ... seconds after the first, second, third attempt, or what the server asked for."""
    wanted = 2.0 ** (attempt - 1) if retry_after is None else retry_after
    return min(max(0.0, wanted), LONGEST_WAIT_SECONDS)  # in this order not a number is 0


def _reply(response: Any) -> Reply | _Failure:
    choice: Any = response.choices[0] if response.choices else None
    message: Any = getattr(choice, "message", None)
    content: str = getattr(message, "content", None) or ""
    extras: Mapping[str, object] = getattr(message, "provider_specific_fields", None) or {}
    finish = getattr(choice, "finish_reason", None)
    if finish == "content_filter":
        return _Failure(FILTERED)
    if extras.get("refusal"):
        return _Failure(REFUSED)
    if finish == "length":
        return _Failure(CUT_OFF)
    if not content.strip():
        return _Failure(EMPTY)
    usage: Any = getattr(response, "usage", None)
    hidden: Mapping[str, Any] = getattr(response, "_hidden_params", None) or {}
    return Reply(
        content=content,
        n_tokens=getattr(usage, "total_tokens", None) or 0,
        cost_usd=hidden.get("response_cost") or 0.0,
    )
