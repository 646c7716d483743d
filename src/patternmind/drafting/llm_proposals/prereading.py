"""Pre-reading by a language model: what it adds to the pages that are made from the texts themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Claim, Draft, DraftKind
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.llm_proposals.base import (
    AskModel,
    NumberedSentences,
    RedactedAnswer,
    build_draft,
    claim_texts,
)
from patternmind.drafting.patterns import NOT_STATED
from patternmind.drafting.sentence_selection import select_sentences
from patternmind.text import Sentence, extract_sentences

PROMPT_ID = "pre-reading"

MAX_OTHER_CASES, MAX_SENTENCES_PER_CASE, MAX_OWN_SENTENCES = 12, 4, 60

QUOTES_FIELD, N_QUESTIONS = "quotes", 3

EXTRACTIVE_FIELDS = ("case_title", "case")
"""The case in its own words: no model has a part in it."""


@dataclass(frozen=True, slots=True)
class PrereadingProposal:
    """What the model proposes beside ``plain``, the pre-reading made without one. ``claims`` are not grounded yet."""

    extractive_draft: Draft
    shown_cases: tuple[Case, ...]
    claims: tuple[Claim, ...]
    answer: RedactedAnswer

    def draft(self, grounded_claims: Sequence[Claim], *, run_id: str) -> Draft:
        """The pages with these of its claims. The case in its own words and what can be counted stay as they were."""
        asked = [claim for claim in grounded_claims if claim.field == "questions"][:N_QUESTIONS]
        spare = [claim for claim in self.extractive_draft.claims if claim.field == "questions"]
        questions = (*(claim.text for claim in asked), *self.extractive_draft.fields["questions"])[:N_QUESTIONS]
        fields = {
            **self.extractive_draft.fields,
            "leave_with": " ".join(claim_texts(grounded_claims, "leave_with"))
            or self.extractive_draft.fields["leave_with"],
            **{
                name: claim_texts(grounded_claims, name) or NOT_STATED
                for name in (QUOTES_FIELD, "helped", "disagreement")
            },
            "questions": questions,
        }
        claims = [
            *(claim for claim in self.extractive_draft.claims if claim.field in EXTRACTIVE_FIELDS),
            *(claim for claim in grounded_claims if claim.field not in {*EXTRACTIVE_FIELDS, "questions"}),
            *(claim for claim in (*asked, *spare) if claim.text in questions),
        ]
        provenance = self.answer.provenance(run_id, self.shown_cases)
        return build_draft(
            DraftKind.PREREADING, self.extractive_draft.theme_id, self.extractive_draft.name, fields, claims, provenance
        )


def propose_prereading(
    evidence: ThemeEvidence, case: Case, extractive_draft: Draft, ask: AskModel
) -> PrereadingProposal:
    """What the model makes of the case and of sentences of the cases most like it.

    Raises:
        GatewayFailed: there is no usable answer.
    """
    own = extract_sentences(case)[:MAX_OWN_SENTENCES]
    others = [other for other in evidence.cases if other.id != case.id]
    chosen = {other.id: _representative_sentences(evidence, other) for other in others[:MAX_OTHER_CASES]}
    numbered = NumberedSentences.from_sentences([*own, *(sentence for said in chosen.values() for sentence in said)])
    shown = [case, *(other for other in others if chosen.get(other.id))]
    variables = {
        "session": {"about": evidence.theme.name, "name": str(extractive_draft.fields.get("session", ""))},
        "case": {"case_id": case.id, "text": numbered.case_lines(case.id)},
        "n_shown": len(shown) - 1,
        "n_cases": len(others),
        "others": [{"case_id": other.id, "sentences": numbered.case_lines(other.id)} for other in shown[1:]],
    }
    answer = ask(PROMPT_ID, variables, case_ids=[one.id for one in shown])
    said = answer.value
    voices = [numbered.by_id[id] for id in dict.fromkeys(said["voices"]) if id in numbered.by_id]
    claims = [
        *numbered.claims("leave_with", said["leave_with"]),
        *(
            Claim(text=one.text, field=QUOTES_FIELD, quotes=(one.to_quote(),))
            for one in voices
            if one.case_id != case.id
        ),
        *numbered.claims("helped", said["helped"]),
        *numbered.claims("disagreement", said["disagreement"]),
        *numbered.claims("questions", said["questions"]),
    ]
    return PrereadingProposal(
        extractive_draft=extractive_draft, shown_cases=tuple(shown), claims=tuple(claims), answer=answer
    )


def _representative_sentences(evidence: ThemeEvidence, case: Case) -> list[Sentence]:
    """The sentences that speak most for the theme, in reading order."""
    own = [sentence for sentence in evidence.sentences if sentence.case_id == case.id and sentence.is_quotable]
    best = select_sentences(own, evidence.remedy_score, limit=MAX_SENTENCES_PER_CASE, one_per_case=False)
    return sorted(best, key=own.index)
