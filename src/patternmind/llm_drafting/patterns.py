"""Map, then reduce: the facets of a theme's chosen cases, one candidate pattern out of them, and a second look at it.

Every failure is a theme's or a case's own: the theme then has the draft that is made without a model, labelled so.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from patternmind.assembly import RunAssembler
from patternmind.domain.cases import Case
from patternmind.domain.drafts import Draft, DraftKind, GroundedDraft
from patternmind.domain.themes import Theme
from patternmind.drafting.case_selection import MAX_CASES_SHOWN, SelectedCase, select_cases
from patternmind.drafting.identity import with_recomputed_id
from patternmind.drafting.llm_proposals import facets, pattern, support_check
from patternmind.drafting.llm_proposals.facets import draft_facets, prompt_variables
from patternmind.drafting.llm_proposals.pattern import (
    PatternProposal,
    ShownCase,
    has_problem_and_solution,
    propose_pattern,
)
from patternmind.drafting.llm_proposals.support_check import check_support
from patternmind.errors import GatewayFailed
from patternmind.grounding import add_counter_evidence, ground
from patternmind.llm_drafting.session import LlmSession

METHOD = "map-reduce/1"

PROMPT_IDS = (facets.PROMPT_ID, pattern.PROMPT_ID, support_check.PROMPT_ID)

MIN_CASES_READ = 2
"""Nothing recurs in one case."""


@dataclass(frozen=True, slots=True)
class PatternDrafts:
    """The drafts of a run, one a theme, and what the reader of its report should know of them."""

    drafts: list[GroundedDraft]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _EarlierDrafts:
    """What earlier drafts can save: the draft of a theme by the cases it was made for, and the cases read already."""

    drafts: Mapping[tuple[str | None, str], Draft]
    read: frozenset[str]

    @classmethod
    def of(cls, former: Sequence[Draft], writer: LlmSession | None) -> "_EarlierDrafts":
        """Args:
        writer: whose model and prompts the draft must be of; without one, any model's will do.
        """
        made = [draft for draft in former if draft.kind is DraftKind.PATTERN and draft.provenance.made_for]
        asked = writer.fingerprint(METHOD, PROMPT_IDS) if writer else None
        drafts: dict[tuple[str | None, str], Draft] = {}
        for draft in made:
            cases, _, said = draft.provenance.made_for.partition("/")
            if asked in {None, said}:
                drafts[draft.theme_id, cases] = draft
        return cls(drafts, frozenset(name for draft in made for name in draft.provenance.inputs))


def draft_patterns(
    assembler: RunAssembler,
    themes: Sequence[Theme],
    llm_session: LlmSession | None,
    earlier_drafts: Sequence[Draft] = (),
) -> PatternDrafts:
    """The candidate pattern of every theme that has one coming, grounded, by the model where it can be.

    Args:
        writer: without one nothing is asked; a theme that is as it was keeps what a model made of it.
        former: pattern drafts there were, oldest first. A theme that has the cases it had when a model drafted one of
            them is not drafted again: it has that one, and whatever people decided on it.
    """
    reuse = _EarlierDrafts.of(earlier_drafts, llm_session)
    by_id = {theme.id: theme for theme in themes}
    coming = [
        _pending_pattern(assembler, by_id[plain.theme_id or ""], plain, reuse)
        for plain in assembler.draft_patterns(themes)
    ]
    if llm_session is not None:
        coming = [
            replace(one, chosen=_select_cases(assembler, one, reuse)) if one.needs_model else one for one in coming
        ]
        chosen = {one.case.id: one.case for theme in coming for one in theme.chosen}
        llm_session.prefetch(facets.PROMPT_ID, {case_id: prompt_variables(case) for case_id, case in chosen.items()})
    written = PatternDrafts([], [])
    for one in coming:
        made = (
            _draft_with_model(assembler, one, llm_session, written.notes) if llm_session and one.needs_model else None
        )
        written.drafts.append(made or ground(one.known or one.plain, assembler.cases_by_id))
    return written


@dataclass(frozen=True, slots=True)
class _PendingPattern:
    """A theme that has a pattern coming: the one it has already, or the cases to show; ``plain`` needs no model."""

    theme: Theme
    plain: Draft
    members: Sequence[Case]
    known: Draft | None
    chosen: Sequence[SelectedCase] = ()

    @property
    def needs_model(self) -> bool:
        """Whether a model is asked: not for what it said before, and not for one person's pattern."""
        return self.known is None and not self.theme.one_contributor


def _pending_pattern(
    assembler: RunAssembler, theme: Theme, extractive_draft: Draft, earlier_drafts: _EarlierDrafts
) -> _PendingPattern:
    members = _without_near_duplicates(assembler, theme)
    return _PendingPattern(
        theme, extractive_draft, members, earlier_drafts.drafts.get((theme.id, _hash_cases(members)))
    )


def _draft_with_model(
    assembler: RunAssembler, pending: _PendingPattern, llm_session: LlmSession, notes: list[str]
) -> GroundedDraft | None:
    """The model's draft of a theme; None, and a note why, where it has to do without."""
    made_for = f"{_hash_cases(pending.members)}/{llm_session.fingerprint(METHOD, PROMPT_IDS)}"
    try:
        return draft_pattern_with_model(
            pending.theme, pending.chosen, assembler.cases_by_id, llm_session, notes, n_cases=len(pending.members), run_id=assembler.run.id,
            made_for=made_for,
        )  # fmt: skip
    except GatewayFailed as failed:
        notes.append(f"Theme {pending.theme.id}: its pattern is drafted with no AI used: {failed.reason}.")
        return None


def draft_pattern_with_model(
    theme: Theme,
    selected_cases: Sequence[SelectedCase],
    cases: Mapping[str, Case],
    llm_session: LlmSession,
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
    shown = _map_cases(theme, selected_cases, llm_session, notes, run_id=run_id)
    proposal = propose_pattern(theme, shown, llm_session.ask, n_cases=n_cases)
    return _reduce_proposal(cases, proposal, llm_session, notes, run_id=run_id, made_for=made_for)


def _without_near_duplicates(assembler: RunAssembler, theme: Theme) -> list[Case]:
    """The cases of a theme without the near-duplicates of another of them, by falling strength."""
    inside = set(theme.case_ids)
    return [assembler.cases_by_id[id] for id in theme.case_ids if assembler.cases_by_id[id].duplicate_of not in inside]


def _hash_cases(members: Sequence[Case]) -> str:
    said = sorted(f"{case.id}@{case.text_version}" for case in members)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _select_cases(
    assembler: RunAssembler, pending: _PendingPattern, earlier_drafts: _EarlierDrafts
) -> list[SelectedCase]:
    """The cases to show. Where enough of them were read already or are new, no other one is paid for."""
    new = frozenset(assembler.machine_result.new_cases)
    read = [
        case for case in pending.members if case.id in new or f"{case.id}@{case.text_version}" in earlier_drafts.read
    ]
    pool = read if earlier_drafts.read and len(read) >= MAX_CASES_SHOWN else pending.members
    rows = {case.id: row for row, case in enumerate(assembler.cases)}
    return select_cases(
        pool,
        assembler.vectors[np.asarray([rows[case.id] for case in pool], np.intp)],
        [assembler.strength_by_case[case.id] for case in pool],
        exemplar_ids=pending.theme.exemplars,
        edge_case_id=pending.theme.edge_case,
    )


def _map_cases(
    theme: Theme, selected_cases: Sequence[SelectedCase], llm_session: LlmSession, notes: list[str], *, run_id: str
) -> list[ShownCase]:
    """The facets of each chosen case whose quotes stand in it. A case that cannot be read is counted with the reason.

    Raises:
        GatewayFailed: too few could be read.
    """
    shown: list[ShownCase] = []
    failed: Counter[str] = Counter()
    for one in selected_cases:
        try:
            read = draft_facets(one.case, llm_session.ask, run_id=run_id)
        except GatewayFailed as failure:
            failed[failure.reason] += 1
            continue
        if read.has_instructions:
            llm_session.suspicious_case_ids.add(one.case.id)
        held = tuple(dict.fromkeys(ground(read.draft, {one.case.id: one.case}).draft.claims))
        if held:
            shown.append(ShownCase(one.case, one.selection_reason, held))
        else:
            failed["no point of it stands in its text"] += 1
    why = "; ".join(f"{reason} ({n})" for reason, n in sorted(failed.items()))
    if len(shown) < MIN_CASES_READ:
        told = f": {why}" if why else ""
        raise GatewayFailed(facets.PROMPT_ID, f"{len(shown)} of {len(selected_cases)} cases could be read{told}")
    if why:
        notes.append(
            f"Theme {theme.id}: {failed.total()} of the {len(selected_cases)} cases chosen for the model "
            f"could not be read: {why}."
        )
    return shown


def _reduce_proposal(
    cases: Mapping[str, Case],
    proposal: PatternProposal,
    llm_session: LlmSession,
    notes: list[str],
    *,
    run_id: str,
    made_for: str,
) -> GroundedDraft:
    """The proposal with the claims that hold, and what a second look says of them.

    Raises:
        GatewayFailed: what holds is no pattern.
    """
    theme_id, sources = proposal.theme.id, {one.case.id: one.case for one in proposal.shown_cases}
    first = proposal.draft(proposal.claims, run_id=run_id, made_for=made_for)
    tried = ground(first, sources, similarity=llm_session.similarity)
    kept = tried.draft.claims
    if not proposal.reason and not has_problem_and_solution(kept):
        raise GatewayFailed(pattern.PROMPT_ID, "its problem or its remedy does not stand on the cases")
    if tried.refused_claims:
        notes.append(
            f"Theme {theme_id}: {len(tried.refused_claims)} of {len(first.claims)} claims of the model were refused."
        )
    draft = proposal.draft(kept, run_id=run_id, made_for=made_for)
    try:
        weak = check_support(kept, llm_session.ask)
    except GatewayFailed as failed:
        notes.append(f"Theme {theme_id}: its pattern had no second look: {failed.reason}.")
        weak = ()
    if weak:
        draft = replace(draft, fields={**draft.fields, support_check.WEAK_SUPPORT_FIELD: weak})
    members = [cases[case_id] for case_id in proposal.theme.case_ids]
    draft = with_recomputed_id(add_counter_evidence(draft, members))
    return ground(draft, {case.id: case for case in members}, similarity=llm_session.similarity)
