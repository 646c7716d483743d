"""Pre-reading for a theme, a topic or a case."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from patternmind.domain.cases import Case
from patternmind.domain.drafts import Draft, DraftKind, DraftState, GroundedDraft, ReviewedDraft, state_of
from patternmind.domain.themes import Assignment, Theme
from patternmind.drafting.evidence import ThemeEvidence, gather_evidence
from patternmind.drafting.identity import with_recomputed_id
from patternmind.drafting.keyphrases import PhraseCounts
from patternmind.drafting.prereading import draft_prereading
from patternmind.errors import ErrorCode, NotFound, UsageError
from patternmind.grounding import ground
from patternmind.ingestion.redaction.redactor import redact_values
from patternmind.ingestion.redaction.roster import Roster
from patternmind.llm_drafting import LlmContext, LlmSession
from patternmind.llm_drafting.documents import write_prereading
from patternmind.ports import Clock, Encoder, Store, VectorIndex
from patternmind.services.reviews import list_all_drafts

N_CLOSEST_CASES = 12
"""Closest cases used for a topic that is in no theme."""

MAX_PATTERNS = 2

WHOLE_TEXT_LENS = "all"
"""The lens that reads all of a case."""


@dataclass(frozen=True, slots=True)
class PreparedPrereading:
    """A pre-reading with its sources. ``theme`` is None for a topic in no theme; at most two ``patterns``.

    ``notes`` report where a model failed or was refused.
    """

    grounded: GroundedDraft
    theme: Theme | None
    patterns: tuple[ReviewedDraft, ...]
    cases: Mapping[str, Case]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrereadingSubject:
    """The case a session works on, its theme, and the source cases' ids."""

    case: Case
    theme: Theme | None
    case_ids: tuple[str, ...]


def subject_from_theme(store: Store, theme_id: str) -> PrereadingSubject:
    """Return a theme of any lens as subject, with its most central case.

    Raises:
        NotFound: The last run of no lens has this theme.
    """
    theme = find_theme(store, theme_id)
    if theme is None:
        raise NotFound("theme", theme_id)
    return PrereadingSubject(store.cases.get((theme.exemplars or theme.case_ids)[0]), theme, theme.case_ids)


def find_theme(store: Store, theme_id: str | None) -> Theme | None:
    """Return the theme with this id, if it has cases; all lenses with a finished run are searched."""
    themes = (theme for lens in list_lenses_with_runs(store) for theme in store.themes.list_all(lens))
    return next((theme for theme in themes if theme.id == theme_id and theme.case_ids), None)


def subject_from_case(store: Store, case_id: str) -> PrereadingSubject:
    """Return a case as subject, with its theme if it is in one.

    Raises:
        NotFound
    """
    case = store.cases.get(case_id)
    lenses = list_lenses_with_runs(store)
    assignment = store.runs.assignment_of(case.id, lenses[0]) if lenses else None
    theme = next(
        (theme for theme in _default_lens_themes(store) if assignment and theme.id == assignment.theme_id), None
    )
    return PrereadingSubject(case, theme, theme.case_ids if theme else (case.id,))


def subject_from_topic(store: Store, encoder: Encoder, index: VectorIndex, topic: str) -> PrereadingSubject:
    """Return the case nearest to a topic, in the theme of most nearby cases.

    Raises:
        UsageError: The topic is empty, or there are no cases.
    """
    if not topic.strip():
        raise UsageError("Say what the session is about.", field="topic")
    hits = [hit.case_id for hit in index.search(encoder.encode([topic])[0], N_CLOSEST_CASES)]
    if not hits:
        raise UsageError("There are no cases yet. Import some first.", code=ErrorCode.NO_CASES)
    theme_by_case = {assignment.case_id: assignment.theme_id for assignment in _lens_assignments(store)}
    votes = Counter(theme_id for case_id in hits[:5] if (theme_id := theme_by_case.get(case_id)))
    best = votes.most_common(1)[0][0] if votes else None
    theme = next((theme for theme in _default_lens_themes(store) if theme.id == best), None)
    in_theme = [case_id for case_id in hits if theme_by_case.get(case_id) == best] if theme else []
    case = store.cases.get((in_theme or hits)[0])
    return PrereadingSubject(case, theme, theme.case_ids if theme else tuple(hits))


def list_lenses_with_runs(store: Store) -> list[str]:
    """List the lenses with a finished run: the whole-text lens first, then the most recent."""
    finished = (run.parameters.lens for run in reversed(store.runs.list_all()) if run.state == "finished")
    return sorted(dict.fromkeys(finished), key=lambda lens: lens != WHOLE_TEXT_LENS)


def _default_lens_themes(store: Store) -> list[Theme]:
    lenses = list_lenses_with_runs(store)
    return store.themes.list_all(lenses[0]) if lenses else []


def _lens_assignments(store: Store, lens: str | None = None) -> list[Assignment]:
    lenses = list_lenses_with_runs(store)
    return store.runs.assignments(lens or lenses[0]) if lenses else []


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
    """Draft, ground and store the pre-reading of a session; a model writes it if one is available.

    Names in the arguments are redacted.

    Args:
        leave_with: A person's words for what the session will leave with; empty keeps the draft's own.
    """
    texts = [topic, session, date, leave_with]
    topic, session, date, leave_with = redact_values(texts, Roster.of(store.network.roster()))
    cases = {case.id: case for case in store.cases.list_all()}
    lens = subject.theme.lens if subject.theme else None
    evidence = gather_theme_evidence(store, subject.theme or _ad_hoc_theme(subject, topic), cases, lens)
    last_run = store.runs.latest(lens)
    draft = draft_prereading(
        evidence, cases[subject.case.id], session=session, date=date, run_id=last_run.id if last_run else ""
    )
    prose = write_prereading(evidence, cases[subject.case.id], draft, cases, open_llm_session(store, llm))
    grounded = ground(_with_leave_with(prose.grounded.draft, leave_with), cases) if leave_with else prose.grounded
    store.drafts.save_all([grounded.draft], clock.now())
    return PreparedPrereading(
        grounded, subject.theme, find_patterns_for_theme(store, subject.theme), cases, prose.notes
    )


def _with_leave_with(draft: Draft, leave_with: str) -> Draft:
    """Replace the draft's ``leave_with`` sentence and its claims by a person's sentence."""
    claims = tuple(claim for claim in draft.claims if claim.field != "leave_with")
    return with_recomputed_id(replace(draft, fields={**draft.fields, "leave_with": leave_with}, claims=claims))


def open_llm_session(store: Store, llm: LlmContext | None) -> LlmSession | None:
    """Return a session that hides the roster's names from the model; None without a model."""
    return LlmSession(llm, Roster.of(store.network.roster())) if llm else None


def gather_theme_evidence(
    store: Store, theme: Theme, cases: Mapping[str, Case], lens: str | None = None
) -> ThemeEvidence:
    """Gather a theme's evidence; the strengths are those of the lens, by default of the first lens with a run."""
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in cases.values()})
    strengths = {assignment.case_id: assignment.strength for assignment in _lens_assignments(store, lens)}
    return gather_evidence(theme, cases, phrases=phrases.distinctive_phrases(theme.case_ids), cohesion=strengths)


def _ad_hoc_theme(subject: PrereadingSubject, topic: str) -> Theme:
    """Make a theme of the cases closest to a topic; it is never stored."""
    return Theme(
        id="", lens=WHOLE_TEXT_LENS, area_id="", name=topic or subject.case.title, case_ids=subject.case_ids,
        n_cases=len(subject.case_ids), n_teams=0, n_contributors=0,
    )  # fmt: skip


def find_patterns_for_theme(store: Store, theme: Theme | None) -> tuple[ReviewedDraft, ...]:
    """Find at most two patterns of a theme that have a solution, accepted ones first."""
    if theme is None:
        return ()
    order = [DraftState.FIELD_TESTED, DraftState.ACCEPTED, DraftState.IN_REVIEW, DraftState.CANDIDATE]
    patterns = [
        reviewed
        for reviewed in list_all_drafts(store, kind=DraftKind.PATTERN)
        if reviewed.grounded.draft.theme_id == theme.id
        and state_of(reviewed.decisions) in order
        and _has_solution(reviewed)
    ]
    patterns.sort(key=lambda reviewed: order.index(state_of(reviewed.decisions)))
    return tuple(patterns[:MAX_PATTERNS])


def _has_solution(reviewed: ReviewedDraft) -> bool:
    return any(claim.field == "solution" for claim in reviewed.grounded.draft.claims)
