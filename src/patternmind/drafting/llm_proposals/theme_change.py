"""Propose a note on a theme's new cases, with a language model."""

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
    """Ask the model for at most two sentences that quote a new case.

    The claims are not grounded yet.

    Raises:
        GatewayFailed: The model gives no usable answer.
    """
    numbered = NumberedSentences.from_sentences([*earlier, *newer])
    newer_ids = {sentence.case_id for sentence in newer}

    def case_variables(sentences: Sequence[Sentence]) -> list[dict[str, str]]:
        ids = dict.fromkeys(sentence.case_id for sentence in sentences)
        return [{"case_id": case_id, "sentences": numbered.case_lines(case_id)} for case_id in ids]

    variables = {
        "theme": {"name": theme.name, "gist": theme.gist, "keywords": list(theme.keywords)},
        "change": count_summary,
        "earlier": case_variables(earlier),
        "newer": case_variables(newer),
        "n_newer": n_newer,
    }
    case_ids = sorted({sentence.case_id for sentence in numbered.by_id.values()})
    answer = ask(PROMPT_ID, variables, case_ids=case_ids)
    claims = numbered.claims(NOTE_FIELD, answer.value["note"])
    return [claim for claim in claims if newer_ids & {quote.case_id for quote in claim.quotes}], answer
