"""New themes named by the model; where its answer does not hold, the key phrases stay."""

from collections.abc import Sequence
from dataclasses import replace

from patternmind.draft.prompted.theme_name import draft_theme_name
from patternmind.errors import GatewayFailed
from patternmind.ground import ground
from patternmind.line import Line
from patternmind.model.themes import Lineage, Theme
from patternmind.writing.asking import Writer


def name_by_model(line: Line, themes: Sequence[Theme], writer: Writer | None) -> tuple[list[Theme], list[str]]:
    """New themes renamed by the model where its answer holds; a failed call is a note, and the key phrases stay."""
    if writer is None:
        return list(themes), []
    named: list[Theme] = []
    notes: list[str] = []
    for position, theme in enumerate(themes):
        now = [*named, *themes[position:]]
        asks = theme.lineage is Lineage.NEW and not theme.name_locked
        proposal = _ask_for_name(line, theme, now, writer) if asks else theme
        if isinstance(proposal, str):
            notes.append(f"Theme {theme.id} keeps its key phrases as a name: {proposal}.")
        named.append(theme if isinstance(proposal, str) else proposal)
    return named, notes


def _ask_for_name(line: Line, theme: Theme, themes: Sequence[Theme], writer: Writer) -> Theme | str:
    """The theme with the model's name and gist, or why it keeps its own."""
    others = [other for other in themes if other.id != theme.id and other.case_ids]
    nearest = next((other for other in others if other.id == theme.nearest_theme_id), None)
    contrast = {id: "\n".join(line.by_id[id].text.values()) for id in (nearest.exemplars if nearest else ())}
    try:
        proposal = draft_theme_name(
            line.evidence(theme),
            siblings=[other for other in others if other.area_id == theme.area_id],
            contrast=contrast,
            taken=[other.name for other in others],
            ask=writer.ask,
            run_id=line.run.id,
        )
    except GatewayFailed as failed:
        return failed.reason
    writer.suspicious.update(proposal.instructions_in)
    grounded = ground(proposal.draft, {id: line.by_id[id] for id in theme.case_ids})
    if not grounded.draft.claims:
        return "its quotes were not found in the cases"
    return replace(theme, name=proposal.draft.name, gist=grounded.draft.claims[0].text)
