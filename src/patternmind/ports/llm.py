"""What writes with a language model, and what it is accounted in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from patternmind.domain.calls import Budget, CachedAnswer, Call


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPrompt:
    """A prompt with its variables filled in. ``hash`` names the prompt file's content, not the variables.

    Attributes:
        case_ids: the cases whose words stand in it, so that erasing one removes the cached answers that saw it. None
            is not known: such an answer goes with the first case that is erased, whichever it is.
        input_hash: names what was filled in, for a prompt that is not rendered to the same text twice (a fence drawn
            at random). Empty, and the text itself is what an answer is cached by.
    """

    id: str
    hash: str
    system: str
    user: str
    answer_schema: Mapping[str, Any]
    case_ids: tuple[str, ...] | None = None
    input_hash: str = ""


class PromptTemplates(Protocol):
    def content_hash(self, *prompt_ids: str) -> str:
        """Names the content of these prompts together; of all, where none is named."""
        ...

    def render(self, prompt_id: str, variables: Mapping[str, object]) -> RenderedPrompt:
        """The prompt, ready to send.

        Raises:
            PromptInvalid: no such prompt, or the variables are not exactly the ones it declares.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """``value`` fits the prompt's answer schema. Tokens and cost are those it was paid with, also where ``cached``."""

    value: Mapping[str, Any]
    model: str
    n_tokens: int = 0
    cost_usd: float = 0.0
    cached: bool = False


class LanguageModel(Protocol):
    @property
    def name(self) -> str: ...

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        """One answer that fits the prompt's schema.

        Raises:
            GatewayFailed: after its own retries and one repair attempt; the caller goes on without the answer.
            BudgetReached: the call was not sent, and none after it will be; the run stops.
            PriceUnknown: the same, until somebody sets the price.
        """
        ...


class CallLedger(Protocol):
    """What calls cost and what they answered. Safe among threads and processes: the limits hold for all together."""

    def find_cached_answer(self, keys: Sequence[str]) -> CachedAnswer | None:
        """The paid answer under the first of these keys that has one."""
        ...

    def reserve(self, call: Call, budget: Budget, now: datetime) -> None:
        """Write the call as it stands, with ``reserved_usd`` put aside for its next request, where that fits.

        What is reserved counts as spent. A reservation past its ``reserved_until`` belongs to a process that died: its
        request may have been billed, so it stays spent, and its call is lost.

        Raises:
            BudgetReached: it does not fit; nothing is written.
        """
        ...

    def settle(self, call: Call, answer: CachedAnswer | None = None) -> None:
        """Write the call as it stands, with nothing reserved any more, and its answer, both or neither."""
        ...

    def list_calls(self, run_id: str | None = None) -> list[Call]:
        """The calls in the order they were begun, of a run where one is named; empty names those of no run."""
        ...
