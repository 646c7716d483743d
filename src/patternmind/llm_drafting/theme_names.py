"""New themes named by the model; where its answer does not hold, the key phrases stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.assembly import RunAssembler
from patternmind.domain.cases import Case
from patternmind.domain.drafts import Draft, FlagKind
from patternmind.domain.themes import Lineage, Theme
from patternmind.drafting.llm_proposals.theme_name import draft_theme_name
from patternmind.errors import GatewayFailed
from patternmind.grounding import Similarity, ground, recurring_word_share
from patternmind.llm_drafting.session import LlmSession

MIN_RECURRING_WORD_SHARE = 0.25
"""Share of a gist's words that two of the theme's cases must hold where its quotes hardly carry it: else it tells of
something else. One case alone, or an order in it, is not what recurs."""


@dataclass(frozen=True, slots=True)
class NameValidation:
    """A theme with the name and gist that a model gave it, and a doubt about them if any; or no theme, and why."""

    theme: Theme | None
    note: str = ""


def name_new_themes(
    assembler: RunAssembler, themes: Sequence[Theme], llm_session: LlmSession | None
) -> tuple[list[Theme], list[str]]:
    """New themes renamed by the model where its answer holds; a failed call is a note, and the key phrases stay."""
    if llm_session is None:
        return list(themes), []
    named: list[Theme] = []
    notes: list[str] = []
    for position, theme in enumerate(themes):
        now = [*named, *themes[position:]]
        asks = theme.lineage is Lineage.NEW and not theme.name_locked
        settled = _request_name(assembler, theme, now, llm_session) if asks else NameValidation(theme)
        if settled.theme is None:
            notes.append(f"Theme {theme.id} keeps its key phrases as a name: {settled.note}.")
        elif settled.note:
            notes.append(f"Theme {theme.id} has a gist to look at twice: {settled.note}")
        named.append(settled.theme or theme)
    return named, notes


def _request_name(
    assembler: RunAssembler, theme: Theme, themes: Sequence[Theme], llm_session: LlmSession
) -> NameValidation:
    """The theme with the model's name and gist, or why it keeps its own."""
    others = [other for other in themes if other.id != theme.id and other.case_ids]
    nearest = next((other for other in others if other.id == theme.nearest_theme_id), None)
    contrast = {id: "\n".join(assembler.cases_by_id[id].text.values()) for id in (nearest.exemplars if nearest else ())}
    try:
        proposal = draft_theme_name(
            assembler.evidence(theme),
            sibling_themes=[other for other in others if other.area_id == theme.area_id],
            contrast_texts=contrast,
            taken_names=[other.name for other in others],
            ask=llm_session.ask,
            run_id=assembler.run.id,
        )
    except GatewayFailed as failed:
        return NameValidation(None, failed.reason)
    llm_session.suspicious_case_ids.update(proposal.suspicious_case_ids)
    members = {id: assembler.cases_by_id[id] for id in theme.case_ids}
    return validate_name(proposal.draft, theme, themes, members, similarity=llm_session.similarity)


def validate_name(
    draft: Draft,
    theme: Theme,
    themes: Sequence[Theme],
    cases: Mapping[str, Case],
    *,
    similarity: Similarity | None,
) -> NameValidation:
    """The theme with the name and the gist of a draft that holds, or why it keeps its own.

    A name and a gist stand before people without a review, so one with a fact that no case holds is not taken, nor one
    that is neither carried by its quotes nor in words that recur in the theme's cases; one that only its quotes
    carry weakly is, with a note.
    """
    grounded = ground(draft, cases, similarity=similarity)
    if not grounded.draft.claims:
        held = [
            one.reason for one in grounded.refused_claims if one.reason.startswith(("the cases it quotes", "it holds"))
        ]
        return NameValidation(
            None, f"its gist does not hold ({held[0]})" if held else "its quotes were not found in the cases"
        )
    if any(flag.doubt is FlagKind.NO_QUOTE for flag in grounded.flags):
        return NameValidation(None, "it names what its cases do not hold")
    if any(other.name.casefold() == draft.name.casefold() for other in themes if other.id != theme.id):
        return NameValidation(None, "another theme bears that name")
    note = next((flag.reason for flag in grounded.flags if flag.doubt is FlagKind.WEAK_SUPPORT), "")
    gist = grounded.draft.claims[0].text
    texts = ["\n".join(case.text.values()) for case in cases.values()]
    if (note or similarity is None) and recurring_word_share(gist, texts) < MIN_RECURRING_WORD_SHARE:
        return NameValidation(None, "its gist is not in the words of its cases")
    return NameValidation(replace(theme, name=draft.name, gist=gist), note)
