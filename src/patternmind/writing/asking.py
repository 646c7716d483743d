"""Asking the model: one place where prompts are rendered, answers redacted, and failures counted."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from patternmind.asking import Answered, Question, ask_all
from patternmind.draft.prompted.asking import Answer
from patternmind.errors import GatewayFailed
from patternmind.ground import Similarity
from patternmind.intake.redaction import Roster, Stays, redact_output
from patternmind.ports import Encoder, LanguageModel, PromptBook, RenderedPrompt

AN_ID = re.compile(r"[qs][1-9]\d*")
"""Of a facet or a sentence, as prompts give them."""

SAID_BACK = 12
"""So many words of our instructions in a row are no answer; what they let a model choose from is shorter."""


@dataclass(frozen=True, slots=True)
class Namer:
    """A language model and its prompts; without one, everything comes from the texts themselves.

    Attributes:
        similarity: for the second look at what the model claims; without it no support is called weak.
    """

    model: LanguageModel
    prompts: PromptBook
    similarity: Similarity | None = None


@dataclass
class Writer:
    """Asks on behalf of one run or one draft. The same is asked once, and its answer or failure is kept for the run.

    Attributes:
        n_failed: calls that gave no usable answer; where there are any, the run may be tried again.
        suspicious: cases that speak to machines, as the model reported them.
    """

    namer: Namer
    roster: Roster
    n_failed: int = 0
    suspicious: set[str] = field(default_factory=set[str])
    _said: dict[tuple[str, ...], Answered] = field(default_factory=dict[tuple[str, ...], Answered])

    @property
    def similarity(self) -> Similarity | None:
        return self.namer.similarity

    def ask(self, prompt_id: str, variables: Mapping[str, object], *, case_ids: Sequence[str]) -> Answer:
        """The answer to a prompt, redacted: nothing the model says is seen, kept or shown before.

        Raises:
            GatewayFailed: there is no usable answer.
        """
        prompt = self._render(prompt_id, variables, case_ids)
        self._ask_all([Question(prompt_id, prompt)])
        said = self._said[_key(prompt)]
        if isinstance(said, GatewayFailed):
            raise GatewayFailed(said.task, said.reason)
        if says_back(said.value, prompt):
            raise GatewayFailed(prompt_id, "the answer repeats the words of its instructions")
        return Answer(
            value=redact_output(said.value, self.roster, stays=our_ids(case_ids)),
            model=said.model,
            prompt=prompt.id,
            prompt_hash=prompt.hash,
            n_tokens=said.n_tokens,
            cost_usd=said.cost_usd,
        )

    def ask_ahead(self, prompt_id: str, by_case: Mapping[str, Mapping[str, object]]) -> None:
        """Put one question a case, as many at once as the model takes; ``ask`` then has the answers, or the failures.

        Args:
            by_case: the variables, by the id of the case that stands in them.
        """
        prompts = [self._render(prompt_id, variables, [case_id]) for case_id, variables in by_case.items()]
        self._ask_all([Question(prompt_id, prompt) for prompt in prompts])

    def _render(self, prompt_id: str, variables: Mapping[str, object], case_ids: Sequence[str]) -> RenderedPrompt:
        return replace(self.namer.prompts.render(prompt_id, variables), case_ids=tuple(sorted(set(case_ids))))

    def _ask_all(self, questions: Sequence[Question]) -> None:
        new = {_key(one.prompt): one for one in questions if _key(one.prompt) not in self._said}
        answers = ask_all(self.namer.model, list(new.values()))
        self._said.update(zip(new, answers, strict=True))
        self.n_failed += sum(isinstance(answer, GatewayFailed) for answer in answers)

    def hash_of(self, method: str, prompt_ids: Sequence[str]) -> str:
        """Names who answers and what is asked of them: a method of ours, the model, and the content of prompts."""
        said = [method, self.namer.model.name, self.namer.prompts.hash_of(*prompt_ids)]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    def notes(self) -> list[str]:
        return [
            f"Case {case_id} speaks to a machine instead of telling of work; that was not followed. Look at it."
            for case_id in sorted(self.suspicious)
        ]


def pair_similarity(encoder: Encoder) -> Similarity:
    """Cosines of pairs of texts, which are not kept: they are a model's sentences and short quotes."""

    def similarity(pairs: Sequence[tuple[str, str]]) -> list[float]:
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        rows = dict(zip(texts, encoder.encode(texts), strict=True))
        return [float(rows[left] @ rows[right]) for left, right in pairs]

    return similarity


def says_back(value: Any, prompt: RenderedPrompt) -> bool:
    """Whether a text of an answer holds a long run of words of the instructions that no case in the prompt holds."""
    if isinstance(value, Mapping):
        return any(says_back(part, prompt) for part in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list | tuple):
        return any(says_back(part, prompt) for part in cast("Sequence[Any]", value))
    said = _words(value) if isinstance(value, str) else []
    if len(said) < SAID_BACK:
        return False
    ours, theirs = (f" {' '.join(_words(text))} " for text in (prompt.system, prompt.user))
    runs = (f" {' '.join(said[at : at + SAID_BACK])} " for at in range(len(said) - SAID_BACK + 1))
    return any(run in ours and run not in theirs for run in runs)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _key(prompt: RenderedPrompt) -> tuple[str, ...]:
    return (prompt.id, prompt.hash, prompt.input_hash or prompt.system + prompt.user)


def our_ids(case_ids: Sequence[str]) -> Stays:
    """The ids that we gave, and no other text, whatever key it stands under: a model may write a name there."""
    given = frozenset(case_ids)
    return lambda _, value: isinstance(value, str) and (value in given or AN_ID.fullmatch(value) is not None)
