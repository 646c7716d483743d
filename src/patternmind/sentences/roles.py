"""Sentences of a case with their offsets and their role: what was wrong, what happened, what was tried, what helped."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from patternmind.model.cases import Case
from patternmind.model.drafts import Quote
from patternmind.sentences.cues import NOT_SOLVED
from patternmind.sentences.split import split_sentences


class Role(StrEnum):
    CONTEXT = "context"
    PROBLEM = "problem"
    HAPPENED = "what happened"
    TRIED = "tried"
    HELPED = "what helped"
    WORSE = "what did not help"
    OUTCOME = "outcome"


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
    "next_use": Role.CONTEXT,
    "open_question": Role.CONTEXT,
    "notes": Role.HAPPENED,
}
"""A structured case says itself what each part is; a sentence's own words may then say more (``WORSE``, ``HELPED``)."""

WHOLE_TEXT_FIELDS = frozenset({"problem", "notes"})
"""Where a plain text lands whole, so that a sentence's words must say whether it tells of a remedy."""

MADE_WORSE = re.compile(
    r"\b(made (it|things|this|that) worse|worse than|got worse|did(n['’]t| not) (help|work|hold|last)"
    r"|does(n['’]t| not) (help|work)|no (use|effect)|backfired|only half|too late|gave up|abandoned|went back to"
    r"|in vain|stopped after|nobody (kept|used|read))\b",
    re.IGNORECASE,
)
HELPED = re.compile(
    r"\b(since then|from then on|solved|fixed|resolved|(that|this|it) (helped|worked|works|holds)|now we|we now"
    r"|we (should|ought|must|agreed|decided)|should (be|have|always|never)|recommend(ed|s|ation)?|make sure|ensure"
    r"|always|never again|next time|lesson|learned|instead of|to (prevent|avoid)|workaround|corrected by)\b",
    re.IGNORECASE,
)
TENSION = re.compile(
    r"\b(but|however|although|though|on the other hand|whereas|while|yet|even though)\b", re.IGNORECASE
)
UNLESS = re.compile(
    r"\b(unless|except (when|for|if)|only (works|helps|if|when)|not (for|when|if)|do(n['’]t| not) use|not worth)\b",
    re.IGNORECASE,
)

SHORTEST_WORDS, LONGEST_WORDS = 5, 45


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence at ``case.text[field][start:end]``; ``n_words`` counts its words."""

    case_id: str
    field: str
    start: int
    end: int
    text: str
    role: Role

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
    for start, end in split_sentences(text):
        part = text[start:end]
        yield Sentence(case.id, field, start, end, part, _role(field, part, plain=is_plain(case)))


def _role(field: str, text: str, *, plain: bool) -> Role:
    role = FIELD_ROLES.get(field, Role.HAPPENED)
    if MADE_WORSE.search(text):
        return Role.WORSE
    if plain and HELPED.search(text) and not NOT_SOLVED.search(text):
        return Role.HELPED
    return role
