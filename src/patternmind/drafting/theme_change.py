"""What is new in a theme without a model: the counts, and what its new cases say in their own words."""

from collections.abc import Sequence

from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Provenance,
)
from patternmind.domain.themes import Theme
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.identity import draft_id
from patternmind.drafting.patterns import NOT_STATED
from patternmind.drafting.sentence_selection import select_sentences, sentences_with_roles
from patternmind.text import Sentence, SentenceRole

METHOD = "extractive-change/1"
NOTE_FIELD = "note"

MAX_CASES, MAX_SENTENCES_PER_CASE = 8, 4


def draft_theme_change(
    evidence: ThemeEvidence, count_summary: str, new_case_ids: frozenset[str], *, run_id: str
) -> Draft:
    """The counts in words, and up to two sentences of the new cases that the earlier ones do not say."""
    fresh = [sentence for sentence in evidence.sentences if sentence.case_id in new_case_ids]
    known = [sentence for sentence in evidence.sentences if sentence.case_id not in new_case_ids]
    telling = sentences_with_roles(fresh, SentenceRole.PROBLEM, SentenceRole.HAPPENED)
    chosen = select_sentences(telling, evidence.score, limit=2, dissimilar_to=known) or select_sentences(
        telling, evidence.score, limit=1
    )
    claims = [Claim(text=one.text, field=NOTE_FIELD, quotes=(one.to_quote(),)) for one in chosen]
    inputs = tuple(f"{case.id}@{case.text_version}" for case in evidence.cases)
    return build_change_draft(
        evidence.theme, count_summary, claims, Provenance(run_id=run_id, prompt=METHOD, inputs=inputs)
    )


def build_change_draft(theme: Theme, count_summary: str, claims: Sequence[Claim], provenance: Provenance) -> Draft:
    fields = {"counted": count_summary, NOTE_FIELD: tuple(claim.text for claim in claims) or NOT_STATED}
    name = f"Change: {theme.name}"
    return Draft(
        id=draft_id(DraftKind.THEME_CHANGE, theme.id, name, fields, claims),
        kind=DraftKind.THEME_CHANGE,
        theme_id=theme.id,
        name=name,
        fields=fields,
        claims=tuple(claims),
        provenance=provenance,
    )


def representative_sentences(evidence: ThemeEvidence, case_ids: Sequence[str]) -> list[Sentence]:
    """The sentences of these cases that speak most for the theme, in reading order, a few of each case."""
    found: list[Sentence] = []
    for case_id in case_ids[:MAX_CASES]:
        own = [sentence for sentence in evidence.sentences if sentence.case_id == case_id and sentence.is_quotable]
        found += sorted(
            select_sentences(own, evidence.score, limit=MAX_SENTENCES_PER_CASE, one_per_case=False), key=own.index
        )
    return found
