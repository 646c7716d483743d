"""Drafts from session recaps, and drafts about new cases in a theme."""

from dataclasses import dataclass

from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import GroundedDraft, ReviewedDraft
from patternmind.domain.themes import Theme
from patternmind.drafting.evidence import gather_evidence
from patternmind.drafting.keyphrases import PhraseCounts
from patternmind.errors import NotFound, UsageError
from patternmind.ingestion.redaction.roster import Roster
from patternmind.lineage.explanation import explain_change
from patternmind.llm_drafting import LlmContext, LlmSession
from patternmind.llm_drafting.documents import DraftWithNotes, write_recap, write_theme_change
from patternmind.ports import Clock, RunRecord, Store
from patternmind.services.prereading_builder import list_lenses_with_runs
from patternmind.services.reviews import get_draft


@dataclass(frozen=True, slots=True)
class DraftResult:
    """A stored draft, and notes for its reader about how it was written."""

    reviewed: ReviewedDraft
    notes: tuple[str, ...]

    @property
    def grounded(self) -> GroundedDraft:
        return self.reviewed.grounded


def draft_from_recap(store: Store, clock: Clock, recap_id: str, *, llm: LlmContext | None = None) -> DraftResult:
    """Draft the five bullets of a session from its imported recap, and store them.

    Raises:
        NotFound
        UsageError: The id belongs to a case, not to a recap.
    """
    recap = store.cases.get(recap_id)
    if recap.kind is not CaseKind.RECAP:
        raise UsageError(f"{recap_id} is a case, not a recap. Give the id of an imported recap.")
    linked_ids = {*recap.linked_cases}
    linked_cases = [
        case for case in store.cases.list_all() if {case.id, case.external_id} & linked_ids and case.id != recap.id
    ]
    last_run = store.runs.latest()
    run_id = last_run.id if last_run else ""
    return _save_draft(store, clock, write_recap(recap, linked_cases, _llm_session(store, llm), run_id=run_id))


def draft_theme_change(store: Store, clock: Clock, theme_id: str, *, llm: LlmContext | None = None) -> DraftResult:
    """Draft and store what the last run found new in a theme.

    Raises:
        NotFound: The last run of no lens has such a theme with cases.
    """
    run, theme = _find_theme(store, theme_id)
    change = next((change for change in store.themes.changes(run.id) if change.theme_id == theme.id), None)
    names = store.themes.names(theme.lens)
    explanation = explain_change(change, names) if change else "The last run reported no change of this theme."
    cases = {case.id: case for case in store.cases.list_all()}
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in cases.values()})
    strengths = {assignment.case_id: assignment.strength for assignment in store.runs.assignments(theme.lens)}
    case_ids = [id for id in theme.case_ids if id in cases]
    evidence = gather_evidence(theme, cases, phrases=phrases.distinctive_phrases(case_ids), cohesion=strengths)
    machine_result = store.runs.machine_result(run.id)
    new_ids = frozenset(machine_result.new_cases if machine_result else ())
    prose = write_theme_change(evidence, explanation, new_ids, cases, _llm_session(store, llm), run_id=run.id)
    return _save_draft(store, clock, prose)


def _find_theme(store: Store, theme_id: str) -> tuple[RunRecord, Theme]:
    for lens in list_lenses_with_runs(store):
        run = store.runs.latest(lens)
        theme = next((theme for theme in store.themes.list_all(lens) if theme.id == theme_id and theme.case_ids), None)
        if run and theme:
            return run, theme
    raise NotFound("theme", theme_id)


def _llm_session(store: Store, llm: LlmContext | None) -> LlmSession | None:
    return LlmSession(llm, Roster.of(store.network.roster())) if llm else None


def _save_draft(store: Store, clock: Clock, prose: DraftWithNotes) -> DraftResult:
    store.drafts.save_all([prose.grounded.draft], clock.now())
    return DraftResult(get_draft(store, prose.grounded.draft.id), prose.notes)
