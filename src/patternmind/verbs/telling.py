"""The recap of a session, and what is new in a theme: short texts that a person sends or reviews."""

from dataclasses import dataclass

from patternmind.carry.explain import explain
from patternmind.draft.evidence import gather_evidence
from patternmind.draft.keyphrases import PhraseCounts
from patternmind.errors import NotFound, UsageError
from patternmind.intake.redaction import Roster
from patternmind.model.cases import Kind
from patternmind.model.drafts import GroundedDraft, ReviewedDraft
from patternmind.model.themes import Theme
from patternmind.ports import Clock, RunRecord, Store
from patternmind.verbs.prepare import lenses_run
from patternmind.verbs.reviewing import open_draft
from patternmind.writing import Namer, Writer
from patternmind.writing.prose import Prose, write_change, write_recap


@dataclass(frozen=True, slots=True)
class Told:
    """A draft as it is kept, and what its reader should know of how it was made."""

    reviewed: ReviewedDraft
    notes: tuple[str, ...]

    @property
    def grounded(self) -> GroundedDraft:
        return self.reviewed.grounded


def tell_recap(store: Store, clock: Clock, recap_id: str, *, namer: Namer | None = None) -> Told:
    """The five bullets of a session that was taken in as a recap, kept as a draft.

    Raises:
        NotFound, UsageError: it is no recap.
    """
    recap = store.case(recap_id)
    if recap.kind is not Kind.RECAP:
        raise UsageError(f"{recap_id} is a case. Name a recap; take one in with `patternmind ingest --as recap`.")
    linked = {*recap.linked_cases}
    worked_on = [case for case in store.cases() if {case.id, case.external_id} & linked and case.id != recap.id]
    last = store.last_run()
    return _kept(store, clock, write_recap(recap, worked_on, _writer(store, namer), run_id=last.id if last else ""))


def tell_change(store: Store, clock: Clock, theme_id: str, *, namer: Namer | None = None) -> Told:
    """What the last run of its lens found new in a theme, kept as a draft.

    Raises:
        NotFound: no such theme with cases in the last run of any lens.
    """
    run, theme = _theme(store, theme_id)
    change = next((one for one in store.changes(run.id) if one.theme_id == theme.id), None)
    names = store.theme_names(theme.lens)
    counted = explain(change, names) if change else "The last run told no change of it."
    cases = {case.id: case for case in store.cases()}
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in cases.values()})
    firmness = {one.case_id: one.strength for one in store.assignments(theme.lens)}
    held = [id for id in theme.case_ids if id in cases]
    evidence = gather_evidence(theme, cases, phrases=phrases.distinguishing(held), firmness=firmness)
    found = store.found(run.id)
    new = frozenset(found.new_cases if found else ())
    writer = _writer(store, namer)
    return _kept(store, clock, write_change(evidence, counted, new, cases, writer, run_id=run.id))


def _theme(store: Store, theme_id: str) -> tuple[RunRecord, Theme]:
    for lens in lenses_run(store):
        run = store.last_run(lens)
        theme = next((one for one in store.themes(lens) if one.id == theme_id and one.case_ids), None)
        if run and theme:
            return run, theme
    raise NotFound("theme", theme_id, "List them with `patternmind themes`.")


def _writer(store: Store, namer: Namer | None) -> Writer | None:
    return Writer(namer, Roster.of(store.roster())) if namer else None


def _kept(store: Store, clock: Clock, prose: Prose) -> Told:
    store.save_drafts([prose.grounded.draft], clock.now())
    return Told(open_draft(store, prose.grounded.draft.id), prose.notes)
