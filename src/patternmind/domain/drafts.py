"""Drafts with their claims and quotes, the decisions on them, and accepted patterns.

The types enforce the order ``Draft -> GroundedDraft -> Pattern``. Only ``grounding`` constructs a ``GroundedDraft``
(tests/unit/grounding/test_grounding.py checks the sources), ``review`` accepts nothing else, and only ``review``
constructs a ``Pattern``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import final

from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import DraftFields, FieldValue, value_to_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A verbatim excerpt of a case's redacted text.

    ``text == case.text[field][start:end]``; offsets are in code points.
    """

    case_id: str
    field: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement in a field of a draft, with the quotes that support it."""

    text: str
    field: str
    quotes: tuple[Quote, ...]


class DraftKind(StrEnum):
    PATTERN = "pattern"
    PREREADING = "pre-reading"
    THEME_NAME = "theme name"
    RECAP = "recap"
    THEME_CHANGE = "theme change"
    FACETS = "case facets"


class DraftState(StrEnum):
    CANDIDATE = "candidate"
    IN_REVIEW = "in_review"
    ACCEPTED = "accepted"
    FIELD_TESTED = "field_tested"
    RETIRED = "retired"
    REJECTED = "rejected"


NO_AI = "no AI used"
"""Model name of drafts that were made without a language model."""

NO_PATTERN = "No repeatable pattern in these cases"
"""Name of a pattern draft whose result is that the cases contain no pattern; stored in drafts."""


def case_input(case: Case) -> str:
    """Return the name of a case in ``Provenance.inputs``: "case_id@text_version"."""
    return f"{case.id}@{case.text_version}"


def parse_case_input(name: str) -> tuple[str, str]:
    """Return case id and text version of an input; a bare id has the version ""."""
    case_id, _, version = name.rpartition("@")
    return (case_id, version) if case_id else (name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Inputs and cost of a draft, sufficient to make it again.

    Attributes:
        made_for: names the theme's cases and the request about them; the same request is not sent to a model again.
            Empty without a model.
    """

    run_id: str
    model: str = NO_AI
    prompt: str = ""
    prompt_hash: str = ""
    inputs: tuple[str, ...] = ()
    n_tokens: int = 0
    cost_usd: float = 0.0
    made_for: str = ""

    @property
    def case_ids(self) -> tuple[str, ...]:
        """Ids of the cases that the draft was made from, each once."""
        return tuple(dict.fromkeys(parse_case_input(name)[0] for name in self.inputs))


class FlagKind(StrEnum):
    """Reason for a reviewer to check a grounded text again."""

    WEAK_SUPPORT = "weak support"
    NOT_IN_QUOTE = "not in the quote"
    NO_QUOTE = "no quote"
    NARROW = "narrow evidence"
    SUSPICIOUS = "suspicious case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A doubt about one text of a draft, or about the whole draft.

    Attributes:
        reason: sentence in our own words, without any word of a case.
        field: field of the text; empty for the whole draft.
        text: text in doubt; empty for the whole draft.
    """

    doubt: FlagKind
    reason: str
    field: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text that the machine proposes.

    Attributes:
        fields: strings or lists of strings, in reading order.
        flags: doubts that only the run can detect, because it has an encoder; ``ground`` adds its own.
    """

    id: str
    kind: DraftKind
    theme_id: str | None
    name: str
    fields: DraftFields
    claims: tuple[Claim, ...]
    provenance: Provenance
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedClaim:
    """A claim that failed verification, with the reason; counted and shown, never used as evidence."""

    claim: Claim
    reason: str


@final
@dataclass(frozen=True, slots=True)
class GroundedDraft:
    """A draft with only verified quotes: each one is a substring of the redacted text of its case.

    Only ``grounding.ground`` constructs it. ``flags`` include those of the draft.
    """

    draft: Draft
    refused_claims: tuple[RefusedClaim, ...]
    flags: tuple[Flag, ...] = ()


class DraftAction(StrEnum):
    """Action in the decision log of a draft.

    ``FLAG`` marks a draft for a jam. ``FIELD_TEST`` follows from recorded uses; no person chooses it.
    """

    ACCEPT = "accept"
    EDIT = "edit"
    REJECT = "reject"
    NOT_SURE = "not_sure"
    FLAG = "flag"
    FIELD_TEST = "field_test"
    RETIRE = "retire"
    UNDO = "undo"


class RejectionReason(StrEnum):
    """Reason for rejecting a draft."""

    NOT_IN_EVIDENCE = "not in the evidence"
    TOO_ABSTRACT = "too abstract"
    WRONG_CAUSE = "wrong cause"
    DUPLICATE = "duplicate of"
    OUTSIDE_CHARTER = "outside charter"
    IDENTIFIES_SOMEONE = "identifies someone"
    NOT_USEFUL = "not useful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An entry of the append-only decision log.

    Attributes:
        before, after: states of the draft.
        edits: complete new values of the fields that a person edited.
        undoes: id of the decision that this one undoes.
    """

    id: str
    draft_id: str
    action: DraftAction
    by: str
    at: datetime
    before: DraftState
    after: DraftState
    reason: RejectionReason | None = None
    note: str = ""
    edits: DraftFields = field(default_factory=dict[str, FieldValue])
    undoes: str | None = None


def active_decisions(decisions: Sequence[Decision]) -> list[Decision]:
    """Return the decisions that still apply: neither undos nor undone."""
    undone = {decision.undoes for decision in decisions}
    return [decision for decision in decisions if decision.action is not DraftAction.UNDO and decision.id not in undone]


def state_of(decisions: Sequence[Decision]) -> DraftState:
    """Return the state that results from a log."""
    active = active_decisions(decisions)
    return active[-1].after if active else DraftState.CANDIDATE


def approval_of(decisions: Sequence[Decision]) -> Decision | None:
    """Return the decision that accepted the current version; None if it is not accepted."""
    accepted = [decision for decision in active_decisions(decisions) if decision.action is DraftAction.ACCEPT]
    return accepted[-1] if accepted and state_of(decisions) is DraftState.ACCEPTED else None


def apply_decisions(name: str, fields: DraftFields, decisions: Sequence[Decision]) -> dict[str, FieldValue]:
    """Return a draft's fields, ``name`` included, with all active edits; the last edit wins."""
    current: dict[str, FieldValue] = {"name": name, **fields}
    for decision in active_decisions(decisions):
        current.update(decision.edits)
    return current


def name_of(name: str, decisions: Sequence[Decision]) -> str:
    """Return a draft's current name on one line."""
    return value_to_line(apply_decisions(name, {}, decisions)["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedDraft:
    """A grounded draft with its decisions, oldest first; the log determines state and fields."""

    grounded: GroundedDraft
    decisions: tuple[Decision, ...] = ()
    created_at: datetime | None = None

    @property
    def version(self) -> int:
        """Number of decisions; guards against two reviewers overwriting each other unnoticed."""
        return len(self.decisions)


def fields_of(reviewed: ReviewedDraft) -> dict[str, FieldValue]:
    """Return the current fields of a draft, ``name`` included."""
    draft = reviewed.grounded.draft
    return apply_decisions(draft.name, draft.fields, reviewed.decisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSummary:
    """A draft without its text, with its log, for ordering the review queue.

    ``n_cases`` counts the cases that it quotes.
    """

    id: str
    kind: DraftKind
    theme_id: str | None
    name: str
    flag_kinds: tuple[FlagKind, ...]
    n_cases: int
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A draft that a named person accepted; a playbook contains nothing else."""

    id: str
    theme_id: str | None
    name: str
    fields: DraftFields
    claims: tuple[Claim, ...]
    provenance: Provenance
    state: DraftState
    reviewers: tuple[str, ...]
    accepted_at: datetime
    version: int
    share_edited: float


def pattern_id_of(draft_id: str) -> str:
    """Return the id of the pattern that an accepted draft becomes."""
    return draft_id.replace("d-", "p-", 1)


def draft_id_of(pattern_id: str) -> str:
    """Return the id of the draft that became a pattern."""
    return pattern_id.replace("p-", "d-", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternUse:
    """A team's use of a pattern on one day, with a note on its result."""

    id: str
    pattern_id: str
    on: date
    team: str
    note: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftReservation:
    """Reservation of a draft for one reviewer; other reviewers get another draft.

    It lapses at ``until``.
    """

    draft_id: str
    by: str
    until: datetime
