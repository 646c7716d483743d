"""Pre-reading, recaps and notes on changes with what a language model adds; where it fails, as they are without one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.draft.change import change_of, draft_change, speaking
from patternmind.draft.evidence import ThemeEvidence
from patternmind.draft.prompted.change import propose_note
from patternmind.draft.prompted.prereading import propose_prereading
from patternmind.draft.prompted.recap import propose_bullets
from patternmind.draft.recap import BULLETS, draft_recap, recap_of, written_bullets
from patternmind.errors import GatewayFailed
from patternmind.ground import ground
from patternmind.model.cases import Case
from patternmind.model.drafts import Claim, Doubt, Draft, GroundedDraft
from patternmind.writing.asking import Writer


@dataclass(frozen=True, slots=True)
class Prose:
    """A grounded draft, and what its reader should know of how it was made."""

    grounded: GroundedDraft
    notes: tuple[str, ...] = ()


def write_prereading(
    evidence: ThemeEvidence, case: Case, plain: Draft, cases: Mapping[str, Case], writer: Writer | None
) -> Prose:
    """The pre-reading with the model's claims that stand on these cases; ``plain`` where it has none, or fails."""
    if writer is None:
        return Prose(ground(plain, cases))
    try:
        proposal = propose_prereading(evidence, case, plain, writer.ask)
    except GatewayFailed as failed:
        return Prose(ground(plain, cases), (f"Made with no AI used: {failed.reason}.",))
    run_id = plain.provenance.run_id
    sources = {one.id: one for one in proposal.shown}
    tried = ground(claims_only(proposal.claims, plain), sources)
    pages = ground(proposal.draft(tried.draft.claims, run_id=run_id), cases, similarity=writer.similarity)
    return Prose(pages, (*told_refused(tried), *told_weak(pages)))


def claims_only(claims: Sequence[Claim], of: Draft) -> Draft:
    """A draft that holds these claims and no other, to see which of them stand."""
    return replace(of, claims=tuple(claims), fields={})


def told_refused(tried: GroundedDraft) -> tuple[str, ...]:
    n = len(tried.refused)
    return (f"{n} of the model's sentences do not stand on the cases and were left out.",) if n else ()


def told_weak(pages: GroundedDraft) -> tuple[str, ...]:
    """Pages are printed without their flags, so whoever asked for them hears of them."""
    n = sum(flag.doubt is Doubt.WEAK_SUPPORT for flag in pages.flags)
    told = "One of the model's sentences is" if n == 1 else f"{n} of the model's sentences are"
    shown = f"`patternmind review show {pages.draft.id}` says which."
    return (f"{told} weakly supported by the quotes: {shown}",) if n else ()


def write_recap(recap: Case, linked: Sequence[Case], writer: Writer | None, *, run_id: str) -> Prose:
    """The five bullets: those of the sender as they are, the others by the model where there is one and they stand."""
    plain = draft_recap(recap, run_id=run_id)
    cases = {case.id: case for case in (recap, *linked)}
    own = written_bullets(recap)
    missing = set(BULLETS) - {claim.field for claim in own}
    if writer is None or not missing:
        return Prose(ground(plain, cases))
    try:
        claims, answer = propose_bullets(recap, linked, writer.ask)
    except GatewayFailed as failed:
        return Prose(ground(plain, cases), (f"Made with no AI used: {failed.reason}.",))
    tried = ground(claims_only([claim for claim in claims if claim.field in missing], plain), cases)
    draft = recap_of(recap, [*own, *tried.draft.claims], answer.provenance(run_id, list(cases.values())))
    return Prose(ground(draft, cases, similarity=writer.similarity), told_refused(tried))


def write_change(
    evidence: ThemeEvidence,
    counted: str,
    new: frozenset[str],
    cases: Mapping[str, Case],
    writer: Writer | None,
    *,
    run_id: str,
) -> Prose:
    """What is new in a theme: the counts, and what the new cases bring.

    Args:
        new: ids of the cases that are new in this period, of any theme.
    """
    plain = draft_change(evidence, counted, new, run_id=run_id)
    newer = [case.id for case in evidence.cases if case.id in new]
    if writer is None or not newer:
        return Prose(ground(plain, cases))
    earlier = [case.id for case in evidence.cases if case.id not in new]
    told = speaking(evidence, earlier), speaking(evidence, newer)
    try:
        claims, answer = propose_note(evidence.theme, counted, *told, writer.ask, n_newer=len(newer))
    except GatewayFailed as failed:
        return Prose(ground(plain, cases), (f"Made with no AI used: {failed.reason}.",))
    tried = ground(claims_only(claims, plain), {case.id: case for case in evidence.cases})
    shown = {sentence.case_id for sentences in told for sentence in sentences}
    provenance = answer.provenance(run_id, [case for case in evidence.cases if case.id in shown])
    draft = change_of(evidence.theme, counted, tried.draft.claims, provenance)
    return Prose(ground(draft, cases, similarity=writer.similarity), told_refused(tried))
