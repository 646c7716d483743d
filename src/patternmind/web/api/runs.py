"""Runs: start, restart, list, changes, costs and comparison."""

import datetime as dt
from dataclasses import asdict

from fastapi import Response
from pydantic import AliasPath, Field, StrictBool, StrictInt

from patternmind.domain.jobs import JobKind
from patternmind.domain.permissions import Action
from patternmind.domain.themes import Lineage
from patternmind.ports import RunParameters
from patternmind.services.run_comparison import compare_runs, get_run_spending
from patternmind.services.validation import validate_run_parameters
from patternmind.web.api.jobs import JobResponse, RunResponse, accepted_job_response
from patternmind.web.api.schemas import EngineName, LevelName, ListResponse, RequestModel, ResponseModel
from patternmind.web.dependencies import CallerDep, ContextDep, JobRunnerDep
from patternmind.web.lens import LensName
from patternmind.web.routing import ApiRouter

router = ApiRouter("runs")


class RunRequest(RequestModel):
    """Settings of a run; all are optional."""

    label: str = Field(default="", max_length=40, description="Label of the period, such as 2026Q4.")
    lens: LensName = Field(default="all", description="Part of a case to compare.")
    level: LevelName = "theme"
    engine: EngineName = "graph"
    seed: StrictInt = Field(default=0, ge=0, le=2**31 - 1, description="Same cases and seed give the same themes.")
    since: dt.date | None = Field(
        default=None, description="Only cases dated on or after this day, and cases without a date."
    )
    draft: StrictBool = Field(default=True, description="Draft candidate patterns.")
    from_scratch: StrictBool = Field(
        default=False, description="Recompute all clusters instead of updating those of the last run."
    )


class TaskCostResponse(ResponseModel):
    """Language model use of a run for one task."""

    task: str
    n_calls: int = Field(serialization_alias="asked")
    cached: int = Field(validation_alias="n_cached")
    failed: int = Field(validation_alias="n_failed")
    requests: int = Field(validation_alias="n_requests")
    tokens_in: int = Field(validation_alias="n_tokens_in")
    tokens_out: int = Field(validation_alias="n_tokens_out")
    cost_usd: float


class FailedCallResponse(ResponseModel):
    """A language model call without a usable result; the run continued without it."""

    call_id: str = Field(validation_alias="id")
    task: str
    model: str
    outcome: str
    at: dt.datetime
    requests: int = Field(validation_alias="n_attempts")
    cost_usd: float


class RunCostsResponse(ResponseModel):
    cost_usd: float = Field(validation_alias=AliasPath("total", "cost_usd"))
    tasks: list[TaskCostResponse]
    failures: list[FailedCallResponse] = Field(validation_alias="failed_calls")


class RunThemeResponse(ResponseModel):
    theme_id: str = Field(validation_alias="id")
    name: str
    n_cases: int


class SharedThemeResponse(ResponseModel):
    theme_id: str
    name_before: str
    name_after: str
    n_before: int
    n_after: int


class MovedCaseResponse(ResponseModel):
    """A case that changed its theme; null means no theme."""

    case_id: str
    before: str | None
    after: str | None


class RunComparisonResponse(ResponseModel):
    """Comparison of two runs."""

    before: RunResponse
    after: RunResponse
    same_lens: bool = Field(validation_alias="has_same_lens", description="If false, the themes cannot be compared.")
    shared: list[SharedThemeResponse] = Field(validation_alias="shared_themes", serialization_alias="kept")
    new: list[RunThemeResponse] = Field(validation_alias="new_themes")
    gone: list[RunThemeResponse] = Field(validation_alias="missing_themes")
    moved: list[MovedCaseResponse] = Field(validation_alias="moved_cases")
    n_stayed: int = Field(validation_alias="n_unmoved")
    n_only_before: int
    n_only_after: int


class ThemeChangeResponse(ResponseModel):
    """A change of a theme in a run, with its evidence."""

    theme_id: str
    lineage: Lineage
    others: list[str] = Field(description="Other themes of a split or merge.")
    n_before: int
    n_after: int
    n_shared: int
    overlap: float
    similarity: float


@router.post("/runs", "start_run", Action.START_RUN, status_code=202, problems=[409])
def start_run(
    ctx: ContextDep, job_runner: JobRunnerDep, caller: CallerDep, response: Response, body: RunRequest | None = None
) -> JobResponse:
    """Group all cases into themes, keep existing themes, draft patterns; `Location` is the job."""
    settings = (body or RunRequest()).model_dump()
    settings["since"] = settings["since"].isoformat() if settings["since"] else None
    parameters = RunParameters(**settings)
    validate_run_parameters(parameters)
    return accepted_job_response(ctx, job_runner.start(JobKind.RUN, asdict(parameters), actor=caller.name), response)


@router.post("/runs/jobs/{job_id}/restart", "restart_run", Action.START_RUN, status_code=202, problems=[409])
def restart_run(
    ctx: ContextDep, job_runner: JobRunnerDep, caller: CallerDep, response: Response, job_id: str
) -> JobResponse:
    """Restart a run that failed or whose process died; existing embeddings are reused."""
    return accepted_job_response(ctx, job_runner.restart(job_id, kind=JobKind.RUN, actor=caller.name), response)


@router.get("/runs", "list_runs", Action.SEE_THEMES)
def list_runs(ctx: ContextDep) -> ListResponse[RunResponse]:
    """List all runs, newest first."""
    return ListResponse[RunResponse].of_records(reversed(ctx.store.runs.list_all()))


@router.get("/runs/{run_id}", "read_run", Action.SEE_THEMES)
def read_run(ctx: ContextDep, run_id: str) -> RunResponse:
    """Read a run."""
    return RunResponse.of(ctx.store.runs.get(run_id))


@router.get("/runs/{run_id}/changes", "list_changes", Action.SEE_THEMES)
def list_changes(ctx: ContextDep, run_id: str) -> ListResponse[ThemeChangeResponse]:
    """List how a run changed the themes: new, continued, split, merged, dormant, with the evidence."""
    return ListResponse[ThemeChangeResponse].of_records(ctx.store.themes.changes(ctx.store.runs.get(run_id).id))


@router.get("/runs/{run_id}/costs", "read_costs", Action.SEE_THEMES)
def read_costs(ctx: ContextDep, run_id: str) -> RunCostsResponse:
    """Read the language model costs of a run by task, with all failed calls."""
    spending = get_run_spending(ctx.store, ctx.store.runs.get(run_id).id)
    tasks = [TaskCostResponse.of(cost, task=task) for task, cost in spending.by_task.items()]
    return RunCostsResponse.of(spending, tasks=tasks)


@router.get("/runs/{run_id}/comparison/{other_id}", "compare", Action.SEE_THEMES)
def compare(ctx: ContextDep, run_id: str, other_id: str) -> RunComparisonResponse:
    """Compare a run with another, usually later, run."""
    return RunComparisonResponse.of(compare_runs(ctx.store, run_id, other_id))
