"""Shared types of the prompt drafters: the model's answer and numbered source sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Claim, Provenance, Quote, case_input
from patternmind.text import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedAnswer:
    """The model's redacted answer to one prompt, with the figures for the draft's provenance."""

    value: Mapping[str, Any]
    model: str
    prompt: str
    prompt_hash: str
    n_tokens: int = 0
    cost_usd: float = 0.0

    def provenance(self, run_id: str, cases: Sequence[Case]) -> Provenance:
        return Provenance(
            run_id=run_id,
            model=self.model,
            prompt=self.prompt,
            prompt_hash=self.prompt_hash,
            inputs=tuple(case_input(case) for case in cases),
            n_tokens=self.n_tokens,
            cost_usd=self.cost_usd,
        )


class AskModel(Protocol):
    def __call__(self, prompt_id: str, variables: Mapping[str, object], *, case_ids: Sequence[str]) -> RedactedAnswer:
        """Send a prompt and return the redacted answer.

        Args:
            case_ids: Cases whose text the variables contain.

        Raises:
            GatewayFailed: The model gives no usable answer.
        """
        ...


def collapse_whitespace(text: str) -> str:
    """Remove line breaks, so that no text can imitate a line of the prompt."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class NumberedSentences:
    """Sentences with ids that the model can name instead of copying them: "s1", "s2", ..."""

    by_id: Mapping[str, Sentence]

    @classmethod
    def from_sentences(cls, sentences: Sequence[Sentence]) -> "NumberedSentences":
        return cls({f"s{number}": sentence for number, sentence in enumerate(sentences, 1)})

    def case_lines(self, case_id: str) -> str:
        """Return the sentences of a case, one per line, each after its id."""
        return "\n".join(
            f"{id} {collapse_whitespace(sentence.text)}"
            for id, sentence in self.by_id.items()
            if sentence.case_id == case_id
        )

    def quotes(self, ids: Sequence[str]) -> tuple[Quote, ...]:
        """Return the sentences with these ids as quotes; an unknown id becomes a quote that grounding refuses."""
        return tuple(
            self.by_id[id].to_quote() if id in self.by_id else unknown_source_quote(id) for id in dict.fromkeys(ids)
        )

    def claims(self, field: str, items: Sequence[Mapping[str, Any]]) -> list[Claim]:
        return [
            Claim(text=collapse_whitespace(item["text"]), field=field, quotes=self.quotes(item["sentences"]))
            for item in items
        ]


def unknown_source_quote(id: str) -> Quote:
    return Quote(case_id=id, field="", start=0, end=0, text="")


def claim_texts(claims: Sequence[Claim], field: str) -> tuple[str, ...]:
    return tuple(claim.text for claim in claims if claim.field == field)
