"""Draft the result for a theme with a single contributor: no pattern, with the reason."""

from patternmind.domain.draft_fields import NOT_STATED, DraftFields
from patternmind.domain.drafts import NO_PATTERN, Claim, Draft, DraftKind, Provenance, case_input
from patternmind.domain.wording import pluralize
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.identity import build_draft
from patternmind.drafting.patterns import METHOD
from patternmind.drafting.sentence_selection import select_sentences, sentences_with_roles
from patternmind.text import SentenceRole

SINGLE_CONTRIBUTOR_REASON = (
    "All of these cases come from one contributor. A pattern needs the experience of several people."
)


def draft_no_pattern_for_single_contributor(evidence: ThemeEvidence, *, run_id: str) -> Draft:
    """Return a ``NO_PATTERN`` draft: one person's cases, however many, are not a pattern of the network."""
    problems = select_sentences(
        sentences_with_roles(evidence.sentences, SentenceRole.PROBLEM, SentenceRole.HAPPENED), evidence.score, limit=1
    )
    claims = [Claim(text=s.text, field="problem", quotes=(s.to_quote(),)) for s in problems]
    fields: DraftFields = {
        "problem": tuple(s.text for s in problems) or NOT_STATED,
        "reason": SINGLE_CONTRIBUTOR_REASON,
        "coverage": f"{pluralize(evidence.n_cases, 'case')}, one contributor.",
    }
    inputs = tuple(case_input(case) for case in evidence.cases)
    provenance = Provenance(run_id=run_id, prompt=METHOD, inputs=inputs)
    return build_draft(DraftKind.PATTERN, evidence.theme.id, NO_PATTERN, fields, claims, provenance)
