"""Drafts from session recaps, and drafts about new cases in a theme."""

from dataclasses import dataclass

from patternmind.domain.cases import CaseKind
from patternmind.domain.drafts import GroundedDraft, ReviewedDraft
from patternmind.errors import NotFound, UsageError
from patternmind.lineage.explanation import explain_change
from patternmind.llm_drafting import LlmContext
from patternmind.llm_drafting.documents import DraftWithNotes, write_recap, write_theme_change
from patternmind.ports import Clock, Store
from patternmind.services.prereading_builder import find_theme, gather_theme_evidence, open_llm_session
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
    return _save_draft(store, clock, write_recap(recap, linked_cases, open_llm_session(store, llm), run_id=run_id))


def draft_theme_change(store: Store, clock: Clock, theme_id: str, *, llm: LlmContext | None = None) -> DraftResult:
    """Draft and store what the last run found new in a theme.

    Raises:
        NotFound: The last run of no lens has such a theme with cases.
    """
    theme = find_theme(store, theme_id)
    run = store.runs.latest(theme.lens) if theme else None
    if theme is None or run is None:
        raise NotFound("theme", theme_id)
    change = next((change for change in store.themes.changes(run.id) if change.theme_id == theme.id), None)
    names = store.themes.names(theme.lens)
    explanation = explain_change(change, names) if change else "The last run reported no change of this theme."
    cases = {case.id: case for case in store.cases.list_all()}
    evidence = gather_theme_evidence(store, theme, cases, theme.lens)
    machine_result = store.runs.machine_result(run.id)
    new_ids = frozenset(machine_result.new_cases if machine_result else ())
    prose = write_theme_change(evidence, explanation, new_ids, cases, open_llm_session(store, llm), run_id=run.id)
    return _save_draft(store, clock, prose)


def _save_draft(store: Store, clock: Clock, prose: DraftWithNotes) -> DraftResult:
    store.drafts.save_all([prose.grounded.draft], clock.now())
    return DraftResult(get_draft(store, prose.grounded.draft.id), prose.notes)
