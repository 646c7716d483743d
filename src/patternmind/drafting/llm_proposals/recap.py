"""Propose the missing bullets of a recap from its notes, with a language model."""

from collections.abc import Sequence

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Claim
from patternmind.drafting.llm_proposals.base import AskModel, NumberedSentences, RedactedAnswer
from patternmind.drafting.recap import BULLETS
from patternmind.text import extract_sentences

PROMPT_ID = "session-recap"

MAX_NOTE_SENTENCES, MAX_LINKED_CASES, MAX_SENTENCES_PER_CASE = 120, 5, 12


def propose_bullets(recap: Case, linked_cases: Sequence[Case], ask: AskModel) -> tuple[list[Claim], RedactedAnswer]:
    """Ask the model for the bullets of a recap; the claims are not grounded yet.

    Raises:
        GatewayFailed: The model gives no usable answer.
    """
    cases = [recap, *linked_cases[:MAX_LINKED_CASES]]
    limits = [MAX_NOTE_SENTENCES, *[MAX_SENTENCES_PER_CASE] * MAX_LINKED_CASES]
    sentences_by_case = [extract_sentences(case)[:limit] for case, limit in zip(cases, limits, strict=False)]
    numbered = NumberedSentences.from_sentences([sentence for sentences in sentences_by_case for sentence in sentences])
    sources = [{"case_id": case.id, "sentences": numbered.case_lines(case.id)} for case in cases]
    answer = ask(PROMPT_ID, {"recap": sources[0], "linked": sources[1:]}, case_ids=[case.id for case in cases])
    return [claim for name in BULLETS for claim in numbered.claims(name, answer.value[name])], answer
