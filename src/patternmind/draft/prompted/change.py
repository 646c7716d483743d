"""What is new in a theme, by a language model out of its new cases beside its central earlier ones."""

from collections.abc import Sequence

from patternmind.draft.prompted.asking import Answer, Ask, Numbered
from patternmind.model.drafts import Claim
from patternmind.model.themes import Theme
from patternmind.sentences import Sentence

PROMPT = "theme-change"
FIELD = "note"


def propose_note(
    theme: Theme, counted: str, earlier: Sequence[Sentence], newer: Sequence[Sentence], ask: Ask, *, n_newer: int
) -> tuple[list[Claim], Answer]:
    """Two sentences at most, each standing on a new case too; not grounded yet.

    Raises:
        GatewayFailed: there is no usable answer.
    """
    numbered = Numbered.of([*earlier, *newer])
    fresh = {sentence.case_id for sentence in newer}

    def shown(sentences: Sequence[Sentence]) -> list[dict[str, str]]:
        ids = dict.fromkeys(sentence.case_id for sentence in sentences)
        return [{"case_id": case_id, "sentences": numbered.lines(case_id)} for case_id in ids]

    variables = {
        "theme": {"name": theme.name, "gist": theme.gist, "keywords": list(theme.keywords)},
        "change": counted,
        "earlier": shown(earlier),
        "newer": shown(newer),
        "n_newer": n_newer,
    }
    case_ids = sorted({sentence.case_id for sentence in numbered.by_id.values()})
    answer = ask(PROMPT, variables, case_ids=case_ids)
    claims = numbered.claims(FIELD, answer.value["note"])
    return [claim for claim in claims if fresh & {quote.case_id for quote in claim.quotes}], answer
