"""Names and gists of themes: asked for once, and once more with the reason where a name cannot stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patternmind.draft.evidence import ThemeEvidence
from patternmind.draft.names import alike, lint_name, set_apart
from patternmind.draft.prompted.asking import Answer, Ask, draft_of, one_line
from patternmind.errors import GatewayFailed
from patternmind.model.drafts import Claim, Draft, DraftKind, Quote
from patternmind.model.themes import Theme

PROMPT = "theme-name"
MOST_WORDS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class NameProposal:
    """``draft`` is not yet grounded; ``instructions_in`` are cases that speak to machines."""

    draft: Draft
    instructions_in: tuple[str, ...]


def draft_theme_name(
    evidence: ThemeEvidence,
    *,
    siblings: Sequence[Theme],
    contrast: Mapping[str, str],
    taken: Sequence[str],
    ask: Ask,
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
    shown = _exemplars(evidence)
    texts = list(shown.values())

    def refused(name: str) -> str:
        return next(iter(lint_name(name, texts)), "")

    def like(name: str) -> str:
        other = next((other for other in taken if alike(name, other)), None)
        return f'it is too like the name of another theme, "{other}"' if other else ""

    def ask_with(refused: Sequence[Mapping[str, str]]) -> Answer:
        variables = _variables(evidence, shown, siblings, list(contrast.values())) | {"refused": list(refused)}
        return ask(PROMPT, variables, case_ids=[*shown, *contrast])

    answer = ask_with([])
    name = one_line(answer.value["name"] or "")
    wrong = (refused(name) or like(name)) if name else ""
    if wrong:
        answer = ask_with([{"name": name, "reason": wrong}])
        name = one_line(answer.value["name"] or "")
    if not name:
        raise GatewayFailed(PROMPT, "it sees no problem that these cases share")
    if still := refused(name):
        raise GatewayFailed(PROMPT, still)
    apart = set_apart(name, evidence.phrases, taken) if like(name) else name
    if apart is None or refused(apart):
        raise GatewayFailed(PROMPT, like(name))
    return _proposal(evidence, apart, answer, shown, run_id=run_id)


def _proposal(
    evidence: ThemeEvidence, name: str, answer: Answer, shown: Mapping[str, str], *, run_id: str
) -> NameProposal:
    gist = one_line(answer.value["gist"])
    quotes = tuple(
        Quote(case_id=quote["case_id"], field="", start=0, end=0, text=quote["text"])
        for quote in answer.value["quotes"]
    )
    provenance = answer.provenance(run_id, [case for case in evidence.cases if case.id in shown])
    claims = [Claim(text=gist, field="gist", quotes=quotes)]
    draft = draft_of(DraftKind.THEME_NAME, evidence.theme.id, name, {"gist": gist}, claims, provenance)
    flagged = tuple(id for id in answer.value.get("instructions_in", ()) if id in shown)
    return NameProposal(draft, flagged)


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
