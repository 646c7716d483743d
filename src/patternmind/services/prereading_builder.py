"""Pre-reading for a theme, a topic or a case."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patternmind.domain.cases import Case
from patternmind.domain.drafts import (
    Draft,
    DraftKind,
    DraftState,
    GroundedDraft,
    ReviewedDraft,
)
from patternmind.domain.themes import Assignment, Theme
from patternmind.drafting.evidence import ThemeEvidence, gather_evidence
from patternmind.drafting.identity import with_recomputed_id
from patternmind.drafting.keyphrases import PhraseCounts
from patternmind.drafting.prereading import draft_prereading
from patternmind.errors import NotFound, UsageError
from patternmind.grounding import ground
from patternmind.ingestion.redaction.redactor import redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.llm_drafting import LlmContext, LlmSession
from patternmind.llm_drafting.documents import write_prereading
from patternmind.ports import Clock, Encoder, Store, VectorIndex
from patternmind.review import state_of
from patternmind.services.reviews import list_all_drafts

N_CLOSEST_CASES = 12
"""Cases read for a topic that is in no theme."""

MAX_PATTERNS = 2

WHOLE_TEXT_LENS = "all"
"""The lens that reads all of a case."""


@dataclass(frozen=True, slots=True)
class PreparedPrereading:
    """``theme`` is ``None`` where the topic is in no theme yet; ``patterns`` at most two, the accepted first.

    ``notes`` say where a model failed or was refused.
    """

    grounded: GroundedDraft
    theme: Theme | None
    patterns: tuple[ReviewedDraft, ...]
    cases: Mapping[str, Case]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrereadingSubject:
    case: Case
    theme: Theme | None
    case_ids: tuple[str, ...]


def subject_from_theme(store: Store, theme_id: str) -> PrereadingSubject:
    """The theme, of whichever lens, worked on through its most central case.

    Raises:
        NotFound: no such theme in the last run of any lens.
    """
    found = (one for lens in list_lenses_with_runs(store) for one in store.themes(lens))
    theme = next((one for one in found if one.id == theme_id and one.case_ids), None)
    if theme is None:
        raise NotFound("theme", theme_id, "List them with `patternmind themes`.")
    return PrereadingSubject(store.case((theme.exemplars or theme.case_ids)[0]), theme, theme.case_ids)


def subject_from_case(store: Store, case_id: str) -> PrereadingSubject:
    case = store.case(case_id)
    lenses = list_lenses_with_runs(store)
    placed = store.place_of(case.id, lenses[0]) if lenses else None
    theme = next((one for one in _default_lens_themes(store) if placed and one.id == placed.theme_id), None)
    return PrereadingSubject(case, theme, theme.case_ids if theme else (case.id,))


def subject_from_topic(store: Store, encoder: Encoder, index: VectorIndex, topic: str) -> PrereadingSubject:
    """The case nearest to the topic, in the theme that most of the nearest cases are in.

    Raises:
        UsageError: nothing to look for, or nothing to look in.
    """
    if not topic.strip():
        raise UsageError("Say what the session is about.")
    hits = [hit.case_id for hit in index.search(encoder.encode([topic])[0], N_CLOSEST_CASES)]
    if not hits:
        raise UsageError("There are no cases yet. Take some in with `patternmind ingest`.")
    placed = {one.case_id: one.theme_id for one in _lens_assignments(store)}
    votes = Counter(theme_id for case_id in hits[:5] if (theme_id := placed.get(case_id)))
    best = votes.most_common(1)[0][0] if votes else None
    theme = next((one for one in _default_lens_themes(store) if one.id == best), None)
    in_theme = [case_id for case_id in hits if placed.get(case_id) == best] if theme else []
    case = store.case((in_theme or hits)[0])
    return PrereadingSubject(case, theme, theme.case_ids if theme else tuple(hits))


def list_lenses_with_runs(store: Store) -> list[str]:
    """The lenses that have themes: all of a case first, for whoever asks without naming one; then the last one run."""
    finished = (run.parameters.lens for run in reversed(store.runs()) if run.state == "finished")
    return sorted(dict.fromkeys(finished), key=lambda lens: lens != WHOLE_TEXT_LENS)


def _default_lens_themes(store: Store) -> list[Theme]:
    lenses = list_lenses_with_runs(store)
    return store.themes(lenses[0]) if lenses else []


def _lens_assignments(store: Store, lens: str | None = None) -> list[Assignment]:
    lenses = list_lenses_with_runs(store)
    return store.assignments(lens or lenses[0]) if lenses else []


def build_prereading(
    store: Store,
    clock: Clock,
    subject: PrereadingSubject,
    *,
    topic: str = "",
    session: str = "",
    date: str = "",
    leave_with: str = "",
    llm: LlmContext | None = None,
) -> PreparedPrereading:
    """Draft, ground and keep the pre-reading of a session, by the model where there is one and it answers.

    Names in what was asked for do not get into it.

    Args:
        leave_with: what the session will leave with, in a person's words; those of the draft where it is empty.
    """
    asked = [topic, session, date, leave_with]
    topic, session, date, leave_with = redact_values(asked, Roster.of(store.roster()))
    cases = {case.id: case for case in store.cases()}
    evidence = _gather_evidence(store, subject, cases, topic)
    last = store.last_run(subject.theme.lens if subject.theme else None)
    draft = draft_prereading(
        evidence, cases[subject.case.id], session=session, date=date, run_id=last.id if last else ""
    )
    writer = LlmSession(llm, Roster.of(store.roster())) if llm else None
    prose = write_prereading(evidence, cases[subject.case.id], draft, cases, writer)
    grounded = ground(_with_leave_with(prose.grounded.draft, leave_with), cases) if leave_with else prose.grounded
    store.save_drafts([grounded.draft], clock.now())
    return PreparedPrereading(
        grounded, subject.theme, find_patterns_for_theme(store, subject.theme), cases, prose.notes
    )


def _with_leave_with(draft: Draft, leave_with: str) -> Draft:
    """The draft with a person's own sentence for what the session leaves with, in place of any claim about it."""
    claims = tuple(claim for claim in draft.claims if claim.field != "leave_with")
    return with_recomputed_id(replace(draft, fields={**draft.fields, "leave_with": leave_with}, claims=claims))


def _gather_evidence(store: Store, subject: PrereadingSubject, cases: Mapping[str, Case], topic: str) -> ThemeEvidence:
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in cases.values()})
    firmness = {
        one.case_id: one.strength for one in _lens_assignments(store, subject.theme.lens if subject.theme else None)
    }
    theme = subject.theme or _ad_hoc_theme(subject, topic)
    return gather_evidence(theme, cases, phrases=phrases.distinctive_phrases(theme.case_ids), cohesion=firmness)


def _ad_hoc_theme(subject: PrereadingSubject, topic: str) -> Theme:
    """The cases closest to a topic, held together for one pre-reading and never stored."""
    return Theme(
        id="", lens=WHOLE_TEXT_LENS, area_id="", name=topic or subject.case.title, case_ids=subject.case_ids,
        n_cases=len(subject.case_ids), n_teams=0, n_contributors=0,
    )  # fmt: skip


def find_patterns_for_theme(store: Store, theme: Theme | None) -> tuple[ReviewedDraft, ...]:
    """The patterns worth a look beside a theme, at most two, the accepted first."""
    if theme is None:
        return ()
    order = [DraftState.FIELD_TESTED, DraftState.ACCEPTED, DraftState.IN_REVIEW, DraftState.CANDIDATE]
    found = [
        one
        for one in list_all_drafts(store, kind=DraftKind.PATTERN)
        if one.grounded.draft.theme_id == theme.id and state_of(one.decisions) in order and _has_solution(one)
    ]
    found.sort(key=lambda one: order.index(state_of(one.decisions)))
    return tuple(found[:MAX_PATTERNS])


def _has_solution(reviewed: ReviewedDraft) -> bool:
    return any(claim.field == "solution" for claim in reviewed.grounded.draft.claims)


__all__: Sequence[str] = (
    "PreparedPrereading",
    "PrereadingSubject",
    "build_prereading",
    "find_patterns_for_theme",
    "subject_from_case",
    "subject_from_theme",
    "subject_from_topic",
)
