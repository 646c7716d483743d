"""Settings of the network: what it is, how much must stand behind what is published, what is spent, and how all is."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import AppContext
from patternmind.diagnostics import CheckResult
from patternmind.domain.cases import Consent
from patternmind.domain.permissions import Action
from patternmind.errors import UsageError, VersionConflict
from patternmind.services import network_settings
from patternmind.services.llm_costs import get_spending
from patternmind.services.network_settings import InvalidField
from patternmind.web.checkup import run_checkup
from patternmind.web.dependencies import ContextDep
from patternmind.web.forms import FormValuesDep
from patternmind.web.permissions import requires
from patternmind.web.routing import PageRoute
from patternmind.web.templating import flash, render

router = APIRouter(route_class=PageRoute)

CHANGED_MESSAGE = (
    "Somebody changed it while you wrote. What you wrote stands below; save again to put it in place of theirs."
)

CONSENT_DESCRIPTIONS = {
    Consent.NETWORK_ONLY: "Its text stays in the network: in no playbook, report or export.",
    Consent.ORGANISATION: "Its text may be read in the organisation, without a name.",
    Consent.QUOTABLE: "Its text may be quoted to anybody, without a name.",
}


@router.get("/settings/network", name="network_page", dependencies=[requires(Action.SETTINGS)])
def network_page(request: Request, ctx: ContextDep) -> Response:
    return _render_network(request, ctx, {}, {})


def _render_network(
    request: Request, ctx: AppContext, submitted: Mapping[str, str], errors: Mapping[str, str], status: int = 200
) -> Response:
    network = ctx.store.network
    now = {"name": network.name, "purpose": network.purpose, "consent": network.default_consent.value}
    return render(
        request,
        "settings/network.html",
        status,
        given={name: submitted.get(name, value) for name, value in now.items()},
        consents=[(one.value, one.value.capitalize(), words) for one, words in CONSENT_DESCRIPTIONS.items()],
        version=network_settings.network_version(network),
        errors=errors,
    )


@router.post("/settings/network", name="put_network_settings", dependencies=[requires(Action.SETTINGS)])
def put_network_settings(request: Request, ctx: ContextDep, form: FormValuesDep) -> Response:
    try:
        network_settings.update_description(
            ctx.store,
            name=form.get("name", ""),
            purpose=form.get("purpose", "").replace("\r\n", "\n"),
            consent=form.get("consent", ""),
            expected_version=form.get("version"),
        )
    except VersionConflict:
        return _render_network(request, ctx, form, {"": CHANGED_MESSAGE}, 412)
    except UsageError as error:
        field = error.field if isinstance(error, InvalidField) else "consent"
        return _render_network(request, ctx, form, {field: str(error)}, 422)
    answer = RedirectResponse("/settings/network", status_code=303)
    flash(answer, "Saved.")
    return answer


@router.get("/settings/limits", name="limits_page", dependencies=[requires(Action.SET_BUDGETS)])
def limits_page(request: Request, ctx: ContextDep) -> Response:
    return _render_limits(request, ctx, {}, {})


def _render_limits(
    request: Request, ctx: AppContext, submitted: Mapping[str, str], errors: Mapping[str, str], status: int = 200
) -> Response:
    network, budget = ctx.store.network, ctx.settings.budget
    spent = get_spending(ctx.store, ctx.clock.now())
    rule = network.rule
    now = {"contributors": str(rule.min_contributors), "teams": str(rule.min_teams)}
    return render(
        request,
        "settings/limits.html",
        status,
        given={name: submitted.get(name, value) for name, value in now.items()},
        fewest=network_settings.MIN_THRESHOLD,
        most=network_settings.MAX_THRESHOLD,
        version=network_settings.network_version(network),
        errors=errors,
        model=ctx.settings.model,
        budgets=[
            ("A run", None, budget.run_usd, "PATTERNMIND_BUDGET_RUN_USD"),
            ("This month", spent.month_usd or 0.0, budget.month_usd, "PATTERNMIND_BUDGET_MONTH_USD"),
            ("In all", spent.network_usd or 0.0, budget.network_usd, "PATTERNMIND_BUDGET_NETWORK_USD"),
        ],
    )


@router.post("/settings/limits", name="put_thresholds", dependencies=[requires(Action.SET_BUDGETS)])
def put_thresholds(request: Request, ctx: ContextDep, form: FormValuesDep) -> Response:
    given = {name: form.get(name, "").strip() for name in ("contributors", "teams")}
    wanted = f"A whole number from {network_settings.MIN_THRESHOLD} to {network_settings.MAX_THRESHOLD}."
    errors = {name: wanted for name, value in given.items() if not (value.isascii() and value.isdigit())}
    if errors:
        return _render_limits(request, ctx, form, errors, 422)
    try:
        network_settings.update_thresholds(
            ctx.store,
            contributors=int(given["contributors"][:4]),
            teams=int(given["teams"][:4]),
            expected_version=form.get("version"),
        )
    except VersionConflict:
        return _render_limits(request, ctx, form, {"": CHANGED_MESSAGE}, 412)
    except InvalidField as error:
        return _render_limits(request, ctx, form, {error.field: str(error)}, 422)
    answer = RedirectResponse("/settings/limits", status_code=303)
    flash(answer, "Saved. It counts from the next thing that is published.")
    return answer


@router.get("/settings/status", name="status_page", dependencies=[requires(Action.SETTINGS)])
def status_page(request: Request, ctx: ContextDep) -> Response:
    """What is set; nothing is asked or loaded."""
    return _render_status(request, ctx, None)


@router.post("/settings/status", name="check_up", dependencies=[requires(Action.SETTINGS)])
def checkup_page(request: Request, ctx: ContextDep) -> Response:
    """Everything tried once, the language model too."""
    return _render_status(request, ctx, run_checkup(ctx))


def _render_status(request: Request, ctx: AppContext, findings: list[CheckResult] | None) -> Response:
    given = ctx.settings
    return render(
        request,
        "settings/status.html",
        findings=findings,
        settings=[
            ("Language model", given.model or "none; everything works from the texts themselves", "PATTERNMIND_MODEL"),
            ("Other models by task", ", ".join(f"{task}: {model}" for task, model in sorted(given.task_models.items())),
             "PATTERNMIND_TASK_MODELS"),
            ("Where that model fails", given.fallback_model or "", "PATTERNMIND_FALLBACK_MODEL"),
            ("Key of the model", "set" if given.api_key else "not set here", "PATTERNMIND_API_KEY"),
            ("Longest wait for an answer", f"{given.limits.timeout_seconds:g} seconds",
             "PATTERNMIND_MODEL_TIMEOUT_SECONDS"),
            ("Calls at a time", str(given.limits.max_parallel), "PATTERNMIND_MODEL_PARALLEL"),
            ("Prompts", "the organisation's own, for some" if given.prompts else "ours", "PATTERNMIND_PROMPTS"),
            ("Raw text", "encrypted" if given.raw_key else "not encrypted", "PATTERNMIND_RAW_KEY"),
        ],
    )  # fmt: skip
