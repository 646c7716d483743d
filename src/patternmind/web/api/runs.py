"""What a run cost, and one run beside another."""

from dataclasses import asdict

from fastapi import APIRouter

from patternmind.domain.permissions import Action
from patternmind.ports import ThemeSnapshot
from patternmind.services.run_comparison import compare_runs, get_run_spending
from patternmind.web.api import schemas
from patternmind.web.api.themes import run_response
from patternmind.web.permissions import requires
from patternmind.web.routing import ApiRoute, ContextDep, problem_responses

router = APIRouter(route_class=ApiRoute, tags=["runs"])


@router.get(
    "/runs/{run_id}/costs",
    name="read_costs",
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_THEMES)],
)
def read_costs(ctx: ContextDep, run_id: str) -> schemas.RunCostsResponse:
    """What a run asked of the language model, by task, and every call that failed."""
    spent = get_run_spending(ctx.store, ctx.store.get_run(run_id).id)
    tasks = [
        schemas.TaskCostResponse(
            task=task,
            asked=one.n_calls,
            cached=one.n_cached,
            failed=one.n_failed,
            requests=one.n_requests,
            tokens_in=one.n_tokens_in,
            tokens_out=one.n_tokens_out,
            cost_usd=one.cost_usd,
        )
        for task, one in spent.by_task.items()
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
        for call in spent.failed_calls
    ]
    return schemas.RunCostsResponse(cost_usd=spent.total.cost_usd, tasks=tasks, failures=failures)


@router.get(
    "/runs/{run_id}/comparison/{other_id}",
    name="compare",
    responses=problem_responses(404),
    dependencies=[requires(Action.SEE_THEMES)],
)
def compare(ctx: ContextDep, run_id: str, other_id: str) -> schemas.RunComparisonResponse:
    """What another, usually later, run made of the themes and cases of this one."""
    found = compare_runs(ctx.store, run_id, other_id)
    return schemas.RunComparisonResponse(
        before=run_response(found.before),
        after=run_response(found.after),
        same_lens=found.has_same_lens,
        kept=[schemas.SharedThemeResponse.model_validate(asdict(one)) for one in found.shared_themes],
        new=[_run_theme_response(one) for one in found.new_themes],
        gone=[_run_theme_response(one) for one in found.missing_themes],
        moved=[schemas.MovedCaseResponse.model_validate(asdict(one)) for one in found.moved_cases],
        n_stayed=found.n_unmoved,
        n_only_before=found.n_only_before,
        n_only_after=found.n_only_after,
    )


def _run_theme_response(theme: ThemeSnapshot) -> schemas.RunThemeResponse:
    return schemas.RunThemeResponse(theme_id=theme.id, name=theme.name, n_cases=theme.n_cases)
