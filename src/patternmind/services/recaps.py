"""The recap of a session, and what is new in a theme: short texts that a person sends or reviews."""

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
    """A draft as it is kept, and what its reader should know of how it was made."""

    reviewed: ReviewedDraft
    notes: tuple[str, ...]

    @property
    def grounded(self) -> GroundedDraft:
        return self.reviewed.grounded


def draft_from_recap(store: Store, clock: Clock, recap_id: str, *, llm: LlmContext | None = None) -> DraftResult:
    """The five bullets of a session that was taken in as a recap, kept as a draft.

    Raises:
        NotFound, UsageError: it is no recap.
    """
    recap = store.case(recap_id)
    if recap.kind is not CaseKind.RECAP:
        raise UsageError(f"{recap_id} is a case. Name a recap; take one in with `patternmind ingest --as recap`.")
    linked = {*recap.linked_cases}
    worked_on = [case for case in store.cases() if {case.id, case.external_id} & linked and case.id != recap.id]
    last = store.last_run()
    return _save_draft(
        store, clock, write_recap(recap, worked_on, _llm_session(store, llm), run_id=last.id if last else "")
    )


def draft_theme_change(store: Store, clock: Clock, theme_id: str, *, llm: LlmContext | None = None) -> DraftResult:
    """What the last run of its lens found new in a theme, kept as a draft.

    Raises:
        NotFound: no such theme with cases in the last run of any lens.
    """
    run, theme = _find_theme(store, theme_id)
    change = next((one for one in store.changes(run.id) if one.theme_id == theme.id), None)
    names = store.theme_names(theme.lens)
    counted = explain_change(change, names) if change else "The last run told no change of it."
    cases = {case.id: case for case in store.cases()}
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in cases.values()})
    firmness = {one.case_id: one.strength for one in store.assignments(theme.lens)}
    held = [id for id in theme.case_ids if id in cases]
    evidence = gather_evidence(theme, cases, phrases=phrases.distinctive_phrases(held), cohesion=firmness)
    found = store.found(run.id)
    new = frozenset(found.new_cases if found else ())
    writer = _llm_session(store, llm)
    return _save_draft(store, clock, write_theme_change(evidence, counted, new, cases, writer, run_id=run.id))


def _find_theme(store: Store, theme_id: str) -> tuple[RunRecord, Theme]:
    for lens in list_lenses_with_runs(store):
        run = store.last_run(lens)
        theme = next((one for one in store.themes(lens) if one.id == theme_id and one.case_ids), None)
        if run and theme:
            return run, theme
    raise NotFound("theme", theme_id, "List them with `patternmind themes`.")


def _llm_session(store: Store, llm: LlmContext | None) -> LlmSession | None:
    return LlmSession(llm, Roster.of(store.roster())) if llm else None


def _save_draft(store: Store, clock: Clock, prose: DraftWithNotes) -> DraftResult:
    store.save_drafts([prose.grounded.draft], clock.now())
    return DraftResult(get_draft(store, prose.grounded.draft.id), prose.notes)
