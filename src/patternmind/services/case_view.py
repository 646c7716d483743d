"""All that the page of one case shows: where it is, what is like it, what was made of it, and how it came to be."""

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

N_RAREST_WORDS, MAX_COMPARED_CASES = 8, 100
"""The longest words of a case, by which it is looked for, and cases that are compared then, to find its text again."""

_STOPWORD_TEXT = " ".join(sorted(STOPWORDS))


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A case like another; ``score`` 0..1 is the cosine of their texts."""

    case: Case
    score: float


@dataclass(frozen=True, slots=True)
class CaseQuotation:
    """A sentence of the case that a draft quotes, withdrawn drafts and replaced ones left out."""

    draft_id: str
    kind: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case with its surroundings. ``themes`` are names by id, of those that it touches.

    ``repeats`` is the case it nearly repeats, ``repeated_by`` those that nearly repeat it; ``linked`` are the cases a
    recap names, ``linked_by`` the recaps that name it.
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
        """Names this version, for edits that must not overwrite another."""
        return f'"{self.n_versions}"'


def get_case_view(store: Store, case_id: str) -> CaseView:
    """One case by its id or its external id.

    Raises:
        NotFound
    """
    case = store.case(case_id)
    placed = store.find_assignment(case.id)
    names = {case.id, case.external_id} - {None}
    others = store.related_cases(case)
    touched = {placed.theme_id, placed.second_theme_id, placed.nearest_theme_id} if placed else set[str | None]()
    themes = {id: name for id, name in store.theme_names().items() if id in touched}
    linked = set(case.linked_cases)
    return CaseView(
        case=case,
        assignment=placed,
        theme_names=themes,
        n_versions=store.count_versions(case.id),
        duplicate_of=next((one for one in others if one.id == case.duplicate_of), None),
        duplicates=tuple(one for one in others if one.duplicate_of == case.id),
        linked_cases=tuple(one for one in others if linked & {one.id, one.external_id} and one.id != case.id),
        linking_recaps=tuple(one for one in others if names & set(one.linked_cases) and one.id != case.id),
    )


def find_similar_cases(
    store: Store, find_nearest: Callable[[str, int], Sequence[Hit]], case: Case, *, k: int = MAX_SIMILAR_CASES
) -> list[SimilarCase]:
    """The cases nearest in meaning, nearest first; none while the case is not embedded.

    Args:
        near: gives the k nearest of a case by its id, best first.
    """
    hits = find_nearest(case.id, k)
    there = store.cases_by_id([hit.case_id for hit in hits])
    return [SimilarCase(there[hit.case_id], hit.score) for hit in hits if hit.case_id in there]


def find_same_text(store: Store, case: Case) -> list[Case]:
    """The cases that hold the very same text under another id, by id; found by its words, of which no run need know."""
    words = sorted({word for text in case.text.values() for word in re.findall(r"\w+", text)}, key=len)[
        -N_RAREST_WORDS:
    ]
    if not words:
        return []
    alike = store.list_cases(CaseFilter(search_words=" ".join(words)), limit=MAX_COMPARED_CASES).rows
    return [one.case for one in alike if one.case.content_hash == case.content_hash and one.case.id != case.id]


def find_quotations(store: Store, case_id: str) -> list[CaseQuotation]:
    """Where its sentences are quoted: drafts that stand now, by name; a sentence once a draft."""
    found = dict.fromkeys(_iter_quotations(store, case_id))
    return sorted(found, key=lambda one: (one.name.casefold(), one.draft_id))


def _iter_quotations(store: Store, case_id: str) -> Iterator[CaseQuotation]:
    for draft in store.drafts_quoting(case_id):
        for claim in draft.claims:
            for quote in claim.quotes:
                if quote.case_id == case_id:
                    yield CaseQuotation(draft.id, draft.kind.value, draft.name, quote.text)


def possible_names_in_case(case: Case) -> tuple[PossibleName, ...]:
    """What may be names in the redacted text of one case, the likeliest first."""
    return possible_names_in_texts([*case.text.values(), *case.extra.values()])


def possible_names_in_texts(texts: Sequence[str]) -> tuple[PossibleName, ...]:
    """What may be names in a few texts: too few to tell by themselves that "We" is a word, so they are told."""
    return tuple(
        one for one in find_possible_names([*texts, _STOPWORD_TEXT]) if any(one.name in text for text in texts)
    )


@dataclass(frozen=True, slots=True)
class CaseVersion:
    """One version as it was handed in. ``at`` and ``by`` are known of those written at the desk."""

    number: int
    submission: Submission
    at: datetime | None
    actor: str | None


def list_versions(store: Store, case_id: str) -> Sequence[CaseVersion]:
    """Every version that was handed in, raw, newest first: for the steward and for whose case it is.

    Raises:
        NotFound, RawTextLocked
    """
    n = store.count_versions(case_id)
    if not n:
        raise NotFound("case", case_id)
    raw = [(number, store.submission(case_id, number)) for number in range(n, 0, -1)]
    return [CaseVersion(number, one, datetime.fromisoformat(one.at) if one.at else None, one.by) for number, one in raw]
