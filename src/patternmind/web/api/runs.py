"""Runs: costs and comparison."""

from dataclasses import asdict

from fastapi import APIRouter

from patternmind.domain.permissions import Action
from patternmind.ports import ThemeSnapshot
from patternmind.services.run_comparison import compare_runs, get_run_spending
from patternmind.web.api import schemas
from patternmind.web.api.themes import run_response
from patternmind.web.dependencies import ContextDep
from patternmind.web.permissions import requires
from patternmind.web.problems import problem_responses
from patternmind.web.routing import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["runs"])


@router.get(
    "/runs/{run_id}/costs",
    name="read_costs",
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_THEMES)],
)
def read_costs(ctx: ContextDep, run_id: str) -> schemas.RunCostsResponse:
    """Read the language model costs of a run by task, with all failed calls."""
    spending = get_run_spending(ctx.store, ctx.store.get_run(run_id).id)
    tasks = [
        schemas.TaskCostResponse(
            task=task,
            asked=cost.n_calls,
            cached=cost.n_cached,
            failed=cost.n_failed,
            requests=cost.n_requests,
            tokens_in=cost.n_tokens_in,
            tokens_out=cost.n_tokens_out,
            cost_usd=cost.cost_usd,
        )
        for task, cost in spending.by_task.items()
    ]
    failures = [
        schemas.FailedCallResponse(
            call_id=call.id,
            task=call.task,
            model=call.model,
            outcome=call.outcome.value,
            at=call.at,
            requests=call.n_attempts,
            cost_usd=call.cost_usd,
        )
        for call in spending.failed_calls
    ]
    return schemas.RunCostsResponse(cost_usd=spending.total.cost_usd, tasks=tasks, failures=failures)


@router.get(
    "/runs/{run_id}/comparison/{other_id}",
    name="compare",
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_THEMES)],
)
def compare(ctx: ContextDep, run_id: str, other_id: str) -> schemas.RunComparisonResponse:
    """Compare a run with another, usually later, run."""
    comparison = compare_runs(ctx.store, run_id, other_id)
    return schemas.RunComparisonResponse(
        before=run_response(comparison.before),
        after=run_response(comparison.after),
        same_lens=comparison.has_same_lens,
        kept=[schemas.SharedThemeResponse.model_validate(asdict(theme)) for theme in comparison.shared_themes],
        new=[_run_theme_response(theme) for theme in comparison.new_themes],
        gone=[_run_theme_response(theme) for theme in comparison.missing_themes],
        moved=[schemas.MovedCaseResponse.model_validate(asdict(case)) for case in comparison.moved_cases],
        n_stayed=comparison.n_unmoved,
        n_only_before=comparison.n_only_before,
        n_only_after=comparison.n_only_after,
    )


def _run_theme_response(theme: ThemeSnapshot) -> schemas.RunThemeResponse:
    return schemas.RunThemeResponse(theme_id=theme.id, name=theme.name, n_cases=theme.n_cases)
