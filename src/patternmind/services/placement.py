"""Placement of new cases in the themes of the last run, without a new run."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patternmind.clustering.partition import MIN_CASES
from patternmind.clustering.placement import MIN_FALLBACK_STRENGTH, Placement, PlacementModel, fit_placement, predict
from patternmind.domain.cases import Case
from patternmind.domain.edits import binding_edits
from patternmind.domain.themes import OUTLIER, Assignment, Lineage, OutlierReason, Theme, Vectors
from patternmind.edits import ResolvedEdits, resolve_edits
from patternmind.embedding.lenses import PERSON_PLACEHOLDER, check_lens, lens_text
from patternmind.embedding.vectors import embed_cases, text_hash
from patternmind.errors import ErrorCode, UsageError
from patternmind.ingestion.redaction.redactor import redact
from patternmind.ingestion.redaction.roster import Roster
from patternmind.ports import Encoder, Progress, RunRecord, Store

CHUNK_CASES = 512
"""Cases placed between two progress reports."""

N_SIMILAR_CASES = 3
"""Most similar cases listed for a placement."""


@dataclass(frozen=True, slots=True)
class ThemeSuggestion:
    """A theme that a case may belong to.

    ``strength``, 0..1, is about the share of such cases that the next run puts there.
    """

    theme_id: str
    name: str
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePlacement:
    """Theme of a case or a text. ``by`` is "run", "placing" or "person"; the next run always keeps "person".

    ``offers`` are the closest themes, best first, retired ones last. ``reason`` explains why the case is in no theme,
    or not in the theme that the data suggests. ``like`` are the ids of the most similar cases.
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
    """Places cases of one lens. Thread-safe; reads its data again after a run or edit."""

    def __init__(self, store: Store, encoder: Encoder, lens: str | None = None) -> None:
        """Create a placer for a lens; None selects the lens of the last run."""
        self._store, self._encoder = store, encoder
        self._lens = check_lens(lens) if lens is not None else None
        self._snapshot: _PlacementSnapshot | None = None
        self._lock = threading.Lock()

    def list_new_cases(self) -> list[Case]:
        """List the cases in the run's date range that came after it, by id."""
        snapshot = self._current_snapshot()
        since = snapshot.run.parameters.since
        return [case for case in self._store.cases.list_all(since=since) if case.id not in snapshot.assignments]

    def place_cases(self, case_ids: Sequence[str], *, progress: Progress | None = None) -> list[CasePlacement]:
        """Place stored cases, in the order given. Their vectors are stored for the next run.

        Args:
            case_ids: Ids or external ids.

        Raises:
            UsageError: The lens has no run, or its run used another encoder.
            NotFound: A case does not exist.
        """
        snapshot = self._current_snapshot()
        cases = [self._store.cases.get(case_id) for case_id in case_ids]
        return self._place_all(snapshot, cases, progress)

    def place_new_cases(self, *, progress: Progress | None = None) -> list[CasePlacement]:
        """Place every case that came after the last run, by id.

        Raises:
            UsageError: See ``place_cases``.
        """
        return self._place_all(self._current_snapshot(), self.list_new_cases(), progress)

    def place_text(self, text: str) -> CasePlacement:
        """Place a text. It is redacted as at import, and nothing is stored.

        Raises:
            UsageError: The text is empty; or see ``place_cases``.
        """
        if not text.strip():
            raise UsageError("Describe what happened, in a few words.", field="text")
        snapshot = self._current_snapshot()
        vectors = self._encoder.encode([PERSON_PLACEHOLDER.sub("somebody", redact(text, snapshot.roster).text)])
        prediction = predict(vectors, snapshot.model, excluded=snapshot.retired_labels)
        return snapshot.predicted_placement(prediction, 0)

    def _place_all(
        self, snapshot: "_PlacementSnapshot", cases: Sequence[Case], progress: Progress | None
    ) -> list[CasePlacement]:
        new = [case for case in cases if case.id not in snapshot.assignments]
        vectors = embed_cases(self._store, self._encoder, new, snapshot.run.parameters.lens, progress=progress)
        placements: dict[str, CasePlacement] = {}
        for start in range(0, len(new), CHUNK_CASES):
            chunk = new[start : start + CHUNK_CASES]
            prediction = predict(vectors[start : start + CHUNK_CASES], snapshot.model, excluded=snapshot.retired_labels)
            for row, case in enumerate(chunk):
                placements[case.id] = snapshot.place_case(case, prediction, row, placements)
            if progress:
                progress("place", start + len(chunk), len(new))
        return [placements.get(case.id) or snapshot.assigned_placement(case) for case in cases]

    def _current_snapshot(self) -> "_PlacementSnapshot":
        with self._lock:
            version = _current_version(self._store, self._encoder, self._lens)
            if self._snapshot is None or self._snapshot.version != version:
                self._snapshot = _load_snapshot(self._store, version, self._encoder.dimensions)
            return self._snapshot


@dataclass(frozen=True, slots=True)
class _SnapshotVersion:
    """Version of everything a snapshot depends on: run, edits, roster, removed cases and encoder."""

    run: RunRecord
    last_edit_seq: int
    roster_version: int
    n_removed: int
    encoder_id: str


def _current_version(store: Store, encoder: Encoder, lens: str | None) -> _SnapshotVersion:
    run = store.runs.latest(lens)
    if run is None:
        of_lens = f' of lens "{lens}"' if lens else ""
        raise UsageError(
            f"There has been no run{of_lens} yet, so there are no themes to place cases in. Start a run first.",
            code=ErrorCode.NO_RUN,
        )
    edits = store.edits.list_all(run.parameters.lens)
    return _SnapshotVersion(
        run, edits[-1].seq if edits else 0, len(store.network.roster()), store.vectors.version().n_removed, encoder.id
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlacementSnapshot:
    """The last run of a lens with its edits, ready to place cases. Label i of ``model`` is ``themes[i]``."""

    version: _SnapshotVersion
    model: PlacementModel
    case_ids: tuple[str, ...]
    themes: Sequence[Theme]
    theme_names: Mapping[str, str]
    retired_labels: frozenset[int]
    assignments: Mapping[str, Assignment]
    edit_rules: ResolvedEdits
    roster: Roster

    @property
    def run(self) -> RunRecord:
        return self.version.run

    def assigned_placement(self, case: Case) -> CasePlacement:
        """Return the assignment of a case by the last run and its edits."""
        assignment = self.assignments[case.id]
        return CasePlacement(
            by="run",
            case_id=case.id,
            external_id=case.external_id,
            theme_id=assignment.theme_id,
            theme=self.theme_names.get(assignment.theme_id or ""),
            strength=assignment.strength,
            second_theme_id=assignment.second_theme_id,
            nearest_theme_id=assignment.nearest_theme_id,
            reason=assignment.reason,
        )

    def predicted_placement(self, prediction: Placement, row: int) -> CasePlacement:
        """Return the placement of a row by the data alone."""
        offers = tuple(self._suggestions(prediction, row))
        label, second = int(prediction.labels[row]), int(prediction.second[row])
        theme = self.themes[label] if label != OUTLIER else None
        return CasePlacement(
            by="placing",
            theme_id=theme.id if theme else None,
            theme=theme.name if theme else None,
            strength=offers[0].strength if theme else 0.0,
            second_theme_id=self.themes[second].id if second != OUTLIER else None,
            nearest_theme_id=offers[0].theme_id if offers else None,
            offers=offers,
            reason="" if theme else self._outlier_reason(prediction, row),
            like=tuple(self.case_ids[int(near)] for near in prediction.closest_rows[row, :N_SIMILAR_CASES]),
        )

    def place_case(
        self, case: Case, prediction: Placement, row: int, placements: Mapping[str, CasePlacement]
    ) -> CasePlacement:
        """Place a new case by the data and people's edits. ``placements`` are those of the cases before it."""
        predicted = self.predicted_placement(prediction, row)
        theme_id, strength, reason = self._placement_by_edits(case, predicted, placements) or (
            predicted.theme_id,
            predicted.strength,
            predicted.reason,
        )
        return CasePlacement(
            by="placing" if (theme_id, reason) == (predicted.theme_id, predicted.reason) else "person",
            case_id=case.id,
            external_id=case.external_id,
            theme_id=theme_id,
            theme=self.theme_names.get(theme_id or ""),
            strength=strength,
            second_theme_id=predicted.second_theme_id if theme_id == predicted.theme_id else None,
            nearest_theme_id=theme_id or predicted.nearest_theme_id,
            offers=predicted.offers,
            reason=reason,
            like=predicted.like,
        )

    def _placement_by_edits(
        self, case: Case, predicted: CasePlacement, placements: Mapping[str, CasePlacement]
    ) -> tuple[str | None, float, str] | None:
        """Return theme, strength and reason that people's edits determine; None if the data decides."""
        rules = self.edit_rules
        if case.id in rules.required_theme:
            theme_id, edit = rules.required_theme[case.id]
            return theme_id, 1.0, f"held there by a person (decision {edit.seq})"
        companions = [id for id in rules.units.get(rules.unit_of.get(case.id, ""), ()) if id != case.id]
        theme_counts = Counter(theme_id for id in companions if (theme_id := self._current_theme_id(id, placements)))
        barred = self._barred_themes((case.id, *companions), placements)
        for theme_id in sorted(theme_counts, key=lambda theme: (-theme_counts[theme], theme)):
            if theme_id not in barred:
                return theme_id, 1.0, "kept together by a person"
        if predicted.theme_id not in barred:
            return None
        retired = {self.themes[label].id for label in self.retired_labels}
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
        return self.assignments[case_id].theme_id if case_id in self.assignments else None

    def _barred_themes(self, case_ids: Sequence[str], placements: Mapping[str, CasePlacement]) -> dict[str | None, str]:
        """Return the themes closed to a case and its bound companions, with reasons."""
        barred: dict[str | None, str] = {}
        for case_id in case_ids:
            for theme_id, edit in self.edit_rules.excluded_themes.get(case_id, {}).items():
                barred[theme_id] = f"moved out by a person (decision {edit.seq})"
        for edit in self.edit_rules.separations:
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
        if int(prediction.candidates[row, 0]) in self.retired_labels:
            return "the theme it comes nearest to is retired"
        if prediction.outlier_reason[row] == OutlierReason.BETWEEN:
            return "it lies between several themes"
        similarity, threshold = float(prediction.mean_similarity[row]), self.model.alone_below
        detail = f" ({similarity:.2f}; cases of themes have {threshold:.2f} and more)" if similarity < threshold else ""
        return f"not close enough to any other cases{detail}"


def _load_snapshot(store: Store, version: _SnapshotVersion, n_dimensions: int) -> _PlacementSnapshot:
    lens = version.run.parameters.lens
    machine_result = store.runs.machine_result(version.run.id)
    if machine_result is not None and machine_result.encoder != version.encoder_id:
        raise UsageError(
            "The last run used another encoder. Start a new run first, then place cases.", code=ErrorCode.OUTDATED_RUN
        )
    assignments = {assignment.case_id: assignment for assignment in store.runs.assignments(lens)}
    cases = [case for case in store.cases.list_all() if case.id in assignments]
    hashes = {case.id: text_hash(lens_text(case, lens)) for case in cases}
    vectors = store.vectors.get_many(version.encoder_id, list(hashes.values()))
    ids = [case.id for case in cases if hashes[case.id] in vectors]
    themes = [theme for theme in store.themes.list_all(lens) if theme.case_ids]
    outlier_reasons = (
        dict(zip(machine_result.case_ids, machine_result.partition.why.tolist(), strict=True)) if machine_result else {}
    )
    rows = [assignments[id] for id in ids]
    edit_rules = resolve_edits(binding_edits(store.edits.list_all(lens)))
    return _PlacementSnapshot(
        version=version,
        model=_fit_model([vectors[hashes[id]] for id in ids], rows, themes, outlier_reasons, n_dimensions),
        case_ids=tuple(ids),
        themes=themes,
        theme_names={theme.id: theme.name for theme in store.themes.list_all(lens)},
        retired_labels=frozenset(
            label
            for label, theme in enumerate(themes)
            if theme.lineage is Lineage.RETIRED or theme.id in edit_rules.retired
        ),
        assignments=assignments,
        edit_rules=edit_rules,
        roster=Roster.of(store.network.roster()),
    )


def _fit_model(
    vectors: Sequence[Vectors],
    assignments: Sequence[Assignment],
    themes: Sequence[Theme],
    reason_by_case: Mapping[str, int],
    n_dimensions: int,
) -> PlacementModel:
    """Fit the model to the assigned cases that have a vector.

    A case whose text changed since the run has no vector yet.
    """
    label_by_theme = {theme.id: number for number, theme in enumerate(themes)}
    labels = [
        label_by_theme.get(assignment.theme_id or assignment.nearest_theme_id or "", OUTLIER)
        for assignment in assignments
    ]
    reasons = [
        OutlierReason.PLACED
        if assignment.theme_id
        else reason_by_case.get(assignment.case_id, OutlierReason.ALONE) or OutlierReason.SMALL
        for assignment in assignments
    ]
    stacked: NDArray[np.float32] = np.stack(vectors) if vectors else np.zeros((0, n_dimensions), np.float32)
    strength = np.asarray([assignment.strength for assignment in assignments], np.float32)
    return fit_placement(stacked, np.asarray(labels, np.int32), strength, np.asarray(reasons, np.int8))
