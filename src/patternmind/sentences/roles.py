"""Sentences of a case with their offsets and their role: what was wrong, what happened, what was tried, what helped."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from patternmind.model.cases import Case
from patternmind.model.drafts import Quote
from patternmind.sentences.cues import NOT_SOLVED, leaning, tells_failure
from patternmind.sentences.english import is_english
from patternmind.sentences.role_cues import (
    ABOUT_ZERO,
    CONTEXT,
    CURED,
    FIRM,
    MADE_WORSE,
    OUTCOME,
    OWN_STORY,
    REPORTED,
    TRIED,
)
from patternmind.sentences.sides import odds_of_remedy
from patternmind.sentences.split import split_sentences


class Role(StrEnum):
    CONTEXT = "context"
    PROBLEM = "problem"
    HAPPENED = "what happened"
    TRIED = "tried"
    HELPED = "what helped"
    WORSE = "what did not help"
    OUTCOME = "outcome"
    OTHER = "other"


FIELD_ROLES: Mapping[str, Role] = {
    "title": Role.PROBLEM,
    "problem": Role.PROBLEM,
    "context": Role.CONTEXT,
    "expected": Role.CONTEXT,
    "what_happened": Role.HAPPENED,
    "tried": Role.TRIED,
    "decision_point": Role.CONTEXT,
    "newcomer_miss": Role.HAPPENED,
    "outcome": Role.OUTCOME,
    "lesson": Role.HELPED,
    "recommendation": Role.HELPED,
    "case": Role.PROBLEM,
    "pattern": Role.CONTEXT,
    "decision": Role.HELPED,
    "next_use": Role.OTHER,
    "open_question": Role.OTHER,
    "notes": Role.HAPPENED,
}
"""A structured case says itself what each part is; a sentence's own words may then say more (``WORSE``, ``HELPED``)."""

WHOLE_TEXT_FIELDS = frozenset({"problem", "notes"})
"""Where a plain text lands whole, so that a sentence's words must say whether it tells of a remedy."""

SHORTEST_WORDS, LONGEST_WORDS = 5, 45

FIELD_SAYS = 1.5
"""Log-odds that a sentence of a lesson or recommendation tells what helped, whatever its words."""

FEWEST_TO_JUDGE = 12
"""Words from which a text's language shows in its small words."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence at ``case.text[field][start:end]``; ``n_words`` counts its words.

    ``sure``, 0..1: how likely it is on the side of its role, what helped or the problem; 1 where a field says so.
    """

    case_id: str
    field: str
    start: int
    end: int
    text: str
    role: Role
    sure: float = 1.0

    @property
    def n_words(self) -> int:
        return len(self.text.split())

    @property
    def quotable(self) -> bool:
        """Long enough to say something, short enough to read, and prose rather than a table row or a link."""
        if not SHORTEST_WORDS <= self.n_words <= LONGEST_WORDS:
            return False
        letters = sum(map(str.isalpha, self.text)) + sum(map(str.isspace, self.text))
        return letters >= 0.8 * len(self.text)

    def quote(self) -> Quote:
        return Quote(case_id=self.case_id, field=self.field, start=self.start, end=self.end, text=self.text)


def sentences_of(case: Case) -> list[Sentence]:
    """The sentences of a case in reading order, the title left out where there is any other text."""
    fields = [name for name in case.text if name != "title"] or list(case.text)
    return [sentence for field in fields for sentence in _split_field(case, field)]


def is_plain(case: Case) -> bool:
    """Whether the text of a case stands whole in one field, beside a title at most."""
    body = case.text.keys() - {"title"}
    return len(body) == 1 and body <= WHOLE_TEXT_FIELDS


def _split_field(case: Case, field: str) -> Iterator[Sentence]:
    text = case.text[field]
    spans = split_sentences(text)
    foreign = len(text.split()) >= FEWEST_TO_JUDGE and not is_english(text)
    if not is_plain(case) or foreign:
        for start, end in spans:
            part = text[start:end]
            role = Role.WORSE if MADE_WORSE.search(part) else FIELD_ROLES.get(field, Role.HAPPENED)
            yield Sentence(case.id, field, start, end, part, role, _sure(role, part, foreign=foreign))
        return
    for (start, end), odds in zip(spans, odds_of_remedy(text, spans), strict=True):
        part = text[start:end]
        role = role_of_plain(field, part, odds)
        sure = _likely(odds if role is Role.HELPED else -odds) if odds is not None else 0.0
        yield Sentence(case.id, field, start, end, part, role, sure)


def _sure(role: Role, text: str, *, foreign: bool) -> float:
    """A field says what its sentences are, and people tell stories in it too: "I was free that Monday" is no remedy."""
    return _likely(leaning(text) + FIELD_SAYS) if role is Role.HELPED and not foreign else 1.0


def _likely(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def role_of_plain(field: str, text: str, odds: float | None) -> Role:
    """The role of a sentence of a plain text: what helped where words, neighbours and the rest of its text say so.

    Args:
        odds: by ``odds_of_remedy``; ``None`` for a heading.
    """
    if odds is None:
        return Role.CONTEXT
    if MADE_WORSE.search(text):
        return Role.WORSE
    if _helped(text, odds):
        return Role.HELPED
    return _of_story(text) or FIELD_ROLES.get(field, Role.HAPPENED)


def _of_story(text: str) -> Role | None:
    if TRIED.search(text):
        return Role.TRIED
    if OUTCOME.search(text):
        return Role.OUTCOME
    return Role.CONTEXT if CONTEXT.match(text) and not tells_failure(text) else None


def _helped(text: str, odds: float) -> bool:
    """A cure named outright, or advice that is neither somebody's own story nor somebody's words in it."""
    if NOT_SOLVED.search(text):
        return False
    if odds > ABOUT_ZERO and CURED.search(text):
        return True
    return odds > 0 and leaning(text) >= FIRM and not (OWN_STORY.search(text) or REPORTED.search(text))
