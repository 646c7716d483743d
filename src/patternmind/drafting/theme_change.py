"""Draft a note on a theme's new cases without a model: counts and verbatim sentences."""

from collections.abc import Sequence

from patternmind.domain.draft_fields import NOT_STATED
from patternmind.domain.drafts import Claim, Draft, DraftKind, Provenance, case_input
from patternmind.domain.themes import Theme
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.identity import build_draft
from patternmind.drafting.sentence_selection import representative_sentences, select_sentences, sentences_with_roles
from patternmind.text import Sentence, SentenceRole

METHOD = "extractive-change/1"
NOTE_FIELD = "note"

MAX_CASES, MAX_SENTENCES_PER_CASE = 8, 4


def draft_theme_change(
    evidence: ThemeEvidence, count_summary: str, new_case_ids: frozenset[str], *, run_id: str
) -> Draft:
    """Return the counts, and up to two sentences that only the new cases contain."""
    newer = [sentence for sentence in evidence.sentences if sentence.case_id in new_case_ids]
    earlier = [sentence for sentence in evidence.sentences if sentence.case_id not in new_case_ids]
    problems = sentences_with_roles(newer, SentenceRole.PROBLEM, SentenceRole.HAPPENED)
    selected = select_sentences(problems, evidence.score, limit=2, dissimilar_to=earlier) or select_sentences(
        problems, evidence.score, limit=1
    )
    claims = [Claim(text=s.text, field=NOTE_FIELD, quotes=(s.to_quote(),)) for s in selected]
    inputs = tuple(case_input(case) for case in evidence.cases)
    return build_change_draft(
        evidence.theme, count_summary, claims, Provenance(run_id=run_id, prompt=METHOD, inputs=inputs)
    )


def build_change_draft(theme: Theme, count_summary: str, claims: Sequence[Claim], provenance: Provenance) -> Draft:
    fields = {"counted": count_summary, NOTE_FIELD: tuple(claim.text for claim in claims) or NOT_STATED}
    return build_draft(DraftKind.THEME_CHANGE, theme.id, f"Change: {theme.name}", fields, claims, provenance)


def central_sentences(evidence: ThemeEvidence, case_ids: Sequence[str]) -> list[Sentence]:
    """Return the most central sentences of each of the first cases, in reading order."""
    return [
        sentence
        for case_id in case_ids[:MAX_CASES]
        for sentence in representative_sentences(
            evidence.sentences, case_id, evidence.score, limit=MAX_SENTENCES_PER_CASE
        )
    ]
