"""What the long work does, and what of it is kept with the job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from patternmind.bootstrap import AppContext
from patternmind.domain.jobs import JobKind
from patternmind.ports import Progress, RunParameters, VectorIndex
from patternmind.services.prereadings import PrereadingRequest, create_prereading
from patternmind.services.search import embed_all_cases
from patternmind.storage.search.chroma import ExactIndex


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of a job. ``asked`` is what is left of the request: nothing of it is needed any more to do it again."""

    id: str
    notes: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])


def handle_run(ctx: AppContext, parameters: Mapping[str, Any], progress: Progress) -> JobResult:
    return JobResult(ctx.run(RunParameters(**parameters), progress=progress).id, parameters=parameters)


def handle_prereading(ctx: AppContext, parameters: Mapping[str, Any], progress: Progress) -> JobResult:
    progress("prepare", 0, 1)
    prepared = create_prereading(
        ctx.store,
        ctx.clock,
        ctx.encoder,
        PrereadingRequest(**parameters),
        get_index=lambda: exact_index(ctx, progress),
        llm=ctx.llm,
    )
    return JobResult(prepared.grounded.draft.id, prepared.notes)


def exact_index(ctx: AppContext, progress: Progress | None = None) -> VectorIndex:
    return ExactIndex(*embed_all_cases(ctx.store, ctx.encoder, progress=progress))


JOB_HANDLERS: Mapping[JobKind, Callable[[AppContext, Mapping[str, Any], Progress], JobResult]] = {
    JobKind.RUN: handle_run,
    JobKind.PREREADING: handle_prereading,
}
