"""What a drafter by prompt needs, and what it gives: an answer to ask for, a proposal that is not grounded yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Provenance,
    Quote,
)
from patternmind.drafting.identity import draft_id
from patternmind.text import Sentence

DraftFields = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedAnswer:
    """What the model said to one prompt, redacted; with what its draft has to tell of it."""

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
            inputs=tuple(f"{case.id}@{case.text_version}" for case in cases),
            n_tokens=self.n_tokens,
            cost_usd=self.cost_usd,
        )


class AskModel(Protocol):
    def __call__(self, prompt_id: str, variables: Mapping[str, object], *, case_ids: Sequence[str]) -> RedactedAnswer:
        """The answer to a prompt, redacted.

        Args:
            case_ids: the cases whose words stand in the variables.

        Raises:
            GatewayFailed: there is no usable answer.
        """
        ...


def build_draft(
    kind: DraftKind,
    theme_id: str | None,
    name: str,
    fields: DraftFields,
    claims: Sequence[Claim],
    provenance: Provenance,
) -> Draft:
    return Draft(
        id=draft_id(kind, theme_id, name, fields, claims),
        kind=kind,
        theme_id=theme_id,
        name=name,
        fields=fields,
        claims=tuple(claims),
        provenance=provenance,
    )


def collapse_whitespace(text: str) -> str:
    """Without line breaks, so that nothing in a text can look like a line of ours."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class NumberedSentences:
    """Sentences with ids that the model can name instead of copying them: "s1", "s2", ..."""

    by_id: Mapping[str, Sentence]

    @classmethod
    def from_sentences(cls, sentences: Sequence[Sentence]) -> "NumberedSentences":
        return cls({f"s{number}": sentence for number, sentence in enumerate(sentences, 1)})

    def case_lines(self, case_id: str) -> str:
        """The sentences of a case, one a line, each after its id."""
        return "\n".join(
            f"{id} {collapse_whitespace(sentence.text)}"
            for id, sentence in self.by_id.items()
            if sentence.case_id == case_id
        )

    def quotes(self, ids: Sequence[str]) -> tuple[Quote, ...]:
        """The named sentences as quotes; an id that was not shown gives one that grounding refuses."""
        return tuple(
            self.by_id[id].to_quote() if id in self.by_id else unknown_source_quote(id) for id in dict.fromkeys(ids)
        )

    def claims(self, field: str, items: Sequence[Mapping[str, Any]]) -> list[Claim]:
        return [
            Claim(text=collapse_whitespace(one["text"]), field=field, quotes=self.quotes(one["sentences"]))
            for one in items
        ]


def unknown_source_quote(id: str) -> Quote:
    return Quote(case_id=id, field="", start=0, end=0, text="")


def claim_texts(claims: Sequence[Claim], field: str) -> tuple[str, ...]:
    return tuple(claim.text for claim in claims if claim.field == field)
