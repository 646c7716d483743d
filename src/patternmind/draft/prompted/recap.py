"""The bullets of a recap that its sender did not write, by a language model out of the notes."""

from collections.abc import Sequence

from patternmind.draft.prompted.asking import Answer, Ask, Numbered
from patternmind.draft.recap import BULLETS
from patternmind.model.cases import Case
from patternmind.model.drafts import Claim
from patternmind.sentences import sentences_of

PROMPT = "session-recap"

MOST_NOTES, MOST_LINKED, SENTENCES_EACH = 120, 5, 12


def propose_bullets(recap: Case, linked: Sequence[Case], ask: Ask) -> tuple[list[Claim], Answer]:
    """One claim a bullet that the model found something for, not grounded yet.

    Raises:
        GatewayFailed: there is no usable answer.
    """
    cases = [recap, *linked[:MOST_LINKED]]
    limits = [MOST_NOTES, *[SENTENCES_EACH] * MOST_LINKED]
    told = [sentences_of(case)[:limit] for case, limit in zip(cases, limits, strict=False)]
    numbered = Numbered.of([sentence for sentences in told for sentence in sentences])
    shown = [{"case_id": case.id, "sentences": numbered.lines(case.id)} for case in cases]
    answer = ask(PROMPT, {"recap": shown[0], "linked": shown[1:]}, case_ids=[case.id for case in cases])
    return [claim for name in BULLETS for claim in numbered.claims(name, answer.value[name])], answer
