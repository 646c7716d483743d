"""What the long work does, and what of it is kept with the job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from patternmind.adapters.index import ExactIndex
from patternmind.bootstrap import House
from patternmind.model.jobs import JobKind
from patternmind.ports import Progress, RunParameters, VectorIndex
from patternmind.verbs.prereadings import Wish, fulfil
from patternmind.verbs.search import index_vectors


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a job. ``asked`` is what is left of the request: nothing of it is needed any more to do it again."""

    id: str
    notes: tuple[str, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict[str, Any])


def run(house: House, asked: Mapping[str, Any], progress: Progress) -> Made:
    return Made(house.run(RunParameters(**asked), progress=progress).id, asked=asked)


def write_prereading(house: House, asked: Mapping[str, Any], progress: Progress) -> Made:
    progress("prepare", 0, 1)
    prepared = fulfil(
        house.store,
        house.clock,
        house.encoder,
        Wish(**asked),
        index=lambda: index_over_rows(house, progress),
        namer=house.namer,
    )
    return Made(prepared.grounded.draft.id, prepared.notes)


def index_over_rows(house: House, progress: Progress | None = None) -> VectorIndex:
    return ExactIndex(*index_vectors(house.store, house.encoder, progress=progress))


WORK: Mapping[JobKind, Callable[[House, Mapping[str, Any], Progress], Made]] = {
    JobKind.RUN: run,
    JobKind.PREREADING: write_prereading,
}
