"""A small OpenAI-compatible server on loopback, and a gateway to it: what a provider may do, over real HTTP."""

import json
import socket
import struct
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

from tests.builders import NOON

from patternmind.adapters.clock import FixedClock
from patternmind.adapters.gateway import LiteLLMGateway, MemoryLedger
from patternmind.model.calls import Budget, CallLimits, Endpoint, ModelChoice, Price
from patternmind.ports import Clock, Ledger

CASE_TEXT = "pallet 4711 left without its red tape"

CHEAP = Price(1.0, 4.0)
"""A token read costs a millionth of a dollar, one written four."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer of the provider.

    Attributes:
        raw: sent in place of the body.
        drip_seconds: the pause between two bytes of the body.
        never: the server reads the request and says nothing, until the test is over.
        resets: it closes the connection in place of an answer.
    """

    status: int = 200
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    raw: bytes = b""
    drip_seconds: float = 0.0
    never: bool = False
    resets: bool = False


Reaction = Callable[[Mapping[str, Any]], Answer]
"""An answer that depends on the request."""


@dataclass
class Provider:
    """What it answers, in order and the last one for ever, or as it reacts; and what it was sent."""

    url: str
    answers: list[Answer] | Reaction
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str | None] = field(default_factory=list[str | None])
    closed: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)
    n_open: int = 0

    @property
    def users(self) -> list[str]:
        return [request["messages"][-1]["content"] for request in self.requests]

    def take(self, request: dict[str, Any], key: str | None) -> Answer:
        with self.lock:
            self.requests.append(request)
            self.keys.append(key)
            if callable(self.answers):
                return self.answers(request)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    provider: Provider

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        provider = self.server.provider
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = provider.take(request, self.headers["Authorization"])
        with provider.lock:
            provider.n_open += 1
        with suppress(OSError):
            self._give(answer)
        with provider.lock:
            provider.n_open -= 1

    def _give(self, answer: Answer) -> None:
        if answer.resets:
            linger = struct.pack("ii", 1, 0)  # closes with RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
        elif answer.never:
            self._wait_until_gone()
        else:
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        body = answer.raw or json.dumps(answer.body).encode()
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if not answer.drip_seconds:
            self.wfile.write(body)
            return
        for byte in body:
            if self.server.provider.closed.wait(answer.drip_seconds):
                return
            self.wfile.write(bytes([byte]))

    def _wait_until_gone(self) -> None:
        """Until the client hangs up or the test is over."""
        self.connection.settimeout(0.05)
        while not self.server.provider.closed.is_set():
            with suppress(TimeoutError):
                if not self.connection.recv(1):
                    return

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(answers: Sequence[Answer] | Reaction) -> Generator[Provider]:
    server = _Server(("127.0.0.1", 0), _Handler)
    given = answers if callable(answers) else list(answers)
    provider = server.provider = Provider(url=f"http://127.0.0.1:{server.server_port}/v1", answers=given)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield provider
    finally:
        provider.closed.set()
        server.shutdown()
        server.server_close()


def completion(
    content: str | None,
    *,
    finish: str = "stop",
    refusal: str | None = None,
    tokens: tuple[int, int] | None = (30, 12),
) -> Answer:
    """An answer as OpenAI gives it; ``tokens`` read and written, None where the provider does not count."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    usage = (
        {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)} if tokens else None
    )
    return Answer(
        body={
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "test-model",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": usage,
        }
    )


def failing(status: int, **headers: str) -> Answer:
    body = {"error": {"message": f"cannot answer to: {CASE_TEXT}", "type": "error"}}
    return Answer(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def do_not_wait(seconds: float) -> None:
    pass


def endpoint_at(provider: Provider, model: str = "openai/test-model", **known: Any) -> Endpoint:
    given: dict[str, Any] = {"model": model, "api_base": provider.url, "price": CHEAP, **known}
    return Endpoint(**given)


def gateway_to(
    provider: Provider,
    *,
    choice: ModelChoice | None = None,
    ledger: Ledger | None = None,
    clock: Clock | None = None,
    budget: Budget | None = None,
    sleep: Callable[[float], None] = do_not_wait,
    **limits: Any,
) -> LiteLLMGateway:
    """A gateway to one model of the provider, unless ``choice`` says otherwise; ``limits`` as in ``CallLimits``."""
    return LiteLLMGateway(
        choice or ModelChoice(usual=endpoint_at(provider)),
        ledger if ledger is not None else MemoryLedger(),
        clock or FixedClock(NOON),
        limits=CallLimits(**limits),
        budget=budget or Budget(),
        sleep=sleep,
    )
