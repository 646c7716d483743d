"""Handlers of the job kinds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from patternmind.bootstrap import AppContext
from patternmind.domain.jobs import JobKind
from patternmind.ports import Progress, RunParameters, VectorIndex
from patternmind.services.prereadings import PrereadingRequest, create_prereading
from patternmind.services.search import embed_all_cases
from patternmind.storage.search.exact import ExactIndex


@dataclass(frozen=True, slots=True)
class JobResult:
    """The result of a job.

    Attributes:
        id: the id of the created run or pre-reading.
        notes: notes for the reader on how it was created.
        parameters: the parameters to keep with the finished job; text that is not needed any more is left out.
    """

    id: str
    notes: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])


def handle_run(ctx: AppContext, parameters: Mapping[str, Any], progress: Progress) -> JobResult:
    return JobResult(ctx.run(RunParameters(**parameters), progress=progress).id, parameters=parameters)


def handle_prereading(ctx: AppContext, parameters: Mapping[str, Any], progress: Progress) -> JobResult:
    progress("prepare", 0, 1)
    prereading = create_prereading(
        ctx.store,
        ctx.clock,
        ctx.encoder,
        PrereadingRequest(**parameters),
        get_index=lambda: exact_index(ctx, progress),
        llm=ctx.llm,
    )
    return JobResult(prereading.grounded.draft.id, prereading.notes)


def exact_index(ctx: AppContext, progress: Progress | None = None) -> VectorIndex:
    """Return an exact index of all cases; missing embeddings are computed first."""
    return ExactIndex(*embed_all_cases(ctx.store, ctx.encoder, progress=progress))


JOB_HANDLERS: Mapping[JobKind, Callable[[AppContext, Mapping[str, Any], Progress], JobResult]] = {
    JobKind.RUN: handle_run,
    JobKind.PREREADING: handle_prereading,
}
