"""Pre-reading, recaps and notes on changes with what a language model adds; where it fails, as they are without one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    Claim,
    Draft,
    FlagKind,
    GroundedDraft,
)
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.llm_proposals.prereading import propose_prereading
from patternmind.drafting.llm_proposals.recap import propose_bullets
from patternmind.drafting.llm_proposals.theme_change import propose_change_note
from patternmind.drafting.recap import (
    BULLETS,
    build_recap_draft,
    draft_recap,
    sender_bullets,
)
from patternmind.drafting.theme_change import build_change_draft, draft_theme_change, representative_sentences
from patternmind.errors import GatewayFailed
from patternmind.grounding import ground
from patternmind.llm_drafting.session import LlmSession


@dataclass(frozen=True, slots=True)
class DraftWithNotes:
    """A grounded draft, and what its reader should know of how it was made."""

    grounded: GroundedDraft
    notes: tuple[str, ...] = ()


def write_prereading(
    evidence: ThemeEvidence,
    case: Case,
    extractive_draft: Draft,
    cases: Mapping[str, Case],
    llm_session: LlmSession | None,
) -> DraftWithNotes:
    """The pre-reading with the model's claims that stand on these cases; ``plain`` where it has none, or fails."""
    if llm_session is None:
        return DraftWithNotes(ground(extractive_draft, cases))
    try:
        proposal = propose_prereading(evidence, case, extractive_draft, llm_session.ask)
    except GatewayFailed as failed:
        return DraftWithNotes(ground(extractive_draft, cases), (f"Made with no AI used: {failed.reason}.",))
    run_id = extractive_draft.provenance.run_id
    sources = {one.id: one for one in proposal.shown_cases}
    tried = ground(with_claims(proposal.claims, extractive_draft), sources)
    pages = ground(proposal.draft(tried.draft.claims, run_id=run_id), cases, similarity=llm_session.similarity)
    return DraftWithNotes(pages, (*refused_claim_notes(tried), *weak_support_notes(pages)))


def with_claims(claims: Sequence[Claim], draft: Draft) -> Draft:
    """A draft that holds these claims and no other, to see which of them stand."""
    return replace(draft, claims=tuple(claims), fields={})


def refused_claim_notes(grounded: GroundedDraft) -> tuple[str, ...]:
    n = len(grounded.refused_claims)
    return (f"{n} of the model's sentences do not stand on the cases and were left out.",) if n else ()


def weak_support_notes(grounded: GroundedDraft) -> tuple[str, ...]:
    """Pages are printed without their flags, so whoever asked for them hears of them."""
    n = sum(flag.doubt is FlagKind.WEAK_SUPPORT for flag in grounded.flags)
    told = "One of the model's sentences is" if n == 1 else f"{n} of the model's sentences are"
    shown = f"`patternmind review show {grounded.draft.id}` says which."
    return (f"{told} weakly supported by the quotes: {shown}",) if n else ()


def write_recap(
    recap: Case, linked_cases: Sequence[Case], llm_session: LlmSession | None, *, run_id: str
) -> DraftWithNotes:
    """The five bullets: those of the sender as they are, the others by the model where there is one and they stand."""
    plain = draft_recap(recap, run_id=run_id)
    cases = {case.id: case for case in (recap, *linked_cases)}
    own = sender_bullets(recap)
    missing = set(BULLETS) - {claim.field for claim in own}
    if llm_session is None or not missing:
        return DraftWithNotes(ground(plain, cases))
    try:
        claims, answer = propose_bullets(recap, linked_cases, llm_session.ask)
    except GatewayFailed as failed:
        return DraftWithNotes(ground(plain, cases), (f"Made with no AI used: {failed.reason}.",))
    tried = ground(with_claims([claim for claim in claims if claim.field in missing], plain), cases)
    draft = build_recap_draft(recap, [*own, *tried.draft.claims], answer.provenance(run_id, list(cases.values())))
    return DraftWithNotes(ground(draft, cases, similarity=llm_session.similarity), refused_claim_notes(tried))


def write_theme_change(
    evidence: ThemeEvidence,
    count_summary: str,
    new_case_ids: frozenset[str],
    cases: Mapping[str, Case],
    llm_session: LlmSession | None,
    *,
    run_id: str,
) -> DraftWithNotes:
    """What is new in a theme: the counts, and what the new cases bring.

    Args:
        new: ids of the cases that are new in this period, of any theme.
    """
    plain = draft_theme_change(evidence, count_summary, new_case_ids, run_id=run_id)
    newer = [case.id for case in evidence.cases if case.id in new_case_ids]
    if llm_session is None or not newer:
        return DraftWithNotes(ground(plain, cases))
    earlier = [case.id for case in evidence.cases if case.id not in new_case_ids]
    told = representative_sentences(evidence, earlier), representative_sentences(evidence, newer)
    try:
        claims, answer = propose_change_note(evidence.theme, count_summary, *told, llm_session.ask, n_newer=len(newer))
    except GatewayFailed as failed:
        return DraftWithNotes(ground(plain, cases), (f"Made with no AI used: {failed.reason}.",))
    tried = ground(with_claims(claims, plain), {case.id: case for case in evidence.cases})
    shown = {sentence.case_id for sentences in told for sentence in sentences}
    provenance = answer.provenance(run_id, [case for case in evidence.cases if case.id in shown])
    draft = build_change_draft(evidence.theme, count_summary, tried.draft.claims, provenance)
    return DraftWithNotes(ground(draft, cases, similarity=llm_session.similarity), refused_claim_notes(tried))
