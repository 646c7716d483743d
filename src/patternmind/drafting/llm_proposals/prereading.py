"""Propose a pre-reading with a language model, on top of the extractive one."""

from collections.abc import Sequence
from dataclasses import dataclass

from patternmind.domain.cases import Case
from patternmind.domain.draft_fields import NOT_STATED
from patternmind.domain.drafts import Claim, Draft, DraftKind
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.identity import build_draft
from patternmind.drafting.llm_proposals.base import AskModel, NumberedSentences, RedactedAnswer, claim_texts
from patternmind.drafting.sentence_selection import representative_sentences
from patternmind.text import extract_sentences

PROMPT_ID = "pre-reading"

MAX_OTHER_CASES, MAX_SENTENCES_PER_CASE, MAX_OWN_SENTENCES = 12, 4, 60

QUOTES_FIELD, N_QUESTIONS = "quotes", 3

EXTRACTIVE_FIELDS = ("case_title", "case")
"""Fields with the case in its own words; the model does not change them."""


@dataclass(frozen=True, slots=True)
class PrereadingProposal:
    """The model's additions to ``extractive_draft``, the pre-reading made without a model; not grounded yet."""

    extractive_draft: Draft
    shown_cases: tuple[Case, ...]
    claims: tuple[Claim, ...]
    answer: RedactedAnswer

    def draft(self, grounded_claims: Sequence[Claim], *, run_id: str) -> Draft:
        """Build the pre-reading from the grounded claims.

        The case in its own words and the counted fields come from the extractive draft.
        """
        new_questions = [claim for claim in grounded_claims if claim.field == "questions"][:N_QUESTIONS]
        spare_questions = [claim for claim in self.extractive_draft.claims if claim.field == "questions"]
        questions = (*(claim.text for claim in new_questions), *self.extractive_draft.fields["questions"])[:N_QUESTIONS]
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
            *(claim for claim in (*new_questions, *spare_questions) if claim.text in questions),
        ]
        provenance = self.answer.provenance(run_id, self.shown_cases)
        return build_draft(
            DraftKind.PREREADING, self.extractive_draft.theme_id, self.extractive_draft.name, fields, claims, provenance
        )


def propose_prereading(
    evidence: ThemeEvidence, case: Case, extractive_draft: Draft, ask: AskModel
) -> PrereadingProposal:
    """Ask the model for a pre-reading from the case and the most similar cases.

    Raises:
        GatewayFailed: The model gives no usable answer.
    """
    own = extract_sentences(case)[:MAX_OWN_SENTENCES]
    others = [other for other in evidence.cases if other.id != case.id]
    selected = {
        other.id: representative_sentences(
            evidence.sentences, other.id, evidence.remedy_score, limit=MAX_SENTENCES_PER_CASE
        )
        for other in others[:MAX_OTHER_CASES]
    }
    other_sentences = (sentence for sentences in selected.values() for sentence in sentences)
    numbered = NumberedSentences.from_sentences([*own, *other_sentences])
    shown_cases = [case, *(other for other in others if selected.get(other.id))]
    variables = {
        "session": {"about": evidence.theme.name, "name": str(extractive_draft.fields.get("session", ""))},
        "case": {"case_id": case.id, "text": numbered.case_lines(case.id)},
        "n_shown": len(shown_cases) - 1,
        "n_cases": len(others),
        "others": [{"case_id": other.id, "sentences": numbered.case_lines(other.id)} for other in shown_cases[1:]],
    }
    answer = ask(PROMPT_ID, variables, case_ids=[shown_case.id for shown_case in shown_cases])
    value = answer.value
    voices = [numbered.by_id[id] for id in dict.fromkeys(value["voices"]) if id in numbered.by_id]
    claims = [
        *numbered.claims("leave_with", value["leave_with"]),
        *(
            Claim(text=voice.text, field=QUOTES_FIELD, quotes=(voice.to_quote(),))
            for voice in voices
            if voice.case_id != case.id
        ),
        *numbered.claims("helped", value["helped"]),
        *numbered.claims("disagreement", value["disagreement"]),
        *numbered.claims("questions", value["questions"]),
    ]
    return PrereadingProposal(
        extractive_draft=extractive_draft, shown_cases=tuple(shown_cases), claims=tuple(claims), answer=answer
    )
