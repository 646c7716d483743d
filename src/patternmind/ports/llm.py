"""Protocols for the language model, its prompts, and the ledger of its calls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from patternmind.domain.calls import Budget, CachedAnswer, Call


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPrompt:
    """A prompt with its variables filled in.

    Attributes:
        hash: hash of the prompt file's content, without the variables.
        case_ids: cases whose text it contains; erasing one of them deletes the cached answers that saw it. None means
            unknown: such an answer is deleted with the first case that is erased, whichever it is.
        input_hash: hash of the variables, for a prompt that is never rendered to the same text twice (it contains a
            random fence). If empty, answers are cached by the text itself.
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
        """Return a hash of the content of these prompts, or of all prompts without arguments."""
        ...

    def render(self, prompt_id: str, variables: Mapping[str, object]) -> RenderedPrompt:
        """Render a prompt for sending.

        Raises:
            PromptInvalid: the prompt does not exist, or the variables are not exactly those it declares.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """Answer whose ``value`` matches the prompt's answer schema.

    Tokens and cost are those of the original call, also if ``cached``.
    """

    value: Mapping[str, Any]
    model: str
    n_tokens: int = 0
    cost_usd: float = 0.0
    cached: bool = False


class LanguageModel(Protocol):
    @property
    def name(self) -> str: ...

    def ask(self, task: str, prompt: RenderedPrompt) -> ModelAnswer:
        """Return an answer that matches the prompt's schema.

        Raises:
            GatewayFailed: the call failed after retries and one repair attempt; the caller continues without it.
            BudgetReached: the call was not sent, and later calls will not be; the run stops.
            PriceUnknown: the call was not sent, and later calls will not be until the price is set.
        """
        ...


class CallLedger(Protocol):
    """Costs and answers of calls.

    It is safe to use from several threads and processes: the limits apply to all of them together.
    """

    def find_cached_answer(self, keys: Sequence[str]) -> CachedAnswer | None:
        """Return the paid answer of the first key that has one."""
        ...

    def reserve(self, call: Call, budget: Budget, now: datetime) -> None:
        """Store the call and reserve ``reserved_usd`` for its next request, if the budget permits.

        Reserved amounts count as spent. A reservation past its ``reserved_until`` belongs to a dead process. Its
        request may have been billed, so the amount stays spent and the call is marked as lost.

        Raises:
            BudgetReached: the amount does not fit; nothing is stored.
        """
        ...

    def settle(self, call: Call, answer: CachedAnswer | None = None) -> None:
        """Store the call without a reservation together with its answer, in one transaction."""
        ...

    def list_all(self, run_id: str | None = None) -> list[Call]:
        """Return calls in the order of their start.

        Args:
            run_id: only the calls of this run; the empty string selects calls outside any run.
        """
        ...

    def delete_answers_of(self, case_ids: Iterable[str]) -> int:
        """Delete cached answers that saw any of these cases, and return their number.

        Answers with unknown cases are deleted too. Storing a changed text of a case deletes its answers anyway.
        """
        ...
