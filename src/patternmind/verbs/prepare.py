"""Pre-reading for a theme, a topic or a case."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patternmind.draft.evidence import ThemeEvidence, gather_evidence
from patternmind.draft.keyphrases import PhraseCounts
from patternmind.draft.prereading import draft_prereading
from patternmind.errors import NotFound, UsageError
from patternmind.intake.redaction import Roster, redact_output
from patternmind.model.cases import Case
from patternmind.model.drafts import DraftKind, DraftState, GroundedDraft, ReviewedDraft
from patternmind.model.themes import Assignment, Theme
from patternmind.ports import Clock, Encoder, Store, VectorIndex
from patternmind.review import state_of
from patternmind.verbs.reviewing import open_drafts
from patternmind.writing import Namer, Writer
from patternmind.writing.prose import write_prereading

CLOSEST = 12
"""Cases read for a topic that is in no theme."""

MOST_PATTERNS = 2

WHOLE = "all"
"""The lens that reads all of a case."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """``theme`` is ``None`` where the topic is in no theme yet; ``patterns`` at most two, the accepted first.

    ``notes`` say where a model failed or was refused.
    """

    grounded: GroundedDraft
    theme: Theme | None
    patterns: tuple[ReviewedDraft, ...]
    cases: Mapping[str, Case]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    case: Case
    theme: Theme | None
    close: tuple[str, ...]


def by_theme(store: Store, theme_id: str) -> Subject:
    """The theme, of whichever lens, worked on through its most central case.

    Raises:
        NotFound: no such theme in the last run of any lens.
    """
    found = (one for lens in lenses_run(store) for one in store.themes(lens))
    theme = next((one for one in found if one.id == theme_id and one.case_ids), None)
    if theme is None:
        raise NotFound("theme", theme_id, "List them with `patternmind themes`.")
    return Subject(store.case((theme.exemplars or theme.case_ids)[0]), theme, theme.case_ids)


def by_case(store: Store, case_id: str) -> Subject:
    case = store.case(case_id)
    lenses = lenses_run(store)
    placed = store.place_of(case.id, lenses[0]) if lenses else None
    theme = next((one for one in _themes(store) if placed and one.id == placed.theme_id), None)
    return Subject(case, theme, theme.case_ids if theme else (case.id,))


def by_topic(store: Store, encoder: Encoder, index: VectorIndex, topic: str) -> Subject:
    """The case nearest to the topic, in the theme that most of the nearest cases are in.

    Raises:
        UsageError: nothing to look for, or nothing to look in.
    """
    if not topic.strip():
        raise UsageError("Say what the session is about.")
    hits = [hit.case_id for hit in index.search(encoder.encode([topic])[0], CLOSEST)]
    if not hits:
        raise UsageError("There are no cases yet. Take some in with `patternmind ingest`.")
    placed = {one.case_id: one.theme_id for one in _assignments(store)}
    votes = Counter(theme_id for case_id in hits[:5] if (theme_id := placed.get(case_id)))
    best = votes.most_common(1)[0][0] if votes else None
    theme = next((one for one in _themes(store) if one.id == best), None)
    in_theme = [case_id for case_id in hits if placed.get(case_id) == best] if theme else []
    case = store.case((in_theme or hits)[0])
    return Subject(case, theme, theme.case_ids if theme else tuple(hits))


def lenses_run(store: Store) -> list[str]:
    """The lenses that have themes: all of a case first, for whoever asks without naming one; then the last one run."""
    finished = (run.parameters.lens for run in reversed(store.runs()) if run.state == "finished")
    return sorted(dict.fromkeys(finished), key=lambda lens: lens != WHOLE)


def _themes(store: Store) -> list[Theme]:
    lenses = lenses_run(store)
    return store.themes(lenses[0]) if lenses else []


def _assignments(store: Store, lens: str | None = None) -> list[Assignment]:
    lenses = lenses_run(store)
    return store.assignments(lens or lenses[0]) if lenses else []


def prepare(
    store: Store,
    clock: Clock,
    subject: Subject,
    *,
    topic: str = "",
    session: str = "",
    date: str = "",
    namer: Namer | None = None,
) -> Prepared:
    """Draft, ground and keep the pre-reading of a session, by the model where there is one and it answers.

    Names in what was asked for do not get into it.
    """
    topic, session, date = redact_output([topic, session, date], Roster.of(store.roster()))
    cases = {case.id: case for case in store.cases()}
    evidence = _evidence(store, subject, cases, topic)
    last = store.last_run(subject.theme.lens if subject.theme else None)
    draft = draft_prereading(
        evidence, cases[subject.case.id], session=session, date=date, run_id=last.id if last else ""
    )
    writer = Writer(namer, Roster.of(store.roster())) if namer else None
    prose = write_prereading(evidence, cases[subject.case.id], draft, cases, writer)
    store.save_drafts([prose.grounded.draft], clock.now())
    return Prepared(prose.grounded, subject.theme, _patterns(store, subject.theme), cases, prose.notes)


def _evidence(store: Store, subject: Subject, cases: Mapping[str, Case], topic: str) -> ThemeEvidence:
    phrases = PhraseCounts({case.id: "\n".join(case.text.values()) for case in cases.values()})
    firmness = {one.case_id: one.strength for one in _assignments(store, subject.theme.lens if subject.theme else None)}
    theme = subject.theme or _unthemed(subject, topic)
    return gather_evidence(theme, cases, phrases=phrases.distinguishing(theme.case_ids), firmness=firmness)


def _unthemed(subject: Subject, topic: str) -> Theme:
    """The cases closest to a topic, held together for one pre-reading and never stored."""
    return Theme(
        id="", lens=WHOLE, area_id="", name=topic or subject.case.title, case_ids=subject.close,
        n_cases=len(subject.close), n_teams=0, n_contributors=0,
    )  # fmt: skip


def _patterns(store: Store, theme: Theme | None) -> tuple[ReviewedDraft, ...]:
    if theme is None:
        return ()
    order = [DraftState.FIELD_TESTED, DraftState.ACCEPTED, DraftState.IN_REVIEW, DraftState.CANDIDATE]
    found = [
        one
        for one in open_drafts(store, kind=DraftKind.PATTERN)
        if one.grounded.draft.theme_id == theme.id and state_of(one.decisions) in order and _has_solution(one)
    ]
    found.sort(key=lambda one: order.index(state_of(one.decisions)))
    return tuple(found[:MOST_PATTERNS])


def _has_solution(reviewed: ReviewedDraft) -> bool:
    return any(claim.field == "solution" for claim in reviewed.grounded.draft.claims)


__all__: Sequence[str] = ("Prepared", "Subject", "by_case", "by_theme", "by_topic", "prepare")
