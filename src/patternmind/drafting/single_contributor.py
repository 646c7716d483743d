"""The answer for a theme that one person alone has filled: no pattern, and why."""

from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Provenance,
)
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.identity import draft_id
from patternmind.drafting.patterns import METHOD, NO_PATTERN, NOT_STATED
from patternmind.drafting.sentence_selection import select_sentences, sentences_with_roles
from patternmind.text import SentenceRole

SINGLE_CONTRIBUTOR_REASON = (
    "All of these cases come from one contributor. A pattern needs the experience of several people."
)


def draft_no_pattern_for_single_contributor(evidence: ThemeEvidence, *, run_id: str) -> Draft:
    """The stored answer that one person's cases, however many, are no pattern of the network yet."""
    problems = select_sentences(
        sentences_with_roles(evidence.sentences, SentenceRole.PROBLEM, SentenceRole.HAPPENED), evidence.score, limit=1
    )
    claims = tuple(Claim(text=one.text, field="problem", quotes=(one.to_quote(),)) for one in problems)
    fields: dict[str, str | tuple[str, ...]] = {
        "problem": tuple(one.text for one in problems) or NOT_STATED,
        "reason": SINGLE_CONTRIBUTOR_REASON,
        "coverage": f"{evidence.n_members} cases, one contributor.",
    }
    return Draft(
        id=draft_id(DraftKind.PATTERN, evidence.theme.id, NO_PATTERN, fields, claims),
        kind=DraftKind.PATTERN,
        theme_id=evidence.theme.id,
        name=NO_PATTERN,
        fields=fields,
        claims=claims,
        provenance=Provenance(
            run_id=run_id, prompt=METHOD, inputs=tuple(f"{case.id}@{case.text_version}" for case in evidence.cases)
        ),
    )
