"""What a run found before people's decisions are laid over it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from patternmind.model.themes import Partition, Theme


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """The machine's own answer, kept beside the themes that people see.

    The next run continues it, so that a decision never changes what the machine finds, and taking the decision back
    gives exactly what would have been; and a decision is laid over it at once, without a run.

    Attributes:
        case_ids: row i of the partition is case i.
        theme_ids: the lasting theme of each cluster, by label; ``area_ids`` its lasting area.
        encoder: the id of the encoder that made the vectors it was found with.
        memory: every theme as the machine knows it, to be continued; without names.
        new_cases: those that were new in the period of the run.
        duplicate_of: near-duplicates under the run's lens, each with the case it repeats.
    """

    case_ids: tuple[str, ...]
    theme_ids: tuple[str, ...]
    area_ids: tuple[str, ...]
    partition: Partition
    encoder: str
    memory: tuple[Theme, ...] = ()
    new_cases: tuple[str, ...] = ()
    duplicate_of: Mapping[str, str] = field(default_factory=dict[str, str])
