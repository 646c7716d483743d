"""Pages of runs: list, start form, job status, results and costs, and comparison of two runs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from patternmind.bootstrap import AppContext
from patternmind.domain.jobs import JobKind, JobState
from patternmind.domain.permissions import Action
from patternmind.embedding.lenses import LENSES
from patternmind.errors import RunInProgress, UsageError
from patternmind.jobs.runner import JobRunner
from patternmind.ports import RunParameters, RunRecord
from patternmind.services.llm_costs import get_spending, list_run_costs
from patternmind.services.run_comparison import compare_runs, get_run_spending
from patternmind.services.validation import validate_run_parameters
from patternmind.web.dependencies import JobRunnerDep
from patternmind.web.forms import FormValuesDep
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.pages.job_status import render_job_status
from patternmind.web.pagination import CursorQuery, cursor_links, paginate
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

router = PageRouter()

PAGE_SIZE = 30
MAX_MOVED_CASES = 200
MAX_LABEL_LENGTH = 40
MAX_SEED = 2**31 - 1

LENS_OPTIONS = {
    "all": ("Whole case", "What happened and what helped. Recommended."),
    "problem": ("Problem", "Similar problems, whatever helped."),
    "helped": ("What helped", "Similar remedies, whatever the problem was."),
}
LEVEL_OPTIONS = [("theme", "Themes", "Recommended."), ("area", "Broad areas", "Fewer and wider groups.")]
ENGINE_OPTIONS = [
    ("graph", "Neighbour graph", "Stable on small and large networks. Recommended."),
    ("hdbscan", "HDBSCAN", "Density-based; leaves more cases without a theme."),
]
STEP_LABELS = {
    "embed": "Reading the cases",
    "cluster": "Grouping",
    "carry": "Continuing the existing themes",
    "draft": "Naming and drafting",
    "map": "Laying out the map",
}
STATE_BADGES = {"finished": "good", "failed": "bad", "interrupted": "doubt"}


@router.get("/runs", "list_page", Action.SEE_THEMES)
def list_page(page: PageDep, job_runner: JobRunnerDep, cursor: CursorQuery = None) -> Response:
    return _render_list(page, job_runner, cursor=cursor)


def _render_list(
    page: PageRequest,
    job_runner: JobRunner,
    *,
    cursor: str | None = None,
    submitted: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    costs = {cost.run.id: cost.totals.cost_usd for cost in list_run_costs(page.store) if cost.run}
    runs = page.store.runs.list_all()
    current_page = paginate(runs, key=lambda run: f"{10**9 - run.number:010d}", limit=PAGE_SIZE, cursor=cursor)
    newest = job_runner.list_jobs(kind=JobKind.RUN, limit=1)
    return page.render(
        "runs/list.html",
        status,
        runs=[{"run": run, "cost": costs.get(run.id, 0.0), "seconds": run_seconds(run)} for run in current_page.rows],
        n_runs=len(runs),
        finished_runs=[run for run in runs if run.state == "finished"],
        state_badges=STATE_BADGES,
        lens_labels={lens: label for lens, (label, _) in LENS_OPTIONS.items()},
        job=newest[0] if newest and newest[0].state is not JobState.FINISHED else None,
        form=run_form(submitted or {}),
        is_form_open=bool(errors) or not runs,
        errors=errors or {},
        budget=budget_status(page.ctx),
        **cursor_links("/runs", current_page, cursor),
    )


def run_form(submitted: Mapping[str, str]) -> dict[str, Any]:
    defaults = {"label": "", "lens": "all", "level": "theme", "engine": "graph", "since": "", "seed": "0"}
    values = {name: submitted.get(name, default) for name, default in defaults.items()}
    ticked = [name for name in ("draft", "from_scratch") if name in submitted] if submitted else ["draft"]
    return {
        **values,
        "ticked": ticked,
        "lenses": [(lens, *LENS_OPTIONS[lens]) for lens in LENSES if lens in LENS_OPTIONS],
        "levels": LEVEL_OPTIONS,
        "engines": ENGINE_OPTIONS,
    }


def budget_status(ctx: AppContext) -> dict[str, Any]:
    """Return the configured model, its budget and the amount spent; the model is None if none is configured."""
    spent = get_spending(ctx.store, ctx.clock.now())
    return {"model": ctx.settings.model, "limit": ctx.settings.budget, "spent": spent}


def run_seconds(run: RunRecord) -> float | None:
    return (run.finished_at - run.started_at).total_seconds() if run.finished_at else None


def run_title(run: RunRecord) -> str:
    return f"{run.id} · {run.parameters.label}" if run.parameters.label else run.id


@router.post("/runs", "start_run", Action.START_RUN)
def start_run(page: PageDep, job_runner: JobRunnerDep, form: FormValuesDep) -> Response:
    errors: dict[str, str] = {}
    parameters = read_parameters(form, errors)
    if errors:
        return _render_list(page, job_runner, submitted=form, errors=errors, status=422)
    try:
        validate_run_parameters(parameters)
        job = job_runner.start(JobKind.RUN, asdict(parameters), actor=page.caller.name)
    except (UsageError, RunInProgress) as error:
        status = 409 if isinstance(error, RunInProgress) else 422
        return _render_list(page, job_runner, submitted=form, errors={"": str(error)}, status=status)
    return redirect(f"/runs/jobs/{job.id}")


def read_parameters(form: Mapping[str, str], errors: dict[str, str]) -> RunParameters:
    """Parse the parameters of a form; add messages about invalid fields to ``errors``."""
    label, seed, since = (form.get(name, "").strip() for name in ("label", "seed", "since"))
    if len(label) > MAX_LABEL_LENGTH:
        errors["label"] = f"Use at most {MAX_LABEL_LENGTH} characters."
    if not (seed.isascii() and seed.isdigit() and int(seed) <= MAX_SEED):
        errors["seed"] = f"Enter a whole number from 0 to {MAX_SEED}."
    return RunParameters(
        label=label,
        lens=form.get("lens", "all"),
        level=form.get("level", "theme"),
        engine=form.get("engine", "graph"),
        seed=0 if "seed" in errors else int(seed),
        since=since or None,
        draft="draft" in form,
        from_scratch="from_scratch" in form,
    )


@router.get("/runs/jobs/{job_id}", "wait_page", Action.SEE_THEMES)
def job_page(page: PageDep, job_runner: JobRunnerDep, job_id: str) -> Response:
    job = job_runner.find(job_id, kind=JobKind.RUN)
    label = job.parameters.get("label")
    return render_job_status(
        page,
        job,
        title=f"Run {label}" if label else "Run",
        lead="All cases are being grouped into themes. People's decisions are kept.",
        result_path=f"/runs/{job.made}",
        result_label="View the results",
    )


@router.post("/runs/jobs/{job_id}/restart", "restart_run", Action.START_RUN)
def restart_run(page: PageDep, job_runner: JobRunnerDep, job_id: str) -> Response:
    job = job_runner.restart(job_id, kind=JobKind.RUN, actor=page.caller.name)
    return redirect(f"/runs/jobs/{job.id}")


RunIdQuery = Annotated[str, Query(max_length=40)]


@router.get("/runs/compare", "compare_page", Action.SEE_THEMES)
def compare_page(page: PageDep, before: RunIdQuery = "", after: RunIdQuery = "") -> Response:
    """Compare two runs; by default the last two with the lens of the last run."""
    runs = [run for run in page.store.runs.list_all() if run.state == "finished"]
    same_lens = [run.id for run in runs if run.parameters.lens == runs[-1].parameters.lens]
    if not (before and after) and len(same_lens) > 1:
        before, after = before or same_lens[-2], after or same_lens[-1]
    comparison, error = None, ""
    if before and after:
        try:
            comparison = compare_runs(page.store, before, after)
        except UsageError as usage_error:
            error = str(usage_error)
    return page.render(
        "runs/compare.html",
        422 if error else 200,
        choices=[(run.id, run_title(run)) for run in reversed(runs)],
        before_id=before,
        after_id=after,
        comparison=comparison,
        error=error,
        moved_cases=list(comparison.moved_cases[:MAX_MOVED_CASES]) if comparison else [],
        steps=_step_timings(comparison.before, comparison.after) if comparison else [],
    )


def _step_timings(before: RunRecord, after: RunRecord) -> list[tuple[str, float | None, float | None]]:
    names = dict.fromkeys([*before.seconds, *after.seconds])
    return [(STEP_LABELS.get(name, name), before.seconds.get(name), after.seconds.get(name)) for name in names]


@router.get("/runs/{run_id}", "run_page", Action.SEE_THEMES)
def run_page(page: PageDep, run_id: str) -> Response:
    run = page.store.runs.get(run_id)
    previous_runs = [
        previous
        for previous in page.store.runs.list_all()
        if previous.number < run.number
        and previous.state == "finished"
        and previous.parameters.lens == run.parameters.lens
    ]
    return page.render(
        "runs/run.html",
        run=run,
        title=run_title(run),
        state_badge=STATE_BADGES.get(run.state, ""),
        lens=LENS_OPTIONS.get(run.parameters.lens, (run.parameters.lens, ""))[0],
        steps=[(STEP_LABELS.get(name, name), seconds) for name, seconds in run.seconds.items()],
        seconds=run_seconds(run),
        spending=get_run_spending(page.store, run.id),
        changes_path=changes_path(page, run),
        previous_id=previous_runs[-1].id if previous_runs and run.state == "finished" else "",
    )


def changes_path(page: PageRequest, run: RunRecord) -> str:
    """Return the path of the page to review the run's changes; empty if this server has no such page."""
    pages = page.request.app.state.pages
    if "/runs/{run_id}/changes" in pages:
        return f"/runs/{run.id}/changes"
    return "/themes/changes" if "/themes/changes" in pages else ""
