"""Split a case into sentences with offsets and roles: problem, attempt, remedy and others."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from patternmind.domain.case_fields import PLAIN_TEXT_FIELD, SentenceRole, field_named
from patternmind.domain.cases import Case
from patternmind.domain.drafts import Quote
from patternmind.text.cues import UNSOLVED_CUE, mentions_failure, remedy_log_odds
from patternmind.text.english import is_english
from patternmind.text.role_cues import (
    CONTEXT,
    CURE,
    FIRST_PERSON,
    MADE_WORSE,
    MIN_ADVICE_LOG_ODDS,
    MIN_CURE_LOG_ODDS,
    OUTCOME,
    REPORTED_SPEECH,
    TRIED,
)
from patternmind.text.segmentation import split_sentences
from patternmind.text.sides import contextual_remedy_log_odds

PLAIN_TEXT_FIELDS = frozenset(PLAIN_TEXT_FIELD.values())
"""Fields that hold a whole plain text; the words of a sentence then decide its role."""

MIN_QUOTE_WORDS, MAX_QUOTE_WORDS = 5, 45

FIELD_LOG_ODDS = 1.5
"""Prior log-odds that a sentence of a lesson or recommendation describes a remedy."""

MIN_WORDS_FOR_LANGUAGE = 12
"""Number of words from which function words reveal the language of a text."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence at ``case.text[field][start:end]``.

    ``role_probability``, 0..1, is the probability of the sentence's side, remedy or problem. It is 1 if a field
    determines the role.
    """

    case_id: str
    field: str
    start: int
    end: int
    text: str
    role: SentenceRole
    role_probability: float = 1.0

    @property
    def n_words(self) -> int:
        return len(self.text.split())

    @property
    def is_quotable(self) -> bool:
        """True for prose of 5 to 45 words; false for a table row or a link."""
        if not MIN_QUOTE_WORDS <= self.n_words <= MAX_QUOTE_WORDS:
            return False
        letters = sum(map(str.isalpha, self.text)) + sum(map(str.isspace, self.text))
        return letters >= 0.8 * len(self.text)

    def to_quote(self) -> Quote:
        return Quote(case_id=self.case_id, field=self.field, start=self.start, end=self.end, text=self.text)


def extract_sentences(case: Case) -> list[Sentence]:
    """Return the sentences of a case in reading order. The title is included only if the case has no other text."""
    fields = [name for name in case.text if name != "title"] or list(case.text)
    return [sentence for field in fields for sentence in _split_field(case, field)]


def is_plain_text(case: Case) -> bool:
    """Return whether a case has a single text field, apart from the title."""
    body = case.text.keys() - {"title"}
    return len(body) == 1 and body <= PLAIN_TEXT_FIELDS


def _split_field(case: Case, field: str) -> Iterator[Sentence]:
    text = case.text[field]
    spans = split_sentences(text)
    is_foreign = len(text.split()) >= MIN_WORDS_FOR_LANGUAGE and not is_english(text)
    if not is_plain_text(case) or is_foreign:
        for start, end in spans:
            part = text[start:end]
            role = SentenceRole.WORSE if MADE_WORSE.search(part) else field_named(field).role
            probability = _role_probability(role, part, is_foreign=is_foreign)
            yield Sentence(case.id, field, start, end, part, role, probability)
        return
    for (start, end), log_odds in zip(spans, contextual_remedy_log_odds(text, spans), strict=True):
        part = text[start:end]
        role = classify_plain_sentence(field, part, log_odds)
        side_log_odds = log_odds if role is SentenceRole.HELPED or log_odds is None else -log_odds
        probability = _sigmoid(side_log_odds) if side_log_odds is not None else 0.0
        yield Sentence(case.id, field, start, end, part, role, probability)


def _role_probability(role: SentenceRole, text: str, *, is_foreign: bool) -> float:
    """Return the probability of a role that a field determines.

    A remedy field may contain stories as well: "I was free that Monday" is not a remedy.
    """
    return _sigmoid(remedy_log_odds(text) + FIELD_LOG_ODDS) if role is SentenceRole.HELPED and not is_foreign else 1.0


def _sigmoid(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def classify_plain_sentence(field: str, text: str, log_odds: float | None) -> SentenceRole:
    """Return the role of a sentence of a plain text.

    Args:
        log_odds: The sentence's result of ``contextual_remedy_log_odds``; ``None`` for a heading.
    """
    if log_odds is None:
        return SentenceRole.CONTEXT
    if MADE_WORSE.search(text):
        return SentenceRole.WORSE
    if _is_remedy(text, log_odds):
        return SentenceRole.HELPED
    return _narrative_role(text) or field_named(field).role


def _narrative_role(text: str) -> SentenceRole | None:
    if TRIED.search(text):
        return SentenceRole.TRIED
    if OUTCOME.search(text):
        return SentenceRole.OUTCOME
    return SentenceRole.CONTEXT if CONTEXT.match(text) and not mentions_failure(text) else None


def _is_remedy(text: str, log_odds: float) -> bool:
    """Return whether a sentence names a cure, or gives advice outside reported speech."""
    if UNSOLVED_CUE.search(text):
        return False
    if log_odds > MIN_CURE_LOG_ODDS and CURE.search(text):
        return True
    return (
        log_odds > 0
        and remedy_log_odds(text) >= MIN_ADVICE_LOG_ODDS
        and not (FIRST_PERSON.search(text) or REPORTED_SPEECH.search(text))
    )
