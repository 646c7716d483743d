"""Drafts, their claims and quotes, the states they go through, and the patterns people make of them.

The types enforce the order ``Draft -> GroundedDraft -> Pattern``. Only ``grounding`` constructs a ``GroundedDraft``
(tests/unit/grounding/test_grounding.py checks the sources), ``review`` accepts nothing else, and only ``review``
constructs a ``Pattern``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import final


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """``text == case.text[field][start:end]`` of the case's redacted text; offsets in code points."""

    case_id: str
    field: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement of a draft, the draft's field it stands in, and the quotes it rests on."""

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
"""The model named by drafts that were made from the texts alone."""

NOT_STATED = "not stated in these cases"
"""Value of a field that no claim covers; stored in drafts."""

NO_PATTERN = "No repeatable pattern in these cases"
"""Name of a pattern draft whose result is that the cases contain no pattern; stored in drafts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a draft was made from: enough to make it again, and to say what it cost.

    ``made_for`` names the theme's cases and what a model was asked about them: where both are the same it is not asked
    again. Empty without a model.
    """

    run_id: str
    model: str = NO_AI
    prompt: str = ""
    prompt_hash: str = ""
    inputs: tuple[str, ...] = ()
    n_tokens: int = 0
    cost_usd: float = 0.0
    made_for: str = ""


class FlagKind(StrEnum):
    """Why a reviewer should look twice at what was let through."""

    WEAK_SUPPORT = "weak support"
    NOT_IN_QUOTE = "not in the quote"
    NO_QUOTE = "no quote"
    NARROW = "narrow evidence"
    SUSPICIOUS = "suspicious case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A doubt about one text of a draft, or about the draft as a whole where ``field`` and ``text`` are empty.

    ``reason`` is a sentence in our words, without a word of a case.
    """

    doubt: FlagKind
    reason: str
    field: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text the machine proposes. ``fields`` hold strings or lists of strings, in reading order.

    ``flags`` are the doubts that only the run could see, for it had an encoder; ``ground`` adds what it sees itself.
    """

    id: str
    kind: DraftKind
    theme_id: str | None
    name: str
    fields: Mapping[str, str | tuple[str, ...]]
    claims: tuple[Claim, ...]
    provenance: Provenance
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedClaim:
    """A claim that did not hold, and why; counted and shown, never used as evidence."""

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
    """What the log of a draft may say. ``FLAG`` is for a jam; ``FIELD_TEST`` follows from uses, nobody chooses it."""

    ACCEPT = "accept"
    EDIT = "edit"
    REJECT = "reject"
    NOT_SURE = "not_sure"
    FLAG = "flag"
    FIELD_TEST = "field_test"
    RETIRE = "retire"
    UNDO = "undo"


class RejectionReason(StrEnum):
    """Why a draft was rejected."""

    NOT_IN_EVIDENCE = "not in the evidence"
    TOO_ABSTRACT = "too abstract"
    WRONG_CAUSE = "wrong cause"
    DUPLICATE = "duplicate of"
    OUTSIDE_CHARTER = "outside charter"
    IDENTIFIES_SOMEONE = "identifies someone"
    NOT_USEFUL = "not useful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One line of the append-only decision log.

    ``before`` and ``after`` are states; ``edits`` the fields a person wrote, whole; ``undoes`` the decision taken back.
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
    edits: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict[str, str | tuple[str, ...]])
    undoes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedDraft:
    """A grounded draft with the decisions taken on it; state and fields are what the log says, newest last.

    ``version`` counts the decisions, so that two reviewers cannot overwrite each other unseen.
    """

    grounded: GroundedDraft
    decisions: tuple[Decision, ...] = ()
    created_at: datetime | None = None

    @property
    def version(self) -> int:
        return len(self.decisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSummary:
    """A draft without its text, with its log: what a queue is ordered by. ``n_cases`` are those that it quotes."""

    id: str
    kind: DraftKind
    theme_id: str | None
    name: str
    flag_kinds: tuple[FlagKind, ...]
    n_cases: int
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A draft that a named person accepted; the only thing a playbook can hold."""

    id: str
    theme_id: str | None
    name: str
    fields: Mapping[str, str | tuple[str, ...]]
    claims: tuple[Claim, ...]
    provenance: Provenance
    state: DraftState
    reviewers: tuple[str, ...]
    accepted_at: datetime
    version: int
    share_edited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternUse:
    """That a team worked by a pattern on a day, and what came of it in a few words."""

    id: str
    pattern_id: str
    on: date
    team: str
    note: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftReservation:
    """A draft that somebody looks at just now, so that others are given another. It lapses by itself."""

    draft_id: str
    by: str
    until: datetime
