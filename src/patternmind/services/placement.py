"""Where new cases belong, at once and without a run: among the themes of the last run, as people see them."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.partition import MIN_CASES
from patternmind.clustering.placement import (
    MIN_FALLBACK_STRENGTH,
    Placement,
    PlacementModel,
    fit_placement,
    predict,
)
from patternmind.domain.cases import Case
from patternmind.domain.edits import binding_edits
from patternmind.domain.themes import (
    OUTLIER,
    Assignment,
    Lineage,
    OutlierReason,
    Theme,
    Vectors,
)
from patternmind.edits import ResolvedEdits, resolve_edits
from patternmind.embedding.lenses import (
    PERSON_PLACEHOLDER,
    check_lens,
    lens_text,
    text_hash,
)
from patternmind.errors import UsageError
from patternmind.ingestion.redaction.redactor import redact
from patternmind.ingestion.redaction.roster import Roster
from patternmind.pipeline import embed_cases
from patternmind.ports import Encoder, Progress, RunRecord, Store

CHUNK_CASES = 512
"""Cases placed between two words about progress."""

N_SIMILAR_CASES = 3
"""Cases named as the ones most like it."""


@dataclass(frozen=True, slots=True)
class ThemeSuggestion:
    """A theme that a case may belong to; ``strength`` 0..1 is about how often the next run puts such a case there."""

    theme_id: str
    name: str
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePlacement:
    """Where a case or a text belongs. ``by`` is "run", "placing" or "person"; the next run decides anew but for people.

    ``offers`` are the themes it comes near, best first, retired ones last; ``reason`` says why it is in none, or why it
    is elsewhere than the data would have it; ``like`` are the ids of the cases most like it.
    """

    by: str
    case_id: str | None = None
    external_id: str | None = None
    theme_id: str | None = None
    theme: str | None = None
    strength: float = 0.0
    second_theme_id: str | None = None
    nearest_theme_id: str | None = None
    offers: tuple[ThemeSuggestion, ...] = ()
    reason: str = ""
    like: tuple[str, ...] = ()


class Placer:
    """Places cases of one lens. What the last run said is read once, and again when there is a newer run or decision.

    Safe to be asked by several threads.
    """

    def __init__(self, store: Store, encoder: Encoder, lens: str | None = None) -> None:
        """``lens`` None means that of the last run."""
        self._store, self._encoder = store, encoder
        self._lens = check_lens(lens) if lens is not None else None
        self._snapshot: _PlacementSnapshot | None = None
        self._lock = threading.Lock()

    def list_new_cases(self) -> list[Case]:
        """The cases that came since the last run of the lens, of those it would have looked at; by id."""
        desk = self._refreshed()
        return [case for case in self._store.cases(since=desk.run.parameters.since) if case.id not in desk.stands]

    def place_cases(self, case_ids: Sequence[str], *, progress: Progress | None = None) -> list[CasePlacement]:
        """Where stored cases are or belong, in the order asked; their vectors are kept for the next run.

        Args:
            case_ids: ids or external ids.

        Raises:
            UsageError: there is no run to place them by, or it does not fit any more.
            NotFound: no such case.
        """
        desk = self._refreshed()
        cases = [self._store.case(case_id) for case_id in case_ids]
        return self._place_all(desk, cases, progress)

    def place_new_cases(self, *, progress: Progress | None = None) -> list[CasePlacement]:
        """Where every case belongs that came since the last run; by id.

        Raises:
            UsageError: as for ``place_cases``.
        """
        return self._place_all(self._refreshed(), self.list_new_cases(), progress)

    def place_text(self, text: str) -> CasePlacement:
        """Where a text would belong; it is redacted as at intake, and nothing is stored.

        Raises:
            UsageError: as for ``place_cases``, or there is nothing to place.
        """
        if not text.strip():
            raise UsageError("Say what happened, in a few words.", field="text")
        desk = self._refreshed()
        vectors = self._encoder.encode([PERSON_PLACEHOLDER.sub("somebody", redact(text, desk.roster).text)])
        found = predict(vectors, desk.known, excluded=desk.closed)
        return desk.read(found, 0)

    def _place_all(
        self, snapshot: "_PlacementSnapshot", cases: Sequence[Case], progress: Progress | None
    ) -> list[CasePlacement]:
        new = [case for case in cases if case.id not in snapshot.stands]
        vectors = embed_cases(self._store, self._encoder, new, snapshot.run.parameters.lens, progress=progress)
        placed: dict[str, CasePlacement] = {}
        for start in range(0, len(new), CHUNK_CASES):
            chunk = new[start : start + CHUNK_CASES]
            found = predict(vectors[start : start + CHUNK_CASES], snapshot.known, excluded=snapshot.closed)
            for row, case in enumerate(chunk):
                placed[case.id] = snapshot.decide(case, found, row, placed)
            if progress:
                progress("place", start + len(chunk), len(new))
        return [placed.get(case.id) or snapshot.assigned_placement(case) for case in cases]

    def _refreshed(self) -> "_PlacementSnapshot":
        with self._lock:
            stamp = _current_version(self._store, self._encoder, self._lens)
            if self._snapshot is None or self._snapshot.stamp != stamp:
                self._snapshot = _load_snapshot(self._store, stamp, self._encoder.dimensions)
            return self._snapshot


@dataclass(frozen=True, slots=True)
class _SnapshotVersion:
    """What a change of which makes the desk stale: the run, the decisions, the people whose names are taken out,
    the cases erased or withdrawn."""

    run: RunRecord
    last_edit_seq: int
    roster_version: int
    n_removed: int
    encoder_id: str


def _current_version(store: Store, encoder: Encoder, lens: str | None) -> _SnapshotVersion:
    run = store.last_run(lens)
    if run is None:
        whose = f' of lens "{lens}"' if lens else ""
        raise UsageError(
            f"There has been no run{whose} yet, so there are no themes to place by. Start `patternmind run`."
        )
    edits = store.edits(run.parameters.lens)
    return _SnapshotVersion(
        run, edits[-1].seq if edits else 0, len(store.roster()), store.vector_version().n_removed, encoder.id
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlacementSnapshot:
    """The last run of a lens as people see it, ready to place by. Label i of ``known`` is ``themes[i]``."""

    stamp: _SnapshotVersion
    known: PlacementModel
    case_ids: tuple[str, ...]
    themes: Sequence[Theme]
    names: Mapping[str, str]
    closed: frozenset[int]
    stands: Mapping[str, Assignment]
    decisions: ResolvedEdits
    roster: Roster

    @property
    def run(self) -> RunRecord:
        return self.stamp.run

    def assigned_placement(self, case: Case) -> CasePlacement:
        """Where the last run and people put a case."""
        one = self.stands[case.id]
        return CasePlacement(
            by="run",
            case_id=case.id,
            external_id=case.external_id,
            theme_id=one.theme_id,
            theme=self.names.get(one.theme_id or ""),
            strength=one.strength,
            second_theme_id=one.second_theme_id,
            nearest_theme_id=one.nearest_theme_id,
            reason=one.reason,
        )

    def read(self, found: Placement, row: int) -> CasePlacement:
        """What the data say of a row."""
        offers = tuple(self._suggestions(found, row))
        label, second = int(found.labels[row]), int(found.second[row])
        theme = self.themes[label] if label != OUTLIER else None
        return CasePlacement(
            by="placing",
            theme_id=theme.id if theme else None,
            theme=theme.name if theme else None,
            strength=offers[0].strength if theme else 0.0,
            second_theme_id=self.themes[second].id if second != OUTLIER else None,
            nearest_theme_id=offers[0].theme_id if offers else None,
            offers=offers,
            reason="" if theme else self._outlier_reason(found, row),
            like=tuple(self.case_ids[int(near)] for near in found.closest_rows[row, :N_SIMILAR_CASES]),
        )

    def decide(self, case: Case, found: Placement, row: int, placed: Mapping[str, CasePlacement]) -> CasePlacement:
        """What the data say of a new case, people's decisions about it kept. ``placed`` are those placed before it."""
        told = self.read(found, row)
        theme_id, strength, reason = self._placement_by_edits(case, told, placed) or (
            told.theme_id,
            told.strength,
            told.reason,
        )
        return CasePlacement(
            by="placing" if (theme_id, reason) == (told.theme_id, told.reason) else "person",
            case_id=case.id,
            external_id=case.external_id,
            theme_id=theme_id,
            theme=self.names.get(theme_id or ""),
            strength=strength,
            second_theme_id=told.second_theme_id if theme_id == told.theme_id else None,
            nearest_theme_id=theme_id or told.nearest_theme_id,
            offers=told.offers,
            reason=reason,
            like=told.like,
        )

    def _placement_by_edits(
        self, case: Case, predicted: CasePlacement, placements: Mapping[str, CasePlacement]
    ) -> tuple[str | None, float, str] | None:
        """Where decisions put a case, how firmly and why; None where they leave it to the data."""
        decisions = self.decisions
        if case.id in decisions.required_theme:
            theme_id, edit = decisions.required_theme[case.id]
            return theme_id, 1.0, f"held there by a person (decision {edit.seq})"
        company = [id for id in decisions.units.get(decisions.unit_of.get(case.id, ""), ()) if id != case.id]
        homes = Counter(theme_id for id in company if (theme_id := self._current_theme_id(id, placements)))
        barred = self._barred_themes((case.id, *company), placements)
        for theme_id in sorted(homes, key=lambda home: (-homes[home], home)):
            if theme_id not in barred:
                return theme_id, 1.0, "kept together by a person"
        if predicted.theme_id not in barred:
            return None
        retired = {self.themes[label].id for label in self.closed}
        for offer in predicted.offers:
            if (
                offer.theme_id not in barred
                and offer.theme_id not in retired
                and offer.strength >= MIN_FALLBACK_STRENGTH
            ):
                return offer.theme_id, offer.strength, barred[predicted.theme_id]
        return None, 0.0, barred[predicted.theme_id]

    def _current_theme_id(self, case_id: str, placements: Mapping[str, CasePlacement]) -> str | None:
        if case_id in placements:
            return placements[case_id].theme_id
        return self.stands[case_id].theme_id if case_id in self.stands else None

    def _barred_themes(self, case_ids: Sequence[str], placements: Mapping[str, CasePlacement]) -> dict[str | None, str]:
        """Themes that a case and those bound to it must not be in, each with the reason."""
        barred: dict[str | None, str] = {}
        for case_id in case_ids:
            for theme_id, edit in self.decisions.excluded_themes.get(case_id, {}).items():
                barred[theme_id] = f"moved out by a person (decision {edit.seq})"
        for edit in self.decisions.separations:
            if set(case_ids) & set(edit.case_ids):
                for other in set(edit.case_ids) - set(case_ids):
                    if theme_id := self._current_theme_id(other, placements):
                        barred[theme_id] = f"kept apart by a person (decision {edit.seq})"
        return barred

    def _suggestions(self, prediction: Placement, row: int) -> Iterator[ThemeSuggestion]:
        for label, strength in zip(prediction.candidates[row], prediction.strength[row], strict=True):
            if label != OUTLIER:
                theme = self.themes[int(label)]
                yield ThemeSuggestion(theme.id, theme.name, round(float(strength), 4))

    def _outlier_reason(self, prediction: Placement, row: int) -> str:
        if not self.themes:
            return "too few cases to group" if self.run.n_cases < MIN_CASES else "nothing recurs yet"
        if int(prediction.candidates[row, 0]) in self.closed:
            return "the theme it comes nearest to is retired"
        if prediction.outlier_reason[row] == OutlierReason.BETWEEN:
            return "it lies between several themes"
        near, usual = float(prediction.mean_similarity[row]), self.known.alone_below
        told = f" ({near:.2f}; cases of themes have {usual:.2f} and more)" if near < usual else ""
        return f"not close enough to any other cases{told}"


def _load_snapshot(store: Store, version: _SnapshotVersion, n_dimensions: int) -> _PlacementSnapshot:
    lens = version.run.parameters.lens
    found = store.found(version.run.id)
    if found is not None and found.encoder != version.encoder_id:
        raise UsageError("The last run was made with another encoder. Run `patternmind run` first, then place.")
    stands = {one.case_id: one for one in store.assignments(lens)}
    cases = [case for case in store.cases() if case.id in stands]
    hashes = {case.id: text_hash(lens_text(case, lens)) for case in cases}
    known = store.vectors(version.encoder_id, list(hashes.values()))
    ids = [case.id for case in cases if hashes[case.id] in known]
    themes = [theme for theme in store.themes(lens) if theme.case_ids]
    why = dict(zip(found.case_ids, found.partition.why.tolist(), strict=True)) if found else {}
    rows = [stands[id] for id in ids]
    decisions = resolve_edits(binding_edits(store.edits(lens)))
    return _PlacementSnapshot(
        stamp=version,
        known=_fit_model([known[hashes[id]] for id in ids], rows, themes, why, n_dimensions),
        case_ids=tuple(ids),
        themes=themes,
        names={theme.id: theme.name for theme in store.themes(lens)},
        closed=frozenset(
            label
            for label, theme in enumerate(themes)
            if theme.lineage is Lineage.RETIRED or theme.id in decisions.retired
        ),
        stands=stands,
        decisions=decisions,
        roster=Roster.of(store.roster()),
    )


def _fit_model(
    vectors: Sequence[Vectors],
    assignments: Sequence[Assignment],
    themes: Sequence[Theme],
    reason_by_case: Mapping[str, int],
    n_dimensions: int,
) -> PlacementModel:
    """The cases as people see them; one whose text changed since the run has no vector yet and is not among them."""
    label = {theme.id: number for number, theme in enumerate(themes)}
    home = [label.get(one.theme_id or one.nearest_theme_id or "", OUTLIER) for one in assignments]
    reasons = [
        OutlierReason.PLACED
        if one.theme_id
        else reason_by_case.get(one.case_id, OutlierReason.ALONE) or OutlierReason.SMALL
        for one in assignments
    ]
    stacked: NDArray[np.float32] = np.stack(vectors) if vectors else np.zeros((0, n_dimensions), np.float32)
    strength = np.asarray([one.strength for one in assignments], np.float32)
    return fit_placement(stacked, np.asarray(home, np.int32), strength, np.asarray(reasons, np.int8))


__all__ = ["CasePlacement", "Placer", "ThemeSuggestion"]
