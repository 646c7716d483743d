"""A language model that answers from scripts, for tests, demos and evals without a network."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from patternmind.errors import GatewayFailed
from patternmind.llm import gateway
from patternmind.ports import ModelAnswer, RenderedPrompt


@dataclass(frozen=True, slots=True)
class ScriptedFailure:
    """Script entry that makes the request raise ``GatewayFailed`` with this reason."""

    reason: str


REFUSED_FAILURE = ScriptedFailure(gateway.REFUSED)
FILTERED_FAILURE = ScriptedFailure(gateway.FILTERED)
SERVER_FAILURE = ScriptedFailure("the model's server failed (500); requests made: 3")

ScriptedReply = Mapping[str, Any] | str | ScriptedFailure
"""A reply: an object (sent as JSON), a string (sent unchanged), or a failure."""

Script = Sequence[ScriptedReply] | Callable[[RenderedPrompt], ScriptedReply]
"""Replies of a task, one per request and repair, or a function of the prompt."""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    task: str
    prompt: RenderedPrompt


class ScriptedModel:
    """``LanguageModel`` that answers from scripts by task, and records every request.

    Answers are validated against the schema and repaired once, as in the real gateway. A task without a script, or
    without further replies, fails.
    """

    def __init__(self, scripts: Mapping[str, Script], *, name: str = "scripted") -> None:
        self._scripts = {task: script if callable(script) else iter(script) for task, script in scripts.items()}
        self._name = name
        self.requests: list[RecordedRequest] = []

    @property
    def name(self) -> str:
        return self._name

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        """Return an answer that fits the prompt's schema, without tokens or cost.

        Raises:
            GatewayFailed: The script contains a failure, has no further reply, or gives two invalid answers.
        """
        return gateway.ask_with_repair(task, prompt, partial(self._send, task), model=self._name)

    def _send(self, task: str, prompt: RenderedPrompt) -> gateway.Reply:
        self.requests.append(RecordedRequest(task, prompt))
        reply = self._next_reply(task, prompt)
        if isinstance(reply, ScriptedFailure):
            raise GatewayFailed(task, reply.reason)
        content = reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)
        if not content.strip():
            raise GatewayFailed(task, gateway.EMPTY)
        return gateway.Reply(content)

    def _next_reply(self, task: str, prompt: RenderedPrompt) -> ScriptedReply:
        script = self._scripts.get(task, iter(()))
        if callable(script):
            return script(prompt)
        return next(script, ScriptedFailure("the script has no further answer"))
