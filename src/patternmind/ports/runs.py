"""What a run is asked, what it leaves, and what people's edits put in its place."""

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
    """The modelling choices of a run, stored with it; ``afresh`` makes all fits anew, whatever the last run left."""

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
    """A run as the store knows it; ``state`` is running, finished, failed or interrupted."""

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
    """A theme as a run left it, in short."""

    id: str
    name: str
    n_cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """Everything a run found, handed over whole so that it can be stored in one transaction or not at all.

    ``themes`` include the dormant; ``areas`` map area id to its name; ``duplicate_of`` maps a near-duplicate to the
    case it repeats; ``found`` is what was there before people's decisions; ``decided`` the number of the last one of
    this lens that was reckoned with, None where nobody asked; ``fits`` what the next run of the lens may continue.
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
    """The last run of a lens as one more decision leaves it: what people see at once, without a run."""

    run_id: str
    themes: Sequence[Theme]
    areas: Mapping[str, str]
    assignments: Sequence[Assignment]
    drafts: Sequence[Draft]
    conflicts: Sequence[EditConflict] = ()
