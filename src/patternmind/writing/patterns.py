"""Map, then reduce: the facets of a theme's chosen cases, one candidate pattern out of them, and a second look at it.

Every failure is a theme's or a case's own: the theme then has the draft that is made without a model, labelled so.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from patternmind.draft.identity import with_own_id
from patternmind.draft.prompted import facets, pattern, second_look
from patternmind.draft.prompted.facets import draft_facets, variables_of
from patternmind.draft.prompted.pattern import PatternProposal, ShownCase, propose_pattern, stands
from patternmind.draft.prompted.second_look import look_again
from patternmind.draft.selection import MOST_SHOWN, Chosen, choose_cases
from patternmind.errors import GatewayFailed
from patternmind.ground import ground, look_for_counter_evidence
from patternmind.line import Line
from patternmind.model.cases import Case
from patternmind.model.drafts import Draft, DraftKind, GroundedDraft
from patternmind.model.themes import Theme
from patternmind.writing.asking import Writer

METHOD = "map-reduce/1"

PROMPTS = (facets.PROMPT, pattern.PROMPT, second_look.PROMPT)

FEWEST_READ = 2
"""Nothing recurs in one case."""


@dataclass(frozen=True, slots=True)
class Written:
    """The drafts of a run, one a theme, and what the reader of its report should know of them."""

    drafts: list[GroundedDraft]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Reuse:
    """What earlier drafts can save: the draft of a theme by the cases it was made for, and the cases read already."""

    drafts: Mapping[tuple[str | None, str], Draft]
    read: frozenset[str]

    @classmethod
    def of(cls, former: Sequence[Draft], writer: Writer | None) -> "_Reuse":
        """Args:
        writer: whose model and prompts the draft must be of; without one, any model's will do.
        """
        made = [draft for draft in former if draft.kind is DraftKind.PATTERN and draft.provenance.made_for]
        asked = writer.hash_of(METHOD, PROMPTS) if writer else None
        drafts: dict[tuple[str | None, str], Draft] = {}
        for draft in made:
            cases, _, said = draft.provenance.made_for.partition("/")
            if asked in {None, said}:
                drafts[draft.theme_id, cases] = draft
        return cls(drafts, frozenset(name for draft in made for name in draft.provenance.inputs))


def draft_patterns(line: Line, themes: Sequence[Theme], writer: Writer | None, former: Sequence[Draft] = ()) -> Written:
    """The candidate pattern of every theme that has one coming, grounded, by the model where it can be.

    Args:
        writer: without one nothing is asked; a theme that is as it was keeps what a model made of it.
        former: pattern drafts there were, oldest first. A theme that has the cases it had when a model drafted one of
            them is not drafted again: it has that one, and whatever people decided on it.
    """
    reuse = _Reuse.of(former, writer)
    by_id = {theme.id: theme for theme in themes}
    coming = [_coming(line, by_id[plain.theme_id or ""], plain, reuse) for plain in line.patterns(themes)]
    if writer is not None:
        coming = [replace(one, chosen=_choose(line, one, reuse)) if one.asks else one for one in coming]
        chosen = {one.case.id: one.case for theme in coming for one in theme.chosen}
        writer.ask_ahead(facets.PROMPT, {case_id: variables_of(case) for case_id, case in chosen.items()})
    written = Written([], [])
    for one in coming:
        made = _by_model(line, one, writer, written.notes) if writer and one.asks else None
        written.drafts.append(made or ground(one.known or one.plain, line.by_id))
    return written


@dataclass(frozen=True, slots=True)
class _Coming:
    """A theme that has a pattern coming: the one it has already, or the cases to show; ``plain`` needs no model."""

    theme: Theme
    plain: Draft
    members: Sequence[Case]
    known: Draft | None
    chosen: Sequence[Chosen] = ()

    @property
    def asks(self) -> bool:
        """Whether a model is asked: not for what it said before, and not for one person's pattern."""
        return self.known is None and not self.theme.one_contributor


def _coming(line: Line, theme: Theme, plain: Draft, reuse: _Reuse) -> _Coming:
    members = _told_once(line, theme)
    return _Coming(theme, plain, members, reuse.drafts.get((theme.id, _hash_cases(members))))


def _by_model(line: Line, one: _Coming, writer: Writer, notes: list[str]) -> GroundedDraft | None:
    """The model's draft of a theme; None, and a note why, where it has to do without."""
    made_for = f"{_hash_cases(one.members)}/{writer.hash_of(METHOD, PROMPTS)}"
    try:
        return write_pattern(
            one.theme, one.chosen, line.by_id, writer, notes, n_cases=len(one.members), run_id=line.run.id,
            made_for=made_for,
        )  # fmt: skip
    except GatewayFailed as failed:
        notes.append(f"Theme {one.theme.id}: its pattern is drafted with no AI used: {failed.reason}.")
        return None


def write_pattern(
    theme: Theme,
    chosen: Sequence[Chosen],
    cases: Mapping[str, Case],
    writer: Writer,
    notes: list[str],
    *,
    n_cases: int,
    run_id: str,
    made_for: str = "",
) -> GroundedDraft:
    """The model's draft out of the chosen cases of a theme; ``notes`` are added to.

    Raises:
        GatewayFailed: too few cases could be read, or what holds is no pattern.
    """
    shown = _map(theme, chosen, writer, notes, run_id=run_id)
    proposal = propose_pattern(theme, shown, writer.ask, n_cases=n_cases)
    return _reduce(cases, proposal, writer, notes, run_id=run_id, made_for=made_for)


def _told_once(line: Line, theme: Theme) -> list[Case]:
    """The cases of a theme without the near-duplicates of another of them, by falling strength."""
    inside = set(theme.case_ids)
    return [line.by_id[id] for id in theme.case_ids if line.by_id[id].duplicate_of not in inside]


def _hash_cases(members: Sequence[Case]) -> str:
    said = sorted(f"{case.id}@{case.text_version}" for case in members)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _choose(line: Line, one: _Coming, reuse: _Reuse) -> list[Chosen]:
    """The cases to show. Where enough of them were read already or are new, no other one is paid for."""
    new = frozenset(line.found.new_cases)
    read = [case for case in one.members if case.id in new or f"{case.id}@{case.text_version}" in reuse.read]
    pool = read if reuse.read and len(read) >= MOST_SHOWN else one.members
    rows = {case.id: row for row, case in enumerate(line.cases)}
    return choose_cases(
        pool,
        line.vectors[np.asarray([rows[case.id] for case in pool], np.intp)],
        [line.firmness[case.id] for case in pool],
        central=one.theme.exemplars,
        edge=one.theme.edge_case,
    )


def _map(theme: Theme, chosen: Sequence[Chosen], writer: Writer, notes: list[str], *, run_id: str) -> list[ShownCase]:
    """The facets of each chosen case whose quotes stand in it. A case that cannot be read is counted with the reason.

    Raises:
        GatewayFailed: too few could be read.
    """
    shown: list[ShownCase] = []
    failed: Counter[str] = Counter()
    for one in chosen:
        try:
            read = draft_facets(one.case, writer.ask, run_id=run_id)
        except GatewayFailed as failure:
            failed[failure.reason] += 1
            continue
        if read.instructions:
            writer.suspicious.add(one.case.id)
        held = tuple(dict.fromkeys(ground(read.draft, {one.case.id: one.case}).draft.claims))
        if held:
            shown.append(ShownCase(one.case, one.why, held))
        else:
            failed["no point of it stands in its text"] += 1
    why = "; ".join(f"{reason} ({n})" for reason, n in sorted(failed.items()))
    if len(shown) < FEWEST_READ:
        told = f": {why}" if why else ""
        raise GatewayFailed(facets.PROMPT, f"{len(shown)} of {len(chosen)} cases could be read{told}")
    if why:
        notes.append(
            f"Theme {theme.id}: {failed.total()} of the {len(chosen)} cases chosen for the model "
            f"could not be read: {why}."
        )
    return shown


def _reduce(
    cases: Mapping[str, Case],
    proposal: PatternProposal,
    writer: Writer,
    notes: list[str],
    *,
    run_id: str,
    made_for: str,
) -> GroundedDraft:
    """The proposal with the claims that hold, and what a second look says of them.

    Raises:
        GatewayFailed: what holds is no pattern.
    """
    theme_id, sources = proposal.theme.id, {one.case.id: one.case for one in proposal.shown}
    first = proposal.draft(proposal.claims, run_id=run_id, made_for=made_for)
    tried = ground(first, sources, similarity=writer.similarity)
    kept = tried.draft.claims
    if not proposal.reason and not stands(kept):
        raise GatewayFailed(pattern.PROMPT, "its problem or its remedy does not stand on the cases")
    if tried.refused:
        notes.append(f"Theme {theme_id}: {len(tried.refused)} of {len(first.claims)} claims of the model were refused.")
    draft = proposal.draft(kept, run_id=run_id, made_for=made_for)
    try:
        weak = look_again(kept, writer.ask)
    except GatewayFailed as failed:
        notes.append(f"Theme {theme_id}: its pattern had no second look: {failed.reason}.")
        weak = ()
    if weak:
        draft = replace(draft, fields={**draft.fields, second_look.FIELD: weak})
    members = [cases[case_id] for case_id in proposal.theme.case_ids]
    draft = with_own_id(look_for_counter_evidence(draft, members))
    return ground(draft, {case.id: case for case in members}, similarity=writer.similarity)
