"""A language model that says what a script tells it to: for tests, demos and evals without a network."""

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
    """In a script: this request ends in ``GatewayFailed`` with the reason."""

    reason: str


REFUSED_FAILURE = ScriptedFailure(gateway.REFUSED)
FILTERED_FAILURE = ScriptedFailure(gateway.FILTERED)
SERVER_FAILURE = ScriptedFailure("the model's server failed (500); requests made: 3")

ScriptedReply = Mapping[str, Any] | str | ScriptedFailure
"""One reply: an object sent as JSON; a string sent as it is, which is how to answer malformed; or a failure."""

Script = Sequence[ScriptedReply] | Callable[[RenderedPrompt], ScriptedReply]
"""The lines of a task in order, one a request (a repair is a request), or a function of the prompt that was sent."""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    task: str
    prompt: RenderedPrompt


class ScriptedModel:
    """``LanguageModel`` that answers from scripts by task, and keeps every request it got.

    Answers are checked against the schema and repaired once, as the real gateway does it. A task without a script, or
    whose lines are used up, fails.
    """

    def __init__(self, scripts: Mapping[str, Script], *, name: str = "scripted") -> None:
        self._scripts = {task: script if callable(script) else iter(script) for task, script in scripts.items()}
        self._name = name
        self.requests: list[RecordedRequest] = []

    @property
    def name(self) -> str:
        return self._name

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        """One answer that fits the prompt's schema; no tokens, no cost.

        Raises:
            GatewayFailed: the script says so, ends, or gives two answers that do not fit.
        """
        return gateway.ask_with_repair(task, prompt, partial(self._send, task), model=self._name)

    def _send(self, task: str, prompt: RenderedPrompt) -> gateway.Reply:
        self.requests.append(RecordedRequest(task, prompt))
        line = self._next_reply(task, prompt)
        if isinstance(line, ScriptedFailure):
            raise GatewayFailed(task, line.reason)
        content = line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)
        if not content.strip():
            raise GatewayFailed(task, gateway.EMPTY)
        return gateway.Reply(content)

    def _next_reply(self, task: str, prompt: RenderedPrompt) -> ScriptedReply:
        script = self._scripts.get(task, iter(()))
        if callable(script):
            return script(prompt)
        return next(script, ScriptedFailure("the script holds no further answer"))
