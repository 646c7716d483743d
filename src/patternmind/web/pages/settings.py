"""Settings pages of a network: description, publishing limits and budgets, and server status."""

from collections.abc import Mapping

from starlette.responses import Response

from patternmind.diagnostics import CheckResult
from patternmind.domain.cases import Consent
from patternmind.domain.permissions import Action
from patternmind.errors import InvalidField, UsageError, VersionConflict
from patternmind.services import network_settings
from patternmind.services.llm_costs import get_spending
from patternmind.web.checkup import run_checkup
from patternmind.web.forms import FormValuesDep
from patternmind.web.page_request import PageDep, PageRequest
from patternmind.web.routing import PageRouter
from patternmind.web.templating import redirect

router = PageRouter()

CHANGED_MESSAGE = (
    "Someone else changed these settings in the meantime. Your values are below; save again to replace theirs."
)

CONSENT_DESCRIPTIONS = {
    Consent.NETWORK_ONLY: "The text appears in no playbook, report or export.",
    Consent.ORGANISATION: "The text may appear inside the organisation, without a name.",
    Consent.QUOTABLE: "The text may be quoted to everyone, without a name.",
}


@router.get("/settings/network", "network_page", Action.SETTINGS)
def network_page(page: PageDep) -> Response:
    return _render_network(page, {}, {})


def _render_network(
    page: PageRequest, submitted: Mapping[str, str], errors: Mapping[str, str], status: int = 200
) -> Response:
    network = page.store.network.get()
    current = {"name": network.name, "purpose": network.purpose, "consent": network.default_consent.value}
    return page.render(
        "settings/network.html",
        status,
        form={name: submitted.get(name, value) for name, value in current.items()},
        consents=[(consent.value, consent.value.capitalize(), text) for consent, text in CONSENT_DESCRIPTIONS.items()],
        version=network_settings.network_version(network),
        errors=errors,
    )


@router.post("/settings/network", "put_network_settings", Action.SETTINGS)
def put_network_settings(page: PageDep, form: FormValuesDep) -> Response:
    try:
        network_settings.update_description(
            page.store,
            name=form.get("name", ""),
            purpose=form.get("purpose", "").replace("\r\n", "\n"),
            consent=form.get("consent", ""),
            expected_version=form.get("version"),
        )
    except VersionConflict:
        return _render_network(page, form, {"": CHANGED_MESSAGE}, 412)
    except UsageError as error:
        field = error.field if isinstance(error, InvalidField) else "consent"
        return _render_network(page, form, {field: str(error)}, 422)
    return redirect("/settings/network", "Saved.")


@router.get("/settings/limits", "limits_page", Action.SET_BUDGETS)
def limits_page(page: PageDep) -> Response:
    return _render_limits(page, {}, {})


def _render_limits(
    page: PageRequest, submitted: Mapping[str, str], errors: Mapping[str, str], status: int = 200
) -> Response:
    network, budget = page.store.network.get(), page.ctx.settings.budget
    spent = get_spending(page.store, page.ctx.clock.now())
    rule = network.rule
    current = {"contributors": str(rule.min_contributors), "teams": str(rule.min_teams)}
    return page.render(
        "settings/limits.html",
        status,
        form={name: submitted.get(name, value) for name, value in current.items()},
        min_threshold=network_settings.MIN_THRESHOLD,
        max_threshold=network_settings.MAX_THRESHOLD,
        version=network_settings.network_version(network),
        errors=errors,
        model=page.ctx.settings.model,
        budgets=[
            ("Per run", None, budget.run_usd, "PATTERNMIND_BUDGET_RUN_USD"),
            ("This month", spent.month_usd or 0.0, budget.month_usd, "PATTERNMIND_BUDGET_MONTH_USD"),
            ("In total", spent.network_usd or 0.0, budget.network_usd, "PATTERNMIND_BUDGET_NETWORK_USD"),
        ],
    )


@router.post("/settings/limits", "put_thresholds", Action.SET_BUDGETS)
def put_thresholds(page: PageDep, form: FormValuesDep) -> Response:
    values = {name: form.get(name, "").strip() for name in ("contributors", "teams")}
    message = f"Enter a whole number from {network_settings.MIN_THRESHOLD} to {network_settings.MAX_THRESHOLD}."
    errors = {name: message for name, value in values.items() if not (value.isascii() and value.isdigit())}
    if errors:
        return _render_limits(page, form, errors, 422)
    try:
        network_settings.update_thresholds(
            page.store,
            contributors=int(values["contributors"][:4]),
            teams=int(values["teams"][:4]),
            expected_version=form.get("version"),
        )
    except VersionConflict:
        return _render_limits(page, form, {"": CHANGED_MESSAGE}, 412)
    except InvalidField as error:
        return _render_limits(page, form, {error.field: str(error)}, 422)
    return redirect("/settings/limits", "Saved. The limits apply to everything published from now on.")


@router.get("/settings/status", "status_page", Action.SETTINGS)
def status_page(page: PageDep) -> Response:
    """Show the server settings without running the check."""
    return _render_status(page, None)


@router.post("/settings/status", "check_up", Action.SETTINGS)
def checkup_page(page: PageDep) -> Response:
    """Check all parts, including the language models."""
    return _render_status(page, run_checkup(page.ctx))


def _render_status(page: PageRequest, check_results: list[CheckResult] | None) -> Response:
    settings = page.ctx.settings
    rows = [
        ("Language model", settings.model or "none; the cases' own text is used", "PATTERNMIND_MODEL"),
        (
            "Models for single tasks",
            ", ".join(f"{task}: {model}" for task, model in sorted(settings.task_models.items())),
            "PATTERNMIND_TASK_MODELS",
        ),
        ("Fallback model", settings.fallback_model or "", "PATTERNMIND_FALLBACK_MODEL"),
        ("API key", "set" if settings.api_key else "not set", "PATTERNMIND_API_KEY"),
        ("Timeout per request", f"{settings.limits.timeout_seconds:g} seconds", "PATTERNMIND_MODEL_TIMEOUT_SECONDS"),
        ("Parallel requests", str(settings.limits.max_parallel), "PATTERNMIND_MODEL_PARALLEL"),
        ("Prompts", "custom for some tasks" if settings.prompts else "built-in", "PATTERNMIND_PROMPTS"),
        ("Raw texts", "encrypted" if settings.raw_key else "not encrypted", "PATTERNMIND_RAW_KEY"),
    ]
    return page.render("settings/status.html", check_results=check_results, settings=rows)
