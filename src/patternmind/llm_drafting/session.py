"""Asking the model: one place where prompts are rendered, answers redacted, and failures counted."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from patternmind.drafting.llm_proposals.base import RedactedAnswer
from patternmind.errors import GatewayFailed
from patternmind.grounding import Similarity
from patternmind.ingestion.redaction.redactor import KeepPredicate, redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.llm.batch import LlmRequest, LlmResult, ask_all
from patternmind.ports import (
    Encoder,
    LanguageModel,
    PromptTemplates,
    RenderedPrompt,
)

PROMPT_ITEM_ID = re.compile(r"[qs][1-9]\d*")
"""Of a facet or a sentence, as prompts give them."""

MIN_REPEATED_WORDS = 12
"""So many words of our instructions in a row are no answer; what they let a model choose from is shorter."""


@dataclass(frozen=True, slots=True)
class LlmContext:
    """A language model and its prompts; without one, everything comes from the texts themselves.

    Attributes:
        similarity: for the second look at what the model claims; without it no support is called weak.
    """

    model: LanguageModel
    prompts: PromptTemplates
    similarity: Similarity | None = None


@dataclass
class LlmSession:
    """Asks on behalf of one run or one draft. The same is asked once, and its answer or failure is kept for the run.

    Attributes:
        n_failed: calls that gave no usable answer; where there are any, the run may be tried again.
        suspicious: cases that speak to machines, as the model reported them.
    """

    context: LlmContext
    roster: Roster
    n_failed: int = 0
    suspicious_case_ids: set[str] = field(default_factory=set[str])
    _results: dict[tuple[str, ...], LlmResult] = field(default_factory=dict[tuple[str, ...], LlmResult])

    @property
    def similarity(self) -> Similarity | None:
        return self.context.similarity

    def ask(self, prompt_id: str, variables: Mapping[str, object], *, case_ids: Sequence[str]) -> RedactedAnswer:
        """The answer to a prompt, redacted: nothing the model says is seen, kept or shown before.

        Raises:
            GatewayFailed: there is no usable answer.
        """
        prompt = self._render(prompt_id, variables, case_ids)
        self._ask_all([LlmRequest(prompt_id, prompt)])
        said = self._results[_prompt_key(prompt)]
        if isinstance(said, GatewayFailed):
            raise GatewayFailed(said.task, said.reason)
        if repeats_instructions(said.value, prompt):
            raise GatewayFailed(prompt_id, "the answer repeats the words of its instructions")
        return RedactedAnswer(
            value=redact_values(said.value, self.roster, keep=known_id_filter(case_ids)),
            model=said.model,
            prompt=prompt.id,
            prompt_hash=prompt.hash,
            n_tokens=said.n_tokens,
            cost_usd=said.cost_usd,
        )

    def prefetch(self, prompt_id: str, variables_by_case: Mapping[str, Mapping[str, object]]) -> None:
        """Put one question a case, as many at once as the model takes; ``ask`` then has the answers, or the failures.

        Args:
            by_case: the variables, by the id of the case that stands in them.
        """
        prompts = [self._render(prompt_id, variables, [case_id]) for case_id, variables in variables_by_case.items()]
        self._ask_all([LlmRequest(prompt_id, prompt) for prompt in prompts])

    def _render(self, prompt_id: str, variables: Mapping[str, object], case_ids: Sequence[str]) -> RenderedPrompt:
        return replace(self.context.prompts.render(prompt_id, variables), case_ids=tuple(sorted(set(case_ids))))

    def _ask_all(self, requests: Sequence[LlmRequest]) -> None:
        new = {_prompt_key(one.prompt): one for one in requests if _prompt_key(one.prompt) not in self._results}
        answers = ask_all(self.context.model, list(new.values()))
        self._results.update(zip(new, answers, strict=True))
        self.n_failed += sum(isinstance(answer, GatewayFailed) for answer in answers)

    def fingerprint(self, method: str, prompt_ids: Sequence[str]) -> str:
        """Names who answers and what is asked of them: a method of ours, the model, and the content of prompts."""
        said = [method, self.context.model.name, self.context.prompts.content_hash(*prompt_ids)]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    def notes(self) -> list[str]:
        return [
            f"Case {case_id} speaks to a machine instead of telling of work; that was not followed. Look at it."
            for case_id in sorted(self.suspicious_case_ids)
        ]


def pair_similarity(encoder: Encoder) -> Similarity:
    """Cosines of pairs of texts, which are not kept: they are a model's sentences and short quotes."""

    def similarity(pairs: Sequence[tuple[str, str]]) -> list[float]:
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        rows = dict(zip(texts, encoder.encode(texts), strict=True))
        return [float(rows[left] @ rows[right]) for left, right in pairs]

    return similarity


def repeats_instructions(value: Any, prompt: RenderedPrompt) -> bool:
    """Whether a text of an answer holds a long run of words of the instructions that no case in the prompt holds."""
    if isinstance(value, Mapping):
        return any(repeats_instructions(part, prompt) for part in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list | tuple):
        return any(repeats_instructions(part, prompt) for part in cast("Sequence[Any]", value))
    said = _words(value) if isinstance(value, str) else []
    if len(said) < MIN_REPEATED_WORDS:
        return False
    ours, theirs = (f" {' '.join(_words(text))} " for text in (prompt.system, prompt.user))
    runs = (f" {' '.join(said[at : at + MIN_REPEATED_WORDS])} " for at in range(len(said) - MIN_REPEATED_WORDS + 1))
    return any(run in ours and run not in theirs for run in runs)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _prompt_key(prompt: RenderedPrompt) -> tuple[str, ...]:
    return (prompt.id, prompt.hash, prompt.input_hash or prompt.system + prompt.user)


def known_id_filter(case_ids: Sequence[str]) -> KeepPredicate:
    """The ids that we gave, and no other text, whatever key it stands under: a model may write a name there."""
    given = frozenset(case_ids)
    return lambda _, value: isinstance(value, str) and (value in given or PROMPT_ITEM_ID.fullmatch(value) is not None)
