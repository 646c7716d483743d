"""What is new in a theme, by a language model out of its new cases beside its central earlier ones."""

from collections.abc import Sequence

from patternmind.domain.drafts import Claim
from patternmind.domain.themes import Theme
from patternmind.drafting.llm_proposals.base import AskModel, NumberedSentences, RedactedAnswer
from patternmind.text import Sentence

PROMPT_ID = "theme-change"
NOTE_FIELD = "note"


def propose_change_note(
    theme: Theme,
    count_summary: str,
    earlier: Sequence[Sentence],
    newer: Sequence[Sentence],
    ask: AskModel,
    *,
    n_newer: int,
) -> tuple[list[Claim], RedactedAnswer]:
    """Two sentences at most, each standing on a new case too; not grounded yet.

    Raises:
        GatewayFailed: there is no usable answer.
    """
    numbered = NumberedSentences.from_sentences([*earlier, *newer])
    fresh = {sentence.case_id for sentence in newer}

    def shown(sentences: Sequence[Sentence]) -> list[dict[str, str]]:
        ids = dict.fromkeys(sentence.case_id for sentence in sentences)
        return [{"case_id": case_id, "sentences": numbered.case_lines(case_id)} for case_id in ids]

    variables = {
        "theme": {"name": theme.name, "gist": theme.gist, "keywords": list(theme.keywords)},
        "change": count_summary,
        "earlier": shown(earlier),
        "newer": shown(newer),
        "n_newer": n_newer,
    }
    case_ids = sorted({sentence.case_id for sentence in numbered.by_id.values()})
    answer = ask(PROMPT_ID, variables, case_ids=case_ids)
    claims = numbered.claims(NOTE_FIELD, answer.value["note"])
    return [claim for claim in claims if fresh & {quote.case_id for quote in claim.quotes}], answer
