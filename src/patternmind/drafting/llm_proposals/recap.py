"""The bullets of a recap that its sender did not write, by a language model out of the notes."""

from collections.abc import Sequence

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Claim
from patternmind.drafting.llm_proposals.base import AskModel, NumberedSentences, RedactedAnswer
from patternmind.drafting.recap import BULLETS
from patternmind.text import extract_sentences

PROMPT_ID = "session-recap"

MAX_NOTE_SENTENCES, MAX_LINKED_CASES, MAX_SENTENCES_PER_CASE = 120, 5, 12


def propose_bullets(recap: Case, linked_cases: Sequence[Case], ask: AskModel) -> tuple[list[Claim], RedactedAnswer]:
    """One claim a bullet that the model found something for, not grounded yet.

    Raises:
        GatewayFailed: there is no usable answer.
    """
    cases = [recap, *linked_cases[:MAX_LINKED_CASES]]
    limits = [MAX_NOTE_SENTENCES, *[MAX_SENTENCES_PER_CASE] * MAX_LINKED_CASES]
    told = [extract_sentences(case)[:limit] for case, limit in zip(cases, limits, strict=False)]
    numbered = NumberedSentences.from_sentences([sentence for sentences in told for sentence in sentences])
    shown = [{"case_id": case.id, "sentences": numbered.case_lines(case.id)} for case in cases]
    answer = ask(PROMPT_ID, {"recap": shown[0], "linked": shown[1:]}, case_ids=[case.id for case in cases])
    return [claim for name in BULLETS for claim in numbered.claims(name, answer.value[name])], answer
