"""Parameters, records and outcomes of runs, and the protocol of their repository."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from patternmind.domain.drafts import Draft
from patternmind.domain.edits import EditConflict
from patternmind.domain.machine_result import MachineResult
from patternmind.domain.read_models import Page
from patternmind.domain.stored_fits import StoredFits
from patternmind.domain.themes import Assignment, Theme, ThemeChange


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParameters:
    """Modelling choices of a run, stored with it.

    ``from_scratch`` computes all fits again instead of continuing those of the last run.
    """

    label: str = ""
    lens: str = "all"
    level: str = "theme"
    engine: str = "graph"
    seed: int = 0
    since: str | None = None
    draft: bool = True
    from_scratch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """Stored record of a run; ``state`` is running, finished, failed or interrupted."""

    id: str
    number: int
    parameters: RunParameters
    state: str
    started_at: datetime
    finished_at: datetime | None = None
    n_cases: int = 0
    n_themes: int = 0
    n_outliers: int = 0
    n_drafts: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    conflicts: tuple[EditConflict, ...] = ()


@dataclass(frozen=True, slots=True)
class ThemeSnapshot:
    """Short description of a theme after a run."""

    id: str
    name: str
    n_cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """Complete outcome of a run, to be stored in one transaction.

    Attributes:
        themes: includes dormant themes.
        areas: area names by id.
        duplicate_of: each near-duplicate with the case it repeats.
        machine_result: result before people's edits were applied.
        last_edit_seq: number of the last edit of this lens that was applied; None skips the check for newer edits.
        fits: fits that the next run of the lens can continue.
    """

    themes: Sequence[Theme]
    areas: Mapping[str, str]
    changes: Sequence[ThemeChange]
    assignments: Sequence[Assignment]
    duplicate_of: Mapping[str, str]
    drafts: Sequence[Draft]
    n_refused_claims: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: Sequence[str] = ()
    fingerprint: str = ""
    conflicts: Sequence[EditConflict] = ()
    machine_result: MachineResult | None = None
    last_edit_seq: int | None = None
    fits: StoredFits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRevision:
    """Last run of a lens after one more edit, visible immediately without another run."""

    run_id: str
    themes: Sequence[Theme]
    areas: Mapping[str, str]
    assignments: Sequence[Assignment]
    drafts: Sequence[Draft]
    conflicts: Sequence[EditConflict] = ()


class RunRepository(Protocol):
    """Runs with their assignments, machine results and fits; ``Store.finish_run`` stores an outcome."""

    def begin(self, parameters: RunParameters, now: datetime) -> RunRecord:
        """Start a run, and mark unfinished runs as interrupted, because their process is dead."""
        ...

    def fail(self, run_id: str, reason: str, now: datetime) -> None: ...

    def get(self, run_id: str) -> RunRecord:
        """Return one run.

        Raises:
            NotFound: the run does not exist.
        """
        ...

    def latest(self, lens: str | None = None) -> RunRecord | None:
        """Return the newest finished run, optionally of one lens."""
        ...

    def list_all(self) -> list[RunRecord]: ...

    def assignments(self, lens: str | None = None) -> list[Assignment]:
        """Return the assignments of the newest finished run of a lens, by case id."""
        ...

    def assignment_of(self, case_id: str, lens: str | None = None) -> Assignment | None:
        """Return a case's assignment in the last run of a lens; None if that run did not include it."""
        ...

    def assignment_page(
        self, lens: str | None = None, *, limit: int, cursor: str | None = None
    ) -> Page[tuple[str | None, Assignment]]:
        """Return the last run's assignments by case id, with the cases' external ids."""
        ...

    def theme_ids_by_case(self, run_id: str) -> dict[str, str | None]:
        """Return the theme of each case of a finished run, None without a theme."""
        ...

    def seen_case_ids(self, lens: str | None = None, *, up_to_number: int | None = None) -> set[str]:
        """Return the ids of all cases that finished runs included.

        Args:
            lens: only runs of this lens.
            up_to_number: only runs up to this number.
        """
        ...

    def moved_cases(self, run_id: str) -> list[tuple[str, str, str | None]]:
        """Return the cases that left their theme since the previous run of the lens.

        Rows are (case id, former theme, current theme or None), by case id, after people's edits of both runs.
        """
        ...

    def machine_result(self, run_id: str) -> MachineResult | None:
        """Return a run's result before people's edits.

        It is stored for the newest finished run of each lens only.
        """
        ...

    def stored_fits(self, lens: str) -> StoredFits | None:
        """Return the fits of the newest finished run of a lens; None if it stored no fits.

        They can be computed again, so damaged fits count as missing.
        """
        ...
