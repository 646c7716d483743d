"""What a pre-reading is about: its draft as people left it, its theme, and the patterns worth a look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.model.cases import Case
from patternmind.model.drafts import (
    Claim,
    Decision,
    Draft,
    DraftAction,
    DraftState,
    GroundedDraft,
    Pattern,
    ReviewedDraft,
)
from patternmind.model.network import Network
from patternmind.model.themes import Theme
from patternmind.publish.decided import fields_of, name_of, parted, state_of
from patternmind.publish.fields import FieldValue, lines_of, one_text, reference

MOST_PATTERNS = 2


@dataclass(frozen=True, slots=True)
class Card:
    """A pattern as a reader of two pages needs it."""

    id: str
    name: str
    state: DraftState
    fields: Mapping[str, FieldValue]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """All that stands in the document whatever its length. ``sources`` are references by case id."""

    draft: Draft
    fields: Mapping[str, FieldValue]
    approval: Decision | None
    theme: Theme | None
    cards: tuple[Card, ...]
    others: tuple[Card, ...]
    no_pattern: str
    sources: Mapping[str, str]
    network: Network
    cases: Mapping[str, Case]


def _card(one: ReviewedDraft | Pattern) -> Card:
    if isinstance(one, Pattern):
        return Card(one.id, one.name, one.state, one.fields, one.claims)
    draft, held = parted(one)
    return Card(draft.id, name_of(draft, held), state_of(held), fields_of(draft, held), draft.claims)


def gather_subject(
    grounded: GroundedDraft | ReviewedDraft,
    *,
    theme: Theme | None,
    patterns: Sequence[ReviewedDraft | Pattern],
    cases: Mapping[str, Case],
    network: Network,
) -> Subject:
    draft, held = parted(grounded)
    approved = [one for one in held if one.action is DraftAction.ACCEPT]
    standing = [card for one in patterns if (card := _card(one)).state not in {DraftState.REJECTED, DraftState.RETIRED}]
    usable = [card for card in standing if lines_of(card.fields, "solution")]
    usable.sort(key=lambda card: card.state not in {DraftState.ACCEPTED, DraftState.FIELD_TESTED})
    return Subject(
        draft=replace(draft, name=name_of(draft, held)),
        fields=fields_of(draft, held),
        approval=approved[-1] if approved and state_of(held) is DraftState.ACCEPTED else None,
        theme=theme,
        cards=tuple(usable[:MOST_PATTERNS]),
        others=tuple(usable[MOST_PATTERNS:]),
        no_pattern=next((reason for card in standing if (reason := one_text(card.fields, "reason"))), ""),
        sources={id: reference(case) for id, case in cases.items()},
        network=network,
        cases=cases,
    )
