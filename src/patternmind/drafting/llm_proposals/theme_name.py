"""Request a theme's name and gist from a model; a refused name is requested once more, with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patternmind.domain.drafts import Claim, Draft, DraftKind, Quote
from patternmind.domain.themes import Theme
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.identity import build_draft
from patternmind.drafting.llm_proposals.base import AskModel, RedactedAnswer, collapse_whitespace
from patternmind.drafting.theme_names import are_names_similar, disambiguate_name, lint_name
from patternmind.errors import GatewayFailed

PROMPT_ID = "theme-name"
MAX_WORDS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class NameProposal:
    """An ungrounded draft, and the ids of cases with instructions to a model."""

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
    """Return a name and a gist for a theme, with the quotes of the gist; not grounded yet.

    Args:
        contrast_texts: Texts of the nearest theme's cases, by case id.
        taken_names: Names of the other themes; this name must not be too similar to them.

    Raises:
        GatewayFailed: The model gives no usable answer, or the lint refuses the name twice. The theme then keeps the
            name from its key phrases.
    """
    exemplar_texts = _exemplar_texts(evidence)
    texts = list(exemplar_texts.values())

    def lint_error(name: str) -> str:
        return next(iter(lint_name(name, texts)), "")

    def similarity_error(name: str) -> str:
        other = next((other for other in taken_names if are_names_similar(name, other)), None)
        return f'it is too similar to the name of another theme, "{other}"' if other else ""

    def ask_for_name(refused: Sequence[Mapping[str, str]]) -> RedactedAnswer:
        variables = _variables(evidence, exemplar_texts, sibling_themes, list(contrast_texts.values())) | {
            "refused": list(refused)
        }
        return ask(PROMPT_ID, variables, case_ids=[*exemplar_texts, *contrast_texts])

    answer = ask_for_name([])
    name = collapse_whitespace(answer.value["name"] or "")
    error = (lint_error(name) or similarity_error(name)) if name else ""
    if error:
        answer = ask_for_name([{"name": name, "reason": error}])
        name = collapse_whitespace(answer.value["name"] or "")
    if not name:
        raise GatewayFailed(PROMPT_ID, "it sees no problem that these cases share")
    if second_error := lint_error(name):
        raise GatewayFailed(PROMPT_ID, second_error)
    distinct_name = disambiguate_name(name, evidence.phrases, taken_names) if similarity_error(name) else name
    if distinct_name is None or lint_error(distinct_name):
        raise GatewayFailed(PROMPT_ID, similarity_error(name))
    return _name_proposal(evidence, distinct_name, answer, exemplar_texts, run_id=run_id)


def _name_proposal(
    evidence: ThemeEvidence, name: str, answer: RedactedAnswer, exemplar_texts: Mapping[str, str], *, run_id: str
) -> NameProposal:
    gist = collapse_whitespace(answer.value["gist"])
    quotes = tuple(
        Quote(case_id=quote["case_id"], field="", start=0, end=0, text=quote["text"])
        for quote in answer.value["quotes"]
    )
    provenance = answer.provenance(run_id, [case for case in evidence.cases if case.id in exemplar_texts])
    claims = [Claim(text=gist, field="gist", quotes=quotes)]
    draft = build_draft(DraftKind.THEME_NAME, evidence.theme.id, name, {"gist": gist}, claims, provenance)
    suspicious = tuple(id for id in answer.value.get("instructions_in", ()) if id in exemplar_texts)
    return NameProposal(draft, suspicious)


def _exemplar_texts(evidence: ThemeEvidence) -> dict[str, str]:
    by_id = {case.id: case for case in evidence.cases}
    ids = [case_id for case_id in evidence.theme.exemplars if case_id in by_id]
    return {case_id: _truncate("\n".join(by_id[case_id].text.values())) for case_id in ids}


def _truncate(text: str) -> str:
    """Return the first ``MAX_WORDS_SHOWN`` words; their spacing stays, so that quotes can be located."""
    words = 0
    for position, char in enumerate(text):
        words += char.isspace() and position > 0 and not text[position - 1].isspace()
        if words == MAX_WORDS_SHOWN:
            return text[:position]
    return text


def _variables(
    evidence: ThemeEvidence,
    exemplar_texts: Mapping[str, str],
    sibling_themes: Sequence[Theme],
    contrast_texts: Sequence[str],
) -> dict[str, object]:
    return {
        "theme": {
            "keywords": list(evidence.theme.keywords),
            "exemplars": [{"case_id": case_id, "text": text} for case_id, text in exemplar_texts.items()],
        },
        "siblings": [{"name": theme.name, "keywords": list(theme.keywords)} for theme in sibling_themes],
        "contrast": [_truncate(text) for text in contrast_texts],
    }
