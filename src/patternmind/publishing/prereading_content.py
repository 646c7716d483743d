"""What a pre-reading is about: its draft as people left it, its theme, and the patterns worth a look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    Claim,
    Decision,
    Draft,
    DraftAction,
    DraftState,
    GroundedDraft,
    Pattern,
    ReviewedDraft,
)
from patternmind.domain.networks import Network
from patternmind.domain.themes import Theme
from patternmind.publishing.field_text import (
    FieldValue,
    joined_lines,
    source_reference,
    stated_lines,
)
from patternmind.publishing.reviewed_content import (
    current_fields,
    current_name,
    current_state,
    split_decisions,
)

MAX_PATTERNS = 2


@dataclass(frozen=True, slots=True)
class PatternCard:
    """A pattern as a reader of two pages needs it."""

    id: str
    name: str
    state: DraftState
    fields: Mapping[str, FieldValue]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class PrereadingContent:
    """All that stands in the document whatever its length. ``sources`` are references by case id."""

    draft: Draft
    fields: Mapping[str, FieldValue]
    approval: Decision | None
    theme: Theme | None
    cards: tuple[PatternCard, ...]
    other_cards: tuple[PatternCard, ...]
    no_pattern_reason: str
    references_by_case: Mapping[str, str]
    network: Network
    cases: Mapping[str, Case]


def _pattern_card(pattern: ReviewedDraft | Pattern) -> PatternCard:
    if isinstance(pattern, Pattern):
        return PatternCard(pattern.id, pattern.name, pattern.state, pattern.fields, pattern.claims)
    draft, held = split_decisions(pattern)
    return PatternCard(
        draft.id, current_name(draft, held), current_state(held), current_fields(draft, held), draft.claims
    )


def gather_content(
    prereading: GroundedDraft | ReviewedDraft,
    *,
    theme: Theme | None,
    patterns: Sequence[ReviewedDraft | Pattern],
    cases: Mapping[str, Case],
    network: Network,
) -> PrereadingContent:
    draft, held = split_decisions(prereading)
    approved = [one for one in held if one.action is DraftAction.ACCEPT]
    standing = [
        card for one in patterns if (card := _pattern_card(one)).state not in {DraftState.REJECTED, DraftState.RETIRED}
    ]
    usable = [card for card in standing if stated_lines(card.fields, "solution")]
    usable.sort(key=lambda card: card.state not in {DraftState.ACCEPTED, DraftState.FIELD_TESTED})
    return PrereadingContent(
        draft=replace(draft, name=current_name(draft, held)),
        fields=current_fields(draft, held),
        approval=approved[-1] if approved and current_state(held) is DraftState.ACCEPTED else None,
        theme=theme,
        cards=tuple(usable[:MAX_PATTERNS]),
        other_cards=tuple(usable[MAX_PATTERNS:]),
        no_pattern_reason=next((reason for card in standing if (reason := joined_lines(card.fields, "reason"))), ""),
        references_by_case={id: source_reference(case) for id, case in cases.items()},
        network=network,
        cases=cases,
    )
