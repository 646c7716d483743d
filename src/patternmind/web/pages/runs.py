"""Runs: starting one, waiting for it, what each of them did and cost, and two side by side."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import House
from patternmind.embed import LENSES
from patternmind.errors import RunInProgress, UsageError
from patternmind.model.jobs import JobKind, JobState
from patternmind.model.rights import Action
from patternmind.ports import RunParameters, RunRecord
from patternmind.verbs.calls import list_costs, spent_usd
from patternmind.verbs.checks import check_parameters
from patternmind.verbs.comparing import compare_runs, spending_of
from patternmind.web.door import PageDoor, TheCaller, TheHouse, TheJobs
from patternmind.web.forms import TheForm
from patternmind.web.jobs import Jobs
from patternmind.web.pages.waiting import waiting_page
from patternmind.web.paging import Cursor, one_page
from patternmind.web.rendering import render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)

ON_A_PAGE = 30
MOST_MOVED = 200
LONGEST_LABEL = 40
LARGEST_SEED = 2**31 - 1

LENS_WORDS = {
    "all": ("The whole case", "What happened and what helped, together. The usual one."),
    "problem": ("The problem", "Cases that went wrong alike, whatever helped."),
    "helped": ("What helped", "Cases with like remedies, whatever went wrong."),
}
LEVEL_WORDS = [("theme", "Themes", "What recurs. The usual one."), ("area", "Broad areas", "Fewer and wider groups.")]
ENGINE_WORDS = [
    ("graph", "Neighbour graph", "Steady on small and large networks. The usual one."),
    ("hdbscan", "HDBSCAN", "By density; leaves more cases in no theme."),
]
STEP_WORDS = {
    "embed": "Reading the cases",
    "cluster": "Grouping",
    "carry": "Carrying themes on",
    "draft": "Naming and drafting",
    "map": "Laying out the map",
}
STATE_BADGES = {"finished": "good", "failed": "bad", "interrupted": "doubt"}


@router.get("/runs", name="list_page", dependencies=[needs(Action.SEE_THEMES)])
def list_page(request: Request, house: TheHouse, jobs: TheJobs, cursor: Cursor = None) -> Response:
    return _list(request, house, jobs, cursor=cursor)


def _list(
    request: Request,
    house: House,
    jobs: Jobs,
    *,
    cursor: str | None = None,
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    costs = {cost.run.id: cost.totals.cost_usd for cost in list_costs(house.store) if cost.run}
    runs = house.store.runs()
    page, following = one_page(runs, key=lambda one: f"{10**9 - one.number:010d}", limit=ON_A_PAGE, cursor=cursor)
    newest = jobs.jobs(kind=JobKind.RUN, limit=1)
    return render(
        request,
        "runs/list.html",
        status,
        runs=[{"run": run, "cost": costs.get(run.id, 0.0), "seconds": seconds_of(run)} for run in page],
        n_runs=len(runs),
        finished=[(run.id, name_of(run)) for run in reversed(runs) if run.state == "finished"],
        badges=STATE_BADGES,
        lens_words={lens: LENS_WORDS[lens][0] for lens in LENS_WORDS},
        job=newest[0] if newest and newest[0].state is not JobState.FINISHED else None,
        form=form_of(given or {}),
        open=bool(errors) or not runs,
        errors=errors or {},
        budget=budget_of(house),
        following=f"/runs?cursor={following}" if following else "",
        first="/runs" if cursor else "",
    )


def form_of(given: Mapping[str, str]) -> dict[str, Any]:
    usual = {"label": "", "lens": "all", "level": "theme", "engine": "graph", "since": "", "seed": "0"}
    values = {name: given.get(name, usual[name]) for name in usual}
    ticked = [name for name in ("draft", "afresh") if name in given] if given else ["draft"]
    return {
        **values,
        "ticked": ticked,
        "lenses": [(lens, *LENS_WORDS[lens]) for lens in LENSES if lens in LENS_WORDS],
        "levels": LEVEL_WORDS,
        "engines": ENGINE_WORDS,
    }


def budget_of(house: House) -> dict[str, Any]:
    """What is set and what is spent; both None where no model is set, since nothing is paid for then."""
    spent = spent_usd(house.store, house.clock.now())
    return {"model": house.settings.model, "limit": house.settings.budget, "spent": spent}


def seconds_of(run: RunRecord) -> float | None:
    return (run.finished_at - run.started_at).total_seconds() if run.finished_at else None


def name_of(run: RunRecord) -> str:
    return f"{run.id} · {run.parameters.label}" if run.parameters.label else run.id


@router.post("/runs", name="start_run", dependencies=[needs(Action.START_RUN)])
def start_run(request: Request, house: TheHouse, jobs: TheJobs, caller: TheCaller, form: TheForm) -> Response:
    errors: dict[str, str] = {}
    parameters = read_parameters(form, errors)
    if errors:
        return _list(request, house, jobs, given=form, errors=errors, status=422)
    try:
        check_parameters(parameters)
        job = jobs.start(JobKind.RUN, asdict(parameters), by=caller.name)
    except (UsageError, RunInProgress) as error:
        status = 409 if isinstance(error, RunInProgress) else 422
        return _list(request, house, jobs, given=form, errors={"": str(error)}, status=status)
    return RedirectResponse(f"/runs/jobs/{job.id}", status_code=303)


def read_parameters(form: Mapping[str, str], errors: dict[str, str]) -> RunParameters:
    """The parameters of a form; what is wrong with it goes into ``errors``, by field."""
    label, seed, since = (form.get(name, "").strip() for name in ("label", "seed", "since"))
    if len(label) > LONGEST_LABEL:
        errors["label"] = f"At most {LONGEST_LABEL} characters, please."
    if not (seed.isascii() and seed.isdigit() and int(seed) <= LARGEST_SEED):
        errors["seed"] = f"A whole number from 0 to {LARGEST_SEED}."
    return RunParameters(
        label=label,
        lens=form.get("lens", "all"),
        level=form.get("level", "theme"),
        engine=form.get("engine", "graph"),
        seed=0 if "seed" in errors else int(seed),
        since=since or None,
        draft="draft" in form,
        afresh="afresh" in form,
    )


@router.get("/runs/jobs/{job_id}", name="wait_page", dependencies=[needs(Action.SEE_THEMES)])
def wait_page(request: Request, jobs: TheJobs, job_id: str) -> Response:
    job = jobs.job(job_id, kind=JobKind.RUN)
    label = job.asked.get("label")
    return waiting_page(
        request,
        job,
        title=f"Run {label}" if label else "Run",
        lead="All cases to date are grouped into themes. What people decided stands.",
        made=f"/runs/{job.made}",
        ready="See what it found",
    )


@router.post("/runs/jobs/{job_id}/restart", name="restart_run", dependencies=[needs(Action.START_RUN)])
def restart_run(jobs: TheJobs, caller: TheCaller, job_id: str) -> Response:
    job = jobs.restart(job_id, kind=JobKind.RUN, by=caller.name)
    return RedirectResponse(f"/runs/jobs/{job.id}", status_code=303)


RunId = Annotated[str, Query(max_length=40)]


@router.get("/runs/compare", name="compare_page", dependencies=[needs(Action.SEE_THEMES)])
def compare_page(request: Request, house: TheHouse, before: RunId = "", after: RunId = "") -> Response:
    """Two runs side by side; without a choice, the last two of the lens that ran last."""
    runs = [run for run in house.store.runs() if run.state == "finished"]
    same = [run.id for run in runs if run.parameters.lens == runs[-1].parameters.lens]
    if not (before and after) and len(same) > 1:
        before, after = before or same[-2], after or same[-1]
    found, error = None, ""
    if before and after:
        try:
            found = compare_runs(house.store, before, after)
        except UsageError as wrong:
            error = str(wrong)
    return render(
        request,
        "runs/compare.html",
        422 if error else 200,
        choices=[(run.id, name_of(run)) for run in reversed(runs)],
        before=before,
        after=after,
        found=found,
        error=error,
        moved=list(found.moved[:MOST_MOVED]) if found else [],
        steps=_steps_of(found.before, found.after) if found else [],
    )


def _steps_of(before: RunRecord, after: RunRecord) -> list[tuple[str, float | None, float | None]]:
    names = dict.fromkeys([*before.seconds, *after.seconds])
    return [(STEP_WORDS.get(name, name), before.seconds.get(name), after.seconds.get(name)) for name in names]


@router.get("/runs/{run_id}", name="run_page", dependencies=[needs(Action.SEE_THEMES)])
def run_page(request: Request, house: TheHouse, run_id: str) -> Response:
    run = house.store.find_run(run_id)
    earlier = [
        one
        for one in house.store.runs()
        if one.number < run.number and one.state == "finished" and one.parameters.lens == run.parameters.lens
    ]
    return render(
        request,
        "runs/run.html",
        run=run,
        title=name_of(run),
        state_badge=STATE_BADGES.get(run.state, ""),
        lens=LENS_WORDS.get(run.parameters.lens, (run.parameters.lens, ""))[0],
        steps=[(STEP_WORDS.get(name, name), seconds) for name, seconds in run.seconds.items()],
        seconds=seconds_of(run),
        spending=spending_of(house.store, run.id),
        changes=changes_link(request, run),
        earlier=earlier[-1].id if earlier and run.state == "finished" else "",
    )


def changes_link(request: Request, run: RunRecord) -> str:
    """Where the changes of themes are reviewed; empty where there is no such page."""
    pages = request.app.state.pages
    if "/runs/{run_id}/changes" in pages:
        return f"/runs/{run.id}/changes"
    return "/themes/changes" if "/themes/changes" in pages else ""
