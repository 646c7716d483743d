"""Parameters, records and outcomes of runs, and revisions of a run by people's edits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from patternmind.domain.drafts import Draft
from patternmind.domain.edits import EditConflict
from patternmind.domain.machine_result import MachineResult
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
