"""Name new themes with the model; without a valid answer, the name from the key phrases stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.assembly import RunAssembler
from patternmind.domain.cases import Case
from patternmind.domain.drafts import Draft, FlagKind
from patternmind.domain.themes import Lineage, Theme
from patternmind.drafting.llm_proposals.theme_name import draft_theme_name
from patternmind.errors import GatewayFailed
from patternmind.grounding import Similarity, ground, recurring_word_share
from patternmind.grounding.claims import REFUSED_HIDDEN_CHARACTERS, REFUSED_MISSING_FACTS
from patternmind.llm_drafting.session import LlmSession

MIN_RECURRING_WORD_SHARE = 0.25
"""Minimum share of recurring words in a gist with weak quotes.

A word recurs if two of the theme's cases contain it. With a lower share, the gist has another topic. The text of a
single case, or an instruction in it, does not recur.
"""


@dataclass(frozen=True, slots=True)
class NameValidation:
    """A theme with the model's name and gist, or no theme, with a note."""

    theme: Theme | None
    note: str = ""


def name_new_themes(
    assembler: RunAssembler, themes: Sequence[Theme], llm_session: LlmSession | None
) -> tuple[list[Theme], list[str]]:
    """Rename new themes with the model's valid answers, and note each failure."""
    if llm_session is None:
        return list(themes), []
    named: list[Theme] = []
    notes: list[str] = []
    for position, theme in enumerate(themes):
        all_themes = [*named, *themes[position:]]
        is_renamable = theme.lineage is Lineage.NEW and not theme.name_locked
        result = _request_name(assembler, theme, all_themes, llm_session) if is_renamable else NameValidation(theme)
        if result.theme is None:
            notes.append(f"Theme {theme.id} keeps its key phrases as a name: {result.note}.")
        elif result.note:
            notes.append(f"Theme {theme.id}: please check its gist: {result.note}")
        named.append(result.theme or theme)
    return named, notes


def _request_name(
    assembler: RunAssembler, theme: Theme, themes: Sequence[Theme], llm_session: LlmSession
) -> NameValidation:
    """Request a name and a gist for a theme, and validate them."""
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
    except GatewayFailed as error:
        return NameValidation(None, error.reason)
    llm_session.suspicious_case_ids.update(proposal.suspicious_case_ids)
    members = {id: assembler.cases_by_id[id] for id in theme.case_ids}
    return validate_name(proposal.draft, theme, themes, members, similarity=llm_session.similarity)


def validate_name(
    draft: Draft, theme: Theme, themes: Sequence[Theme], cases: Mapping[str, Case], *, similarity: Similarity | None
) -> NameValidation:
    """Return the theme with a draft's name and gist, or the reason for refusal.

    People see names and gists without a review. A draft is refused if it states a fact that no case contains, or if
    neither its quotes nor recurring words of the theme's cases support it. A draft with weak quotes but recurring words
    is accepted with a note.
    """
    grounded = ground(draft, cases, similarity=similarity)
    if not grounded.draft.claims:
        reasons = [refusal.reason for refusal in grounded.refused_claims]
        invalid = [
            reason for reason in reasons if reason.startswith((REFUSED_MISSING_FACTS, REFUSED_HIDDEN_CHARACTERS))
        ]
        note = f"its gist is not valid ({invalid[0]})" if invalid else "its quotes were not found in the cases"
        return NameValidation(None, note)
    if any(flag.doubt is FlagKind.NO_QUOTE for flag in grounded.flags):
        return NameValidation(None, "its name contains a fact that its cases do not contain")
    if any(other.name.casefold() == draft.name.casefold() for other in themes if other.id != theme.id):
        return NameValidation(None, "another theme has that name")
    note = next((flag.reason for flag in grounded.flags if flag.doubt is FlagKind.WEAK_SUPPORT), "")
    gist = grounded.draft.claims[0].text
    texts = ["\n".join(case.text.values()) for case in cases.values()]
    if (note or similarity is None) and recurring_word_share(gist, texts) < MIN_RECURRING_WORD_SHARE:
        return NameValidation(None, "its gist does not use the words of its cases")
    return NameValidation(replace(theme, name=draft.name, gist=gist), note)
