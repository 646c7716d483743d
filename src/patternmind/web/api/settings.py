"""Settings: network description, publishing thresholds and budgets."""

from fastapi import Response
from pydantic import Field, StrictInt

from patternmind.bootstrap import AppContext
from patternmind.domain.cases import Consent
from patternmind.domain.permissions import Action
from patternmind.services import network_settings
from patternmind.services.llm_costs import get_spending
from patternmind.web.api.schemas import RequestModel, ResponseModel, ThresholdsResponse
from patternmind.web.dependencies import ContextDep
from patternmind.web.etags import IfMatchHeader, expected_version, format_etag
from patternmind.web.routing import ApiRouter

router = ApiRouter("settings")


class NetworkSettingsRequest(RequestModel):
    name: str = Field(min_length=1, max_length=120)
    purpose: str = Field(default="", max_length=2000)
    default_consent: Consent = Field(description="Consent level of rows that give none.")


class NetworkSettingsResponse(ResponseModel):
    name: str
    purpose: str
    default_consent: Consent = Field(description="Consent level of rows that give none.")


class ThresholdsRequest(RequestModel):
    """Minimum numbers of distinct contributors and teams for publishing."""

    min_contributors: StrictInt = Field(ge=2, le=10)
    min_teams: StrictInt = Field(ge=2, le=10)


class BudgetResponse(ResponseModel):
    """Budgets in USD; null means no limit. Spending includes reservations of running calls."""

    run_usd: float | None
    month_usd: float | None
    network_usd: float | None
    spent_month_usd: float
    spent_network_usd: float


class LimitsResponse(ResponseModel):
    thresholds: ThresholdsResponse = Field(validation_alias="rule")
    budgets: BudgetResponse


@router.get("/settings/network", "read_network_settings", Action.SETTINGS, etag="settings")
def read_network_settings(ctx: ContextDep, response: Response) -> NetworkSettingsResponse:
    """Read name, purpose and default consent of the network."""
    return _network_settings_response(ctx, response)


@router.put("/settings/network", "put_network_settings", Action.SETTINGS, etag="settings")
def put_network_settings(
    ctx: ContextDep, response: Response, body: NetworkSettingsRequest, if_match: IfMatchHeader = None
) -> NetworkSettingsResponse:
    """Set name, purpose and default consent of the network."""
    network_settings.update_description(
        ctx.store,
        name=body.name,
        purpose=body.purpose,
        consent=body.default_consent.value,
        expected_version=_expected_version(ctx, if_match),
    )
    return _network_settings_response(ctx, response)


def _network_settings_response(ctx: AppContext, response: Response) -> NetworkSettingsResponse:
    network = ctx.store.network.get()
    response.headers["etag"] = format_etag(network_settings.network_version(network))
    return NetworkSettingsResponse.of(network)


def _expected_version(ctx: AppContext, if_match: str | None) -> str | None:
    """Return the version that the caller has seen; None for any."""
    network = ctx.store.network.get()
    version = network_settings.network_version(network)
    return expected_version(if_match, version, kind="network", id=network.id)


@router.get("/settings/limits", "read_limits", Action.SET_BUDGETS, etag="settings")
def read_limits(ctx: ContextDep, response: Response) -> LimitsResponse:
    """Read the publishing thresholds, and the budgets and costs of the language model."""
    return _limits_response(ctx, response)


@router.put("/settings/limits/thresholds", "put_thresholds", Action.SET_BUDGETS, etag="settings")
def put_thresholds(
    ctx: ContextDep, response: Response, body: ThresholdsRequest, if_match: IfMatchHeader = None
) -> LimitsResponse:
    """Set the publishing thresholds. Budgets are set in the server's environment."""
    network_settings.update_thresholds(
        ctx.store,
        contributors=body.min_contributors,
        teams=body.min_teams,
        expected_version=_expected_version(ctx, if_match),
    )
    return _limits_response(ctx, response)


def _limits_response(ctx: AppContext, response: Response) -> LimitsResponse:
    network, spending = ctx.store.network.get(), get_spending(ctx.store, ctx.clock.now())
    response.headers["etag"] = format_etag(network_settings.network_version(network))
    budgets = BudgetResponse.of(
        ctx.settings.budget, spent_month_usd=spending.month_usd or 0.0, spent_network_usd=spending.network_usd or 0.0
    )
    return LimitsResponse.of(network, budgets=budgets)
