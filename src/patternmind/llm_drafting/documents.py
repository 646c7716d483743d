"""Write pre-readings, recaps and theme change notes, with a language model if available."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Claim, Draft, FlagKind, GroundedDraft
from patternmind.drafting.evidence import ThemeEvidence
from patternmind.drafting.llm_proposals.prereading import propose_prereading
from patternmind.drafting.llm_proposals.recap import propose_bullets
from patternmind.drafting.llm_proposals.theme_change import propose_change_note
from patternmind.drafting.recap import BULLETS, build_recap_draft, draft_recap, sender_bullets
from patternmind.drafting.theme_change import build_change_draft, central_sentences, draft_theme_change
from patternmind.errors import GatewayFailed
from patternmind.grounding import ground
from patternmind.llm_drafting.session import LlmSession


@dataclass(frozen=True, slots=True)
class DraftWithNotes:
    """A grounded draft with notes to the reader on how it was made."""

    grounded: GroundedDraft
    notes: tuple[str, ...] = ()


def write_prereading(
    evidence: ThemeEvidence,
    case: Case,
    extractive_draft: Draft,
    cases: Mapping[str, Case],
    llm_session: LlmSession | None,
) -> DraftWithNotes:
    """Return the pre-reading with the model's grounded claims, or the extractive one."""
    if llm_session is None:
        return DraftWithNotes(ground(extractive_draft, cases))
    try:
        proposal = propose_prereading(evidence, case, extractive_draft, llm_session.ask)
    except GatewayFailed as error:
        return DraftWithNotes(ground(extractive_draft, cases), (failure_note(error),))
    run_id = extractive_draft.provenance.run_id
    sources = {shown_case.id: shown_case for shown_case in proposal.shown_cases}
    trial = ground(with_claims(proposal.claims, extractive_draft), sources)
    pages = ground(proposal.draft(trial.draft.claims, run_id=run_id), cases, similarity=llm_session.similarity)
    return DraftWithNotes(pages, (*refused_claim_notes(trial), *weak_support_notes(pages)))


def failure_note(error: GatewayFailed) -> str:
    return f"Made without AI: {error.reason}."


def with_claims(claims: Sequence[Claim], draft: Draft) -> Draft:
    """Return the draft with these claims only, to ground them separately."""
    return replace(draft, claims=tuple(claims), fields={})


def refused_claim_notes(grounded: GroundedDraft) -> tuple[str, ...]:
    n = len(grounded.refused_claims)
    return (f"{n} of the model's sentences were left out: the cases do not support them.",) if n else ()


def weak_support_notes(grounded: GroundedDraft) -> tuple[str, ...]:
    """Note the number of weakly supported sentences, because printed pages do not show flags."""
    n = sum(flag.doubt is FlagKind.WEAK_SUPPORT for flag in grounded.flags)
    subject = "One of the model's sentences is" if n == 1 else f"{n} of the model's sentences are"
    return (f"{subject} weakly supported by the quotes; see draft {grounded.draft.id}.",) if n else ()


def write_recap(
    recap: Case, linked_cases: Sequence[Case], llm_session: LlmSession | None, *, run_id: str
) -> DraftWithNotes:
    """Return the five bullets: the submitter's own unchanged, the missing ones from the model if available."""
    extractive_draft = draft_recap(recap, run_id=run_id)
    cases = {case.id: case for case in (recap, *linked_cases)}
    own = sender_bullets(recap)
    missing = set(BULLETS) - {claim.field for claim in own}
    if llm_session is None or not missing:
        return DraftWithNotes(ground(extractive_draft, cases))
    try:
        claims, answer = propose_bullets(recap, linked_cases, llm_session.ask)
    except GatewayFailed as error:
        return DraftWithNotes(ground(extractive_draft, cases), (failure_note(error),))
    trial = ground(with_claims([claim for claim in claims if claim.field in missing], extractive_draft), cases)
    draft = build_recap_draft(recap, [*own, *trial.draft.claims], answer.provenance(run_id, list(cases.values())))
    return DraftWithNotes(ground(draft, cases, similarity=llm_session.similarity), refused_claim_notes(trial))


def write_theme_change(
    evidence: ThemeEvidence,
    count_summary: str,
    new_case_ids: frozenset[str],
    cases: Mapping[str, Case],
    llm_session: LlmSession | None,
    *,
    run_id: str,
) -> DraftWithNotes:
    """Return the note on a theme's new cases, with counts.

    Args:
        new_case_ids: Ids of the cases that are new in this period, of any theme.
    """
    extractive_draft = draft_theme_change(evidence, count_summary, new_case_ids, run_id=run_id)
    newer_ids = [case.id for case in evidence.cases if case.id in new_case_ids]
    if llm_session is None or not newer_ids:
        return DraftWithNotes(ground(extractive_draft, cases))
    earlier_ids = [case.id for case in evidence.cases if case.id not in new_case_ids]
    earlier, newer = central_sentences(evidence, earlier_ids), central_sentences(evidence, newer_ids)
    try:
        claims, answer = propose_change_note(
            evidence.theme, count_summary, earlier, newer, llm_session.ask, n_newer=len(newer_ids)
        )
    except GatewayFailed as error:
        return DraftWithNotes(ground(extractive_draft, cases), (failure_note(error),))
    trial = ground(with_claims(claims, extractive_draft), {case.id: case for case in evidence.cases})
    input_ids = {sentence.case_id for sentence in (*earlier, *newer)}
    provenance = answer.provenance(run_id, [case for case in evidence.cases if case.id in input_ids])
    draft = build_change_draft(evidence.theme, count_summary, trial.draft.claims, provenance)
    return DraftWithNotes(ground(draft, cases, similarity=llm_session.similarity), refused_claim_notes(trial))
