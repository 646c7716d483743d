"""Everything about one case: its theme, similar cases, quotations, possible names and versions."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from patternmind.domain.cases import Case, Submission
from patternmind.domain.read_models import CaseFilter
from patternmind.domain.themes import Assignment
from patternmind.drafting.stopwords import STOPWORDS
from patternmind.errors import NotFound
from patternmind.ingestion.redaction.possible_names import PossibleName, find_possible_names
from patternmind.ports import Hit, Store

MAX_SIMILAR_CASES = 5

N_RAREST_WORDS = 8
"""Longest words of a case, used to search for cases with the same text."""

MAX_COMPARED_CASES = 100
"""Search results whose text is compared."""

_STOPWORD_TEXT = " ".join(sorted(STOPWORDS))


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A similar case; ``score`` is the cosine similarity of the texts, 0..1."""

    case: Case
    score: float


@dataclass(frozen=True, slots=True)
class CaseQuotation:
    """A sentence of a case that a current draft quotes."""

    draft_id: str
    kind: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case with related data. ``theme_names`` holds the names of its theme, second and nearest theme by id.

    ``duplicate_of`` is the case that it nearly repeats; ``duplicates`` are the cases that nearly repeat it. A recap
    names its ``linked_cases``; ``linking_recaps`` name this case.
    """

    case: Case
    assignment: Assignment | None
    theme_names: dict[str, str]
    n_versions: int
    duplicate_of: Case | None = None
    duplicates: tuple[Case, ...] = ()
    linked_cases: tuple[Case, ...] = ()
    linking_recaps: tuple[Case, ...] = ()

    @property
    def etag(self) -> str:
        """Entity tag of this version, for conditional edits."""
        return f'"{self.n_versions}"'


def get_case_view(store: Store, case_id: str) -> CaseView:
    """Return a case by id or external id, with its related cases.

    Raises:
        NotFound
    """
    case = store.cases.get(case_id)
    assignment = store.runs.assignment_of(case.id)
    names = {case.id, case.external_id} - {None}
    others = store.cases.related_to(case)
    theme_ids = (
        {assignment.theme_id, assignment.second_theme_id, assignment.nearest_theme_id}
        if assignment
        else set[str | None]()
    )
    theme_names = {id: name for id, name in store.themes.names().items() if id in theme_ids}
    linked = set(case.linked_cases)
    return CaseView(
        case=case,
        assignment=assignment,
        theme_names=theme_names,
        n_versions=store.submissions.count_versions(case.id),
        duplicate_of=next((other for other in others if other.id == case.duplicate_of), None),
        duplicates=tuple(other for other in others if other.duplicate_of == case.id),
        linked_cases=tuple(other for other in others if linked & {other.id, other.external_id} and other.id != case.id),
        linking_recaps=tuple(other for other in others if names & set(other.linked_cases) and other.id != case.id),
    )


def find_similar_cases(
    store: Store, find_nearest: Callable[[str, int], Sequence[Hit]], case: Case
) -> list[SimilarCase]:
    """Find the cases most similar in meaning, best first; empty while the case is not embedded.

    Args:
        find_nearest: Returns the k nearest cases of a case id, best first.
    """
    hits = find_nearest(case.id, MAX_SIMILAR_CASES)
    cases = store.cases.get_many([hit.case_id for hit in hits])
    return [SimilarCase(cases[hit.case_id], hit.score) for hit in hits if hit.case_id in cases]


def find_same_text(store: Store, case: Case) -> list[Case]:
    """Find the cases with exactly the same text, by id.

    Uses a word search, so it also finds cases that no run has seen.
    """
    words = sorted({word for text in case.text.values() for word in re.findall(r"\w+", text)}, key=len)[
        -N_RAREST_WORDS:
    ]
    if not words:
        return []
    candidates = store.cases.page(CaseFilter(search_words=" ".join(words)), limit=MAX_COMPARED_CASES).rows
    return [row.case for row in candidates if row.case.content_hash == case.content_hash and row.case.id != case.id]


def find_quotations(store: Store, case_id: str) -> list[CaseQuotation]:
    """List the quotations of a case in current drafts, by draft name; each sentence once per draft."""
    quotations = dict.fromkeys(_iter_quotations(store, case_id))
    return sorted(quotations, key=lambda quotation: (quotation.name.casefold(), quotation.draft_id))


def _iter_quotations(store: Store, case_id: str) -> Iterator[CaseQuotation]:
    for draft in store.drafts.quoting(case_id):
        for claim in draft.claims:
            for quote in claim.quotes:
                if quote.case_id == case_id:
                    yield CaseQuotation(draft.id, draft.kind.value, draft.name, quote.text)


def possible_names_in_case(case: Case) -> tuple[PossibleName, ...]:
    """Find words in a redacted case that may be names, likeliest first."""
    return possible_names_in_texts([*case.text.values(), *case.extra.values()])


def possible_names_in_texts(texts: Sequence[str]) -> tuple[PossibleName, ...]:
    """Find words in a few texts that may be names, likeliest first.

    A few texts do not show that "We" is an ordinary word, so the stop words are added as one more text.
    """
    return tuple(
        candidate
        for candidate in find_possible_names([*texts, _STOPWORD_TEXT])
        if any(candidate.name in text for text in texts)
    )


@dataclass(frozen=True, slots=True)
class CaseVersion:
    """One version as submitted. ``at`` and ``actor`` are None for versions imported from a file."""

    number: int
    submission: Submission
    at: datetime | None
    actor: str | None


def list_versions(store: Store, case_id: str) -> Sequence[CaseVersion]:
    """List all raw versions of a case, newest first, for stewards and the owner.

    Raises:
        NotFound, RawTextKeyInvalid
    """
    n = store.submissions.count_versions(case_id)
    if not n:
        raise NotFound("case", case_id)
    submissions = [(number, store.submissions.get(case_id, number)) for number in range(n, 0, -1)]
    return [
        CaseVersion(number, raw, datetime.fromisoformat(raw.at) if raw.at else None, raw.by)
        for number, raw in submissions
    ]
