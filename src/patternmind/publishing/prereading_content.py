"""Gather the content of a pre-reading: its current draft, its theme, and the patterns to show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import DraftFields, joined_lines, stated_lines
from patternmind.domain.drafts import (
    Claim,
    Decision,
    Draft,
    DraftState,
    Pattern,
    ReviewedDraft,
    approval_of,
    fields_of,
    name_of,
    state_of,
)
from patternmind.domain.networks import Network
from patternmind.domain.themes import Theme
from patternmind.publishing.field_text import source_reference

MAX_PATTERNS = 2


@dataclass(frozen=True, slots=True)
class PatternCard:
    """A pattern in the short form of a pre-reading."""

    id: str
    name: str
    state: DraftState
    fields: DraftFields
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class PrereadingContent:
    """The content of a pre-reading before shortening."""

    draft: Draft
    fields: DraftFields
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
    draft = pattern.grounded.draft
    return PatternCard(
        draft.id, name_of(draft.name, pattern.decisions), state_of(pattern.decisions), fields_of(pattern), draft.claims
    )


def gather_content(
    prereading: ReviewedDraft,
    *,
    theme: Theme | None,
    patterns: Sequence[ReviewedDraft | Pattern],
    cases: Mapping[str, Case],
    network: Network,
) -> PrereadingContent:
    draft = prereading.grounded.draft
    cards = [
        card for card in map(_pattern_card, patterns) if card.state not in {DraftState.REJECTED, DraftState.RETIRED}
    ]
    usable = [card for card in cards if stated_lines(card.fields, "solution")]
    usable.sort(key=lambda card: card.state not in {DraftState.ACCEPTED, DraftState.FIELD_TESTED})
    return PrereadingContent(
        draft=replace(draft, name=name_of(draft.name, prereading.decisions)),
        fields=fields_of(prereading),
        approval=approval_of(prereading.decisions),
        theme=theme,
        cards=tuple(usable[:MAX_PATTERNS]),
        other_cards=tuple(usable[MAX_PATTERNS:]),
        no_pattern_reason=next((reason for card in cards if (reason := joined_lines(card.fields, "reason"))), ""),
        references_by_case={id: source_reference(case) for id, case in cases.items()},
        network=network,
        cases=cases,
    )
