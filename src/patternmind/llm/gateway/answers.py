"""Parse and validate a reply; ask the model to repair an invalid answer once."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

from jsonschema import Draft202012Validator

from patternmind.domain.calls import CallOutcome
from patternmind.errors import GatewayFailed
from patternmind.ports import ModelAnswer, RenderedPrompt

OPENING_FENCE = re.compile(r"```(?:json)?\s*(?=\{)")
MAX_REPORTED_RULES, MAX_RULE_CHARACTERS = 3, 200
"""Limits of the error report to the model; the invalid answer itself is not sent back."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The model's response to one request, not validated."""

    content: str
    n_tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class InvalidAnswer:
    """The schema error of an answer.

    ``rule`` contains only words of the schema and may be shown to anyone. ``message`` may contain words of the answer
    and is sent only to the model.
    """

    rule: str
    message: str


def ask_with_repair(
    task: str, prompt: RenderedPrompt, send: Callable[[RenderedPrompt], Reply], *, model: str
) -> ModelAnswer:
    """Return a valid answer from ``send``; an invalid answer is requested once more.

    The repair request names the violated rules. It repeats the prompt, not the answer.

    Raises:
        GatewayFailed: The second answer is invalid as well and a person is needed, or ``send`` raised it.
    """
    replies = [send(prompt)]
    value = parse_answer(replies[0].content, prompt.answer_schema)
    if isinstance(value, InvalidAnswer):
        replies.append(send(replace(prompt, user=f"{prompt.user}\n\n{_repair_message(value)}")))
        value = parse_answer(replies[1].content, prompt.answer_schema)
    if isinstance(value, InvalidAnswer):
        raise GatewayFailed(
            task,
            f"neither the answer nor its repair fits the schema ({value.rule})",
            outcome=CallOutcome.NEEDS_A_PERSON,
        )
    return ModelAnswer(
        value=value,
        model=model,
        n_tokens=sum(reply.n_tokens for reply in replies),
        cost_usd=sum(reply.cost_usd for reply in replies),
    )


def parse_answer(content: str, schema: Mapping[str, Any]) -> dict[str, Any] | InvalidAnswer:
    """Return the JSON object in a reply, plain or fenced, or the error."""
    text = content.strip()
    fenced = OPENING_FENCE.search(text)
    start = 0 if text.startswith("{") else fenced.end() if fenced else -1
    if start < 0:
        return InvalidAnswer("no JSON object", "the answer is not a JSON object")
    try:
        value, end = json.JSONDecoder(parse_constant=_reject_constant).raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        return InvalidAnswer("no valid JSON", f"the answer is not valid JSON: {error}")
    if start == 0 and end < len(text):
        return InvalidAnswer("text after the JSON", "there is text after the JSON object")
    return _validation_error(value, schema) or value


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _validation_error(value: object, schema: Mapping[str, Any]) -> InvalidAnswer | None:
    """Return the first violated rule by its path in the schema; the message names further ones."""
    validator = cast("Any", Draft202012Validator)(schema)
    errors: list[Any] = list(islice(validator.iter_errors(value), MAX_REPORTED_RULES))
    if not errors:
        return None
    rule = "/".join(str(part) for part in errors[0].absolute_schema_path)
    return InvalidAnswer(rule, "; ".join(_describe_error(error) for error in errors))


def _describe_error(error: Any) -> str:
    requirement = f"{error.validator}: {json.dumps(error.validator_value)}"[:MAX_RULE_CHARACTERS]
    return f"at {error.json_path}, which must fulfil {requirement}: {error.message[:MAX_RULE_CHARACTERS]}"


def _repair_message(invalid: InvalidAnswer) -> str:
    return (
        f"Your last answer could not be used: {invalid.message}\n"
        "Answer again, with one JSON object of the required form and nothing else."
    )
