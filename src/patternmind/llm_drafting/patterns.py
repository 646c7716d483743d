"""Draft candidate patterns with a language model, in three steps.

The map step extracts the facets of a theme's selected cases. The reduce step proposes one pattern from them. The
support check flags weak claims. A failure affects only its theme or case: the theme then has the extractive draft,
labelled as made without AI.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from patternmind.assembly import RunAssembler
from patternmind.domain.cases import Case
from patternmind.domain.drafts import Draft, DraftKind, GroundedDraft, case_input
from patternmind.domain.theme_counts import count_once, without_near_duplicates
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
"""Minimum number of readable cases: nothing recurs in a single case."""


@dataclass(frozen=True, slots=True)
class PatternDrafts:
    """The drafts of a run, one per theme, with notes for the run's report."""

    drafts: list[GroundedDraft]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _EarlierDrafts:
    """Reusable results of earlier runs: drafts by theme and cases, and the case versions that were read."""

    by_theme_and_cases: Mapping[tuple[str | None, str], Draft]
    read_case_versions: frozenset[str]

    @classmethod
    def from_drafts(cls, earlier_drafts: Sequence[Draft], llm_session: LlmSession | None) -> "_EarlierDrafts":
        """Index the pattern drafts that a model made.

        Args:
            llm_session: Only drafts with the same model and prompts are reused. Without a session, any model's draft
                is reused.
        """
        by_model = [draft for draft in earlier_drafts if draft.kind is DraftKind.PATTERN and draft.provenance.made_for]
        required = llm_session.fingerprint(METHOD, PROMPT_IDS) if llm_session else None
        by_theme_and_cases: dict[tuple[str | None, str], Draft] = {}
        for draft in by_model:
            cases_hash, _, fingerprint = draft.provenance.made_for.partition("/")
            if required in {None, fingerprint}:
                by_theme_and_cases[draft.theme_id, cases_hash] = draft
        return cls(by_theme_and_cases, frozenset(name for draft in by_model for name in draft.provenance.inputs))


def draft_patterns(
    assembler: RunAssembler,
    themes: Sequence[Theme],
    llm_session: LlmSession | None,
    earlier_drafts: Sequence[Draft] = (),
) -> PatternDrafts:
    """Return the grounded candidate pattern of each theme, made by the model if possible.

    Args:
        llm_session: Without it no prompt is sent; an unchanged theme still keeps its draft by a model.
        earlier_drafts: Earlier pattern drafts, oldest first. A theme with the same cases as in one of them is not
            drafted again: it keeps that draft and the decisions on it.
    """
    earlier = _EarlierDrafts.from_drafts(earlier_drafts, llm_session)
    by_id = {theme.id: theme for theme in themes}
    pending = [
        _pending_pattern(assembler, by_id[draft.theme_id or ""], draft, earlier)
        for draft in assembler.draft_patterns(themes)
    ]
    if llm_session is not None:
        pending = [
            replace(item, selected_cases=_select_cases(assembler, item, earlier)) if item.needs_model else item
            for item in pending
        ]
        cases = {selected.case.id: selected.case for item in pending for selected in item.selected_cases}
        llm_session.prefetch(facets.PROMPT_ID, {case_id: prompt_variables(case) for case_id, case in cases.items()})
    result = PatternDrafts([], [])
    for item in pending:
        draft = (
            _draft_with_model(assembler, item, llm_session, result.notes) if llm_session and item.needs_model else None
        )
        result.drafts.append(draft or ground(item.existing_draft or item.extractive_draft, assembler.cases_by_id))
    return result


@dataclass(frozen=True, slots=True)
class _PendingPattern:
    """A theme with its reusable draft, or with the cases selected for the prompt."""

    theme: Theme
    extractive_draft: Draft
    members: Sequence[Case]
    existing_draft: Draft | None
    selected_cases: Sequence[SelectedCase] = ()

    @property
    def needs_model(self) -> bool:
        """True unless a draft is reusable or the theme has a single contributor."""
        return self.existing_draft is None and not self.theme.one_contributor


def _pending_pattern(
    assembler: RunAssembler, theme: Theme, extractive_draft: Draft, earlier: _EarlierDrafts
) -> _PendingPattern:
    members = _without_near_duplicates(assembler, theme)
    existing_draft = earlier.by_theme_and_cases.get((theme.id, _hash_cases(members)))
    return _PendingPattern(theme, extractive_draft, members, existing_draft)


def _draft_with_model(
    assembler: RunAssembler, pending: _PendingPattern, llm_session: LlmSession, notes: list[str]
) -> GroundedDraft | None:
    """Return the model's draft of a theme, or ``None`` and a note with the reason."""
    made_for = f"{_hash_cases(pending.members)}/{llm_session.fingerprint(METHOD, PROMPT_IDS)}"
    try:
        return draft_pattern_with_model(
            pending.theme,
            pending.selected_cases,
            assembler.cases_by_id,
            llm_session,
            notes,
            run_id=assembler.run.id,
            made_for=made_for,
        )
    except GatewayFailed as error:
        notes.append(f"Theme {pending.theme.id}: pattern drafted without AI: {error.reason}.")
        return None


def draft_pattern_with_model(
    theme: Theme,
    selected_cases: Sequence[SelectedCase],
    cases: Mapping[str, Case],
    llm_session: LlmSession,
    notes: list[str],
    *,
    run_id: str,
    made_for: str = "",
) -> GroundedDraft:
    """Return the model's draft from the selected cases of a theme, and append to ``notes``.

    Raises:
        GatewayFailed: Too few cases could be read, or the valid claims do not form a pattern.
    """
    shown_cases = _map_cases(theme, selected_cases, llm_session, notes, run_id=run_id)
    proposal = propose_pattern(theme, shown_cases, [cases[id] for id in theme.case_ids], llm_session.ask)
    return _reduce_proposal(cases, proposal, llm_session, notes, run_id=run_id, made_for=made_for)


def _without_near_duplicates(assembler: RunAssembler, theme: Theme) -> list[Case]:
    """Return the cases of a theme by descending strength, without near-duplicates of other members."""
    return without_near_duplicates(assembler.cases_by_id[id] for id in theme.case_ids)


def _hash_cases(members: Sequence[Case]) -> str:
    versions = sorted(case_input(case) for case in members)
    return hashlib.sha256(json.dumps(versions).encode()).hexdigest()[:16]


def _select_cases(assembler: RunAssembler, pending: _PendingPattern, earlier: _EarlierDrafts) -> list[SelectedCase]:
    """Select the cases to show; if enough cases are new or already read, no other case is paid for."""
    new = frozenset(assembler.machine_result.new_cases)
    preferred = [case for case in pending.members if case.id in new or case_input(case) in earlier.read_case_versions]
    has_enough = earlier.read_case_versions and len(preferred) >= MAX_CASES_SHOWN
    pool = preferred if has_enough else pending.members
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
    """Return each selected case with its grounded facets; cases that fail are counted with the reason.

    Raises:
        GatewayFailed: Too few cases could be read.
    """
    shown_cases: list[ShownCase] = []
    n_failed: Counter[str] = Counter()
    for selected in selected_cases:
        case = selected.case
        try:
            case_facets = draft_facets(case, llm_session.ask, run_id=run_id)
        except GatewayFailed as error:
            n_failed[error.reason] += 1
            continue
        if case_facets.has_instructions:
            llm_session.suspicious_case_ids.add(case.id)
        grounded_facets = tuple(dict.fromkeys(ground(case_facets.draft, {case.id: case}).draft.claims))
        if grounded_facets:
            shown_cases.append(ShownCase(case, selected.selection_reason, grounded_facets))
        else:
            n_failed["the case supports none of the model's points"] += 1
    reasons = "; ".join(f"{reason} ({n})" for reason, n in sorted(n_failed.items()))
    if len(count_once(shown_case.case for shown_case in shown_cases).cases) < MIN_CASES_READ:
        suffix = f": {reasons}" if reasons else ""
        raise GatewayFailed(
            facets.PROMPT_ID, f"{len(shown_cases)} of {len(selected_cases)} cases could be read{suffix}"
        )
    if reasons:
        notes.append(
            f"Theme {theme.id}: {n_failed.total()} of the {len(selected_cases)} cases selected for the model "
            f"could not be read: {reasons}."
        )
    return shown_cases


def _reduce_proposal(
    cases: Mapping[str, Case],
    proposal: PatternProposal,
    llm_session: LlmSession,
    notes: list[str],
    *,
    run_id: str,
    made_for: str,
) -> GroundedDraft:
    """Return the draft with the valid claims of a proposal, its support check and counter-evidence.

    Raises:
        GatewayFailed: The valid claims do not form a pattern.
    """
    theme_id = proposal.theme.id
    sources = {shown_case.case.id: shown_case.case for shown_case in proposal.shown_cases}
    proposed_draft = proposal.draft(proposal.claims, run_id=run_id, made_for=made_for)
    trial = ground(proposed_draft, sources, similarity=llm_session.similarity)
    claims = trial.draft.claims
    if not proposal.reason and not has_problem_and_solution(claims):
        raise GatewayFailed(pattern.PROMPT_ID, "the cases do not support its problem or its remedy")
    if trial.refused_claims:
        n, n_total = len(trial.refused_claims), len(proposed_draft.claims)
        notes.append(f"Theme {theme_id}: {n} of {n_total} claims of the model were refused.")
    draft = proposal.draft(claims, run_id=run_id, made_for=made_for)
    try:
        weak_lines = check_support(claims, llm_session.ask)
    except GatewayFailed as error:
        notes.append(f"Theme {theme_id}: the support check of its pattern failed: {error.reason}.")
        weak_lines = ()
    if weak_lines:
        draft = replace(draft, fields={**draft.fields, support_check.WEAK_SUPPORT_FIELD: weak_lines})
    members = [cases[case_id] for case_id in proposal.theme.case_ids]
    draft = with_recomputed_id(add_counter_evidence(draft, members))
    return ground(draft, {case.id: case for case in members}, similarity=llm_session.similarity)
