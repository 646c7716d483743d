"""What a run cost, and one run beside another."""

from dataclasses import asdict

from fastapi import APIRouter

from patternmind.model.rights import Action
from patternmind.ports import ThemeThen
from patternmind.verbs.comparing import compare_runs, spending_of
from patternmind.web import answers
from patternmind.web.door import Door, TheHouse, problems
from patternmind.web.rights import needs
from patternmind.web.routes.themes import run_answer

router = APIRouter(route_class=Door, tags=["runs"])


@router.get("/runs/{run_id}/costs", name="read_costs", responses=problems(404), dependencies=[needs(Action.SEE_THEMES)])
def read_costs(house: TheHouse, run_id: str) -> answers.RunCosts:
    """What a run asked of the language model, by task, and every call that failed."""
    spent = spending_of(house.store, house.store.find_run(run_id).id)
    tasks = [
        answers.TaskCost(
            task=task,
            asked=one.n_asked,
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
        answers.FailedCall(
            call_id=call.id,
            task=call.task,
            model=call.model,
            outcome=call.outcome.value,
            at=call.at,
            requests=call.n_attempts,
            cost_usd=call.cost_usd,
        )
        for call in spent.failed
    ]
    return answers.RunCosts(cost_usd=spent.total.cost_usd, tasks=tasks, failures=failures)


@router.get(
    "/runs/{run_id}/comparison/{other_id}",
    name="compare",
    responses=problems(404),
    dependencies=[needs(Action.SEE_THEMES)],
)
def compare(house: TheHouse, run_id: str, other_id: str) -> answers.ComparisonAnswer:
    """What another, usually later, run made of the themes and cases of this one."""
    found = compare_runs(house.store, run_id, other_id)
    return answers.ComparisonAnswer(
        before=run_answer(found.before),
        after=run_answer(found.after),
        same_lens=found.same_lens,
        kept=[answers.KeptTheme.model_validate(asdict(one)) for one in found.kept],
        new=[_theme(one) for one in found.new],
        gone=[_theme(one) for one in found.gone],
        moved=[answers.MovedCase.model_validate(asdict(one)) for one in found.moved],
        n_stayed=found.n_stayed,
        n_only_before=found.n_only_before,
        n_only_after=found.n_only_after,
    )


def _theme(theme: ThemeThen) -> answers.ThemeOfRun:
    return answers.ThemeOfRun(theme_id=theme.id, name=theme.name, n_cases=theme.n_cases)
