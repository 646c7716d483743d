"""Names and gists by a language model; its answer becomes a draft like any other and is checked like any other."""

from collections.abc import Mapping, Sequence

from patternmind.draft.evidence import ThemeEvidence
from patternmind.draft.identity import draft_id
from patternmind.draft.names import lint_name
from patternmind.errors import GatewayFailed
from patternmind.model.drafts import Claim, Draft, DraftKind, Provenance, Quote
from patternmind.model.themes import Theme
from patternmind.ports import LanguageModel, PromptBook

PROMPT = "theme-name"
MOST_WORDS_SHOWN = 200


def draft_theme_name(
    evidence: ThemeEvidence,
    *,
    siblings: Sequence[Theme],
    contrast: Sequence[str],
    model: LanguageModel,
    prompts: PromptBook,
    run_id: str,
) -> Draft:
    """A name and a gist for one theme, with the quotes the gist rests on, not yet grounded.

    Raises:
        GatewayFailed: no usable answer, or a name that the lint refuses; the theme keeps the name of its key phrases.
    """
    shown = _exemplars(evidence)
    prompt = prompts.render(PROMPT, _variables(evidence, shown, siblings, contrast))
    answer = model.ask(PROMPT, prompt)
    name, gist = answer.value["name"] or "", answer.value["gist"]
    wrong = lint_name(name, list(shown.values()))
    if wrong:
        raise GatewayFailed(PROMPT, wrong[0])
    quotes = tuple(
        Quote(case_id=quote["case_id"], field="", start=0, end=0, text=quote["text"])
        for quote in answer.value["quotes"]
    )
    claims = [Claim(text=gist, field="gist", quotes=quotes)]
    return Draft(
        id=draft_id(DraftKind.THEME_NAME, evidence.theme.id, name, {"gist": gist}, claims),
        kind=DraftKind.THEME_NAME,
        theme_id=evidence.theme.id,
        name=name,
        fields={"gist": gist},
        claims=tuple(claims),
        provenance=Provenance(
            run_id=run_id,
            model=answer.model,
            prompt=prompt.id,
            prompt_hash=prompt.hash,
            inputs=tuple(shown),
            n_tokens=answer.n_tokens,
            cost_usd=answer.cost_usd,
        ),
    )


def _exemplars(evidence: ThemeEvidence) -> dict[str, str]:
    by_id = {case.id: case for case in evidence.cases}
    ids = [case_id for case_id in evidence.theme.exemplars if case_id in by_id]
    return {case_id: _cut("\n".join(by_id[case_id].text.values())) for case_id in ids}


def _cut(text: str) -> str:
    """The beginning of a text in whole words, spacing kept, so that what the model quotes can be found again."""
    words = 0
    for position, char in enumerate(text):
        words += char.isspace() and position > 0 and not text[position - 1].isspace()
        if words == MOST_WORDS_SHOWN:
            return text[:position]
    return text


def _variables(
    evidence: ThemeEvidence, shown: Mapping[str, str], siblings: Sequence[Theme], contrast: Sequence[str]
) -> dict[str, object]:
    return {
        "theme": {
            "keywords": list(evidence.theme.keywords),
            "exemplars": [{"case_id": case_id, "text": text} for case_id, text in shown.items()],
        },
        "siblings": [{"name": theme.name, "keywords": list(theme.keywords)} for theme in siblings],
        "contrast": [_cut(text) for text in contrast],
    }
