"""Send prompts to the model: render them, redact the answers, and count failures."""

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
from patternmind.ports import Encoder, LanguageModel, PromptTemplates, RenderedPrompt

PROMPT_ITEM_ID = re.compile(r"[qs][1-9]\d*")
"""Id of a facet or a sentence in a prompt."""

MIN_REPEATED_WORDS = 12
"""Length of a word run from the instructions that makes an answer invalid; their answer options are shorter."""


@dataclass(frozen=True, slots=True)
class LlmContext:
    """A language model and its prompts.

    Attributes:
        similarity: Checks the support of the model's claims; without it, no claim is flagged as weakly supported.
    """

    model: LanguageModel
    prompts: PromptTemplates
    similarity: Similarity | None = None


@dataclass
class LlmSession:
    """Model calls of one run or one draft; a repeated prompt returns the first answer or failure.

    Attributes:
        n_failed: Number of calls without a usable answer; the run may be repeated if there are any.
        suspicious_case_ids: Cases that contain instructions to a model, as the model reported.
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
        """Return the redacted answer to a prompt; no caller sees or stores the text before redaction.

        Raises:
            GatewayFailed: The model gives no usable answer.
        """
        prompt = self._render(prompt_id, variables, case_ids)
        self._ask_all([LlmRequest(prompt_id, prompt)])
        result = self._results[_prompt_key(prompt)]
        if isinstance(result, GatewayFailed):
            raise GatewayFailed(result.task, result.reason)
        if repeats_instructions(result.value, prompt):
            raise GatewayFailed(prompt_id, "the answer repeats the words of its instructions")
        return RedactedAnswer(
            value=redact_values(result.value, self.roster, keep=known_id_filter(case_ids)),
            model=result.model,
            prompt=prompt.id,
            prompt_hash=prompt.hash,
            n_tokens=result.n_tokens,
            cost_usd=result.cost_usd,
        )

    def prefetch(self, prompt_id: str, variables_by_case: Mapping[str, Mapping[str, object]]) -> None:
        """Send one prompt per case in parallel; ``ask`` then returns the stored answers or failures.

        Args:
            variables_by_case: Prompt variables by the id of the case that they contain.
        """
        prompts = [self._render(prompt_id, variables, [case_id]) for case_id, variables in variables_by_case.items()]
        self._ask_all([LlmRequest(prompt_id, prompt) for prompt in prompts])

    def _render(self, prompt_id: str, variables: Mapping[str, object], case_ids: Sequence[str]) -> RenderedPrompt:
        return replace(self.context.prompts.render(prompt_id, variables), case_ids=tuple(sorted(set(case_ids))))

    def _ask_all(self, requests: Sequence[LlmRequest]) -> None:
        requests_by_key = {_prompt_key(request.prompt): request for request in requests}
        new = {key: request for key, request in requests_by_key.items() if key not in self._results}
        results = ask_all(self.context.model, list(new.values()))
        self._results.update(zip(new, results, strict=True))
        self.n_failed += sum(isinstance(result, GatewayFailed) for result in results)

    def fingerprint(self, method: str, prompt_ids: Sequence[str]) -> str:
        """Return a hash of the method, the model and the content of the prompts."""
        parts = [method, self.context.model.name, self.context.prompts.content_hash(*prompt_ids)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def notes(self) -> list[str]:
        return [
            f"Case {case_id} contains instructions to a model. They were not followed; please check the case."
            for case_id in sorted(self.suspicious_case_ids)
        ]


def pair_similarity(encoder: Encoder) -> Similarity:
    """Return a function that computes cosines of pairs of texts, without caching vectors.

    The texts are a model's sentences and short quotes.
    """

    def similarity(pairs: Sequence[tuple[str, str]]) -> list[float]:
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        rows = dict(zip(texts, encoder.encode(texts), strict=True))
        return [float(rows[first] @ rows[second]) for first, second in pairs]

    return similarity


def repeats_instructions(value: Any, prompt: RenderedPrompt) -> bool:
    """Return whether an answer repeats a long part of the instructions that no case contains."""
    if isinstance(value, Mapping):
        return any(repeats_instructions(part, prompt) for part in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list | tuple):
        return any(repeats_instructions(part, prompt) for part in cast("Sequence[Any]", value))
    words = _words(value) if isinstance(value, str) else []
    if len(words) < MIN_REPEATED_WORDS:
        return False
    instructions, cases = (f" {' '.join(_words(text))} " for text in (prompt.system, prompt.user))
    starts = range(len(words) - MIN_REPEATED_WORDS + 1)
    runs = (f" {' '.join(words[start : start + MIN_REPEATED_WORDS])} " for start in starts)
    return any(run in instructions and run not in cases for run in runs)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _prompt_key(prompt: RenderedPrompt) -> tuple[str, ...]:
    return (prompt.id, prompt.hash, prompt.input_hash or prompt.system + prompt.user)


def known_id_filter(case_ids: Sequence[str]) -> KeepPredicate:
    """Return a predicate for the ids in the prompt: only they skip redaction.

    The key of a value is ignored, because a model may write a name there.
    """
    known_ids = frozenset(case_ids)
    return lambda _, value: (
        isinstance(value, str) and (value in known_ids or PROMPT_ITEM_ID.fullmatch(value) is not None)
    )
