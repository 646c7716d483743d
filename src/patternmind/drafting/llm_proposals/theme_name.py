"""Names and gists of themes: asked for once, and once more with the reason where a name cannot stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.drafts import (
    Claim,
    Draft,
    DraftKind,
    Quote,
)
from patternmind.domain.themes import Theme
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.llm_proposals.base import (
    AskModel,
    RedactedAnswer,
    build_draft,
    collapse_whitespace,
)
from patternmind.drafting.theme_names import are_names_similar, disambiguate_name, lint_name
from patternmind.errors import GatewayFailed

PROMPT_ID = "theme-name"
MAX_WORDS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class NameProposal:
    """``draft`` is not yet grounded; ``instructions_in`` are cases that speak to machines."""

    draft: Draft
    suspicious_case_ids: tuple[str, ...]


def draft_theme_name(
    evidence: ThemeEvidence,
    *,
    sibling_themes: Sequence[Theme],
    contrast_texts: Mapping[str, str],
    taken_names: Sequence[str],
    ask: AskModel,
    run_id: str,
) -> NameProposal:
    """A name and a gist for one theme, with the quotes the gist rests on, not yet grounded.

    Args:
        contrast: texts of the nearest theme's cases, by case id.
        taken: names of the other themes, which this one may not be too like.

    Raises:
        GatewayFailed: no usable answer, or a name that the lint refuses twice; the theme keeps the name of its key
            phrases.
    """
    shown = _exemplar_texts(evidence)
    texts = list(shown.values())

    def refused(name: str) -> str:
        return next(iter(lint_name(name, texts)), "")

    def like(name: str) -> str:
        other = next((other for other in taken_names if are_names_similar(name, other)), None)
        return f'it is too like the name of another theme, "{other}"' if other else ""

    def ask_with(refused: Sequence[Mapping[str, str]]) -> RedactedAnswer:
        variables = _variables(evidence, shown, sibling_themes, list(contrast_texts.values())) | {
            "refused": list(refused)
        }
        return ask(PROMPT_ID, variables, case_ids=[*shown, *contrast_texts])

    answer = ask_with([])
    name = collapse_whitespace(answer.value["name"] or "")
    wrong = (refused(name) or like(name)) if name else ""
    if wrong:
        answer = ask_with([{"name": name, "reason": wrong}])
        name = collapse_whitespace(answer.value["name"] or "")
    if not name:
        raise GatewayFailed(PROMPT_ID, "it sees no problem that these cases share")
    if still := refused(name):
        raise GatewayFailed(PROMPT_ID, still)
    apart = disambiguate_name(name, evidence.phrases, taken_names) if like(name) else name
    if apart is None or refused(apart):
        raise GatewayFailed(PROMPT_ID, like(name))
    return _name_proposal(evidence, apart, answer, shown, run_id=run_id)


def _name_proposal(
    evidence: ThemeEvidence, name: str, answer: RedactedAnswer, shown_texts: Mapping[str, str], *, run_id: str
) -> NameProposal:
    gist = collapse_whitespace(answer.value["gist"])
    quotes = tuple(
        Quote(case_id=quote["case_id"], field="", start=0, end=0, text=quote["text"])
        for quote in answer.value["quotes"]
    )
    provenance = answer.provenance(run_id, [case for case in evidence.cases if case.id in shown_texts])
    claims = [Claim(text=gist, field="gist", quotes=quotes)]
    draft = build_draft(DraftKind.THEME_NAME, evidence.theme.id, name, {"gist": gist}, claims, provenance)
    flagged = tuple(id for id in answer.value.get("instructions_in", ()) if id in shown_texts)
    return NameProposal(draft, flagged)


def _exemplar_texts(evidence: ThemeEvidence) -> dict[str, str]:
    by_id = {case.id: case for case in evidence.cases}
    ids = [case_id for case_id in evidence.theme.exemplars if case_id in by_id]
    return {case_id: _truncate("\n".join(by_id[case_id].text.values())) for case_id in ids}


def _truncate(text: str) -> str:
    """The beginning of a text in whole words, spacing kept, so that what the model quotes can be found again."""
    words = 0
    for position, char in enumerate(text):
        words += char.isspace() and position > 0 and not text[position - 1].isspace()
        if words == MAX_WORDS_SHOWN:
            return text[:position]
    return text


def _variables(
    evidence: ThemeEvidence,
    shown_texts: Mapping[str, str],
    sibling_themes: Sequence[Theme],
    contrast_texts: Sequence[str],
) -> dict[str, object]:
    return {
        "theme": {
            "keywords": list(evidence.theme.keywords),
            "exemplars": [{"case_id": case_id, "text": text} for case_id, text in shown_texts.items()],
        },
        "siblings": [{"name": theme.name, "keywords": list(theme.keywords)} for theme in sibling_themes],
        "contrast": [_truncate(text) for text in contrast_texts],
    }
