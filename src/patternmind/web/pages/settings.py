"""Settings of the network: what it is, how much must stand behind what is published, what is spent, and how all is."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patternmind.bootstrap import House
from patternmind.errors import ChangedMeanwhile, UsageError
from patternmind.model.cases import Consent
from patternmind.model.rights import Action
from patternmind.verbs import settings
from patternmind.verbs.calls import spent_usd
from patternmind.verbs.settings import FieldInvalid
from patternmind.web.answers import FindingAnswer
from patternmind.web.door import PageDoor, TheHouse
from patternmind.web.forms import TheForm
from patternmind.web.rendering import flash, render
from patternmind.web.rights import needs
from patternmind.web.routes.settings import look_over

router = APIRouter(route_class=PageDoor)

CHANGED = "Somebody changed it while you wrote. What you wrote stands below; save again to put it in place of theirs."

CONSENT_WORDS = {
    Consent.NETWORK_ONLY: "Its text stays in the network: in no playbook, report or export.",
    Consent.ORGANISATION: "Its text may be read in the organisation, without a name.",
    Consent.QUOTABLE: "Its text may be quoted to anybody, without a name.",
}


@router.get("/settings/network", name="network_page", dependencies=[needs(Action.SETTINGS)])
def network_page(request: Request, house: TheHouse) -> Response:
    return _network(request, house, {}, {})


def _network(
    request: Request, house: House, typed: Mapping[str, str], errors: Mapping[str, str], status: int = 200
) -> Response:
    network = house.store.network
    now = {"name": network.name, "purpose": network.purpose, "consent": network.default_consent.value}
    return render(
        request,
        "settings/network.html",
        status,
        given={name: typed.get(name, value) for name, value in now.items()},
        consents=[(one.value, one.value.capitalize(), words) for one, words in CONSENT_WORDS.items()],
        version=settings.network_version(network),
        errors=errors,
    )


@router.post("/settings/network", name="put_network_settings", dependencies=[needs(Action.SETTINGS)])
def put_network_settings(request: Request, house: TheHouse, form: TheForm) -> Response:
    try:
        settings.describe_network(
            house.store,
            name=form.get("name", ""),
            purpose=form.get("purpose", "").replace("\r\n", "\n"),
            consent=form.get("consent", ""),
            version=form.get("version"),
        )
    except ChangedMeanwhile:
        return _network(request, house, form, {"": CHANGED}, 412)
    except UsageError as error:
        field = error.field if isinstance(error, FieldInvalid) else "consent"
        return _network(request, house, form, {field: str(error)}, 422)
    answer = RedirectResponse("/settings/network", status_code=303)
    flash(answer, "Saved.")
    return answer


@router.get("/settings/limits", name="limits_page", dependencies=[needs(Action.SET_BUDGETS)])
def limits_page(request: Request, house: TheHouse) -> Response:
    return _limits(request, house, {}, {})


def _limits(
    request: Request, house: House, typed: Mapping[str, str], errors: Mapping[str, str], status: int = 200
) -> Response:
    network, budget = house.store.network, house.settings.budget
    spent = spent_usd(house.store, house.clock.now())
    rule = network.rule
    now = {"contributors": str(rule.min_contributors), "teams": str(rule.min_teams)}
    return render(
        request,
        "settings/limits.html",
        status,
        given={name: typed.get(name, value) for name, value in now.items()},
        fewest=settings.FEWEST,
        most=settings.MOST,
        version=settings.network_version(network),
        errors=errors,
        model=house.settings.model,
        budgets=[
            ("A run", None, budget.run_usd, "PATTERNMIND_BUDGET_RUN_USD"),
            ("This month", spent.month_usd or 0.0, budget.month_usd, "PATTERNMIND_BUDGET_MONTH_USD"),
            ("In all", spent.network_usd or 0.0, budget.network_usd, "PATTERNMIND_BUDGET_NETWORK_USD"),
        ],
    )


@router.post("/settings/limits", name="put_thresholds", dependencies=[needs(Action.SET_BUDGETS)])
def put_thresholds(request: Request, house: TheHouse, form: TheForm) -> Response:
    given = {name: form.get(name, "").strip() for name in ("contributors", "teams")}
    wanted = f"A whole number from {settings.FEWEST} to {settings.MOST}."
    errors = {name: wanted for name, value in given.items() if not (value.isascii() and value.isdigit())}
    if errors:
        return _limits(request, house, form, errors, 422)
    try:
        settings.set_thresholds(
            house.store,
            contributors=int(given["contributors"][:4]),
            teams=int(given["teams"][:4]),
            version=form.get("version"),
        )
    except ChangedMeanwhile:
        return _limits(request, house, form, {"": CHANGED}, 412)
    except FieldInvalid as error:
        return _limits(request, house, form, {error.field: str(error)}, 422)
    answer = RedirectResponse("/settings/limits", status_code=303)
    flash(answer, "Saved. It counts from the next thing that is published.")
    return answer


@router.get("/settings/status", name="status_page", dependencies=[needs(Action.SETTINGS)])
def status_page(request: Request, house: TheHouse) -> Response:
    """What is set; nothing is asked or loaded."""
    return _status(request, house, None)


@router.post("/settings/status", name="check_up", dependencies=[needs(Action.SETTINGS)])
def check_up(request: Request, house: TheHouse) -> Response:
    """Everything tried once, the language model too."""
    return _status(request, house, look_over(house))


def _status(request: Request, house: House, findings: list[FindingAnswer] | None) -> Response:
    given = house.settings
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
            ("Calls at a time", str(given.limits.n_parallel), "PATTERNMIND_MODEL_PARALLEL"),
            ("Prompts", "the organisation's own, for some" if given.prompts else "ours", "PATTERNMIND_PROMPTS"),
            ("Raw text", "encrypted" if given.raw_key else "not encrypted", "PATTERNMIND_RAW_KEY"),
        ],
    )  # fmt: skip
