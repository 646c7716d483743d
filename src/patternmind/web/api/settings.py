"""Settings of the network: its words, thresholds and budgets, the roster, possible names, and how all is."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from patternmind.bootstrap import AppContext
from patternmind.diagnostics import run_checks
from patternmind.domain.permissions import Action
from patternmind.errors import NotFound, VersionConflict
from patternmind.services import network_settings, possible_names
from patternmind.services.llm_costs import get_spending
from patternmind.web.api import schemas
from patternmind.web.pagination import CursorQuery, LimitQuery, paginate
from patternmind.web.permissions import requires
from patternmind.web.routing import (
    ACCEPTS_IDEMPOTENCY_KEY,
    ApiRoute,
    CallerDep,
    ContextDep,
    problem_responses,
)

router = APIRouter(route_class=ApiRoute, tags=["settings"])

ETAG_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"description": "Names what is set now.", "schema": {"type": "string"}}}}
}
IfMatchHeader = Annotated[str | None, Header(max_length=200, description="The ETag you have seen.")]


@router.get(
    "/settings/network", name="read_network_settings", responses=ETAG_RESPONSE, dependencies=[requires(Action.SETTINGS)]
)
def read_network_settings(ctx: ContextDep, response: Response) -> schemas.NetworkSettingsRequest:
    """What the network is called, what it is for, and what a row without a word on consent means."""
    return _network_settings_response(ctx, response)


@router.put(
    "/settings/network",
    name="put_network_settings",
    responses=problem_responses(400, 412) | ETAG_RESPONSE,
    dependencies=[requires(Action.SETTINGS)],
)
def put_network_settings(
    ctx: ContextDep, response: Response, body: schemas.NetworkSettingsRequest, if_match: IfMatchHeader = None
) -> schemas.NetworkSettingsRequest:
    """Set all three."""
    network_settings.update_description(
        ctx.store,
        name=body.name,
        purpose=body.purpose,
        consent=body.default_consent.value,
        expected_version=_expected_version(ctx, if_match),
    )
    return _network_settings_response(ctx, response)


def _network_settings_response(ctx: AppContext, response: Response) -> schemas.NetworkSettingsRequest:
    network = ctx.store.network
    response.headers["etag"] = f'"{network_settings.network_version(network)}"'
    return schemas.NetworkSettingsRequest(
        name=network.name, purpose=network.purpose, default_consent=network.default_consent
    )


def _expected_version(ctx: AppContext, if_match: str | None) -> str | None:
    """The version the caller has seen; None for any."""
    if if_match is None or if_match.strip() == "*":
        return None
    now = network_settings.network_version(ctx.store.network)
    if f'"{now}"' not in [part.strip() for part in if_match.split(",")]:
        raise VersionConflict("network", ctx.store.network.id)
    return now


@router.get(
    "/settings/limits", name="read_limits", responses=ETAG_RESPONSE, dependencies=[requires(Action.SET_BUDGETS)]
)
def read_limits(ctx: ContextDep, response: Response) -> schemas.LimitsResponse:
    """How much must stand behind what is published, and what the language model may cost and has cost."""
    return _limits_response(ctx, response)


@router.put(
    "/settings/limits/thresholds",
    name="put_thresholds",
    responses=problem_responses(400, 412) | ETAG_RESPONSE,
    dependencies=[requires(Action.SET_BUDGETS)],
)
def put_thresholds(
    ctx: ContextDep, response: Response, body: schemas.ThresholdsRequest, if_match: IfMatchHeader = None
) -> schemas.LimitsResponse:
    """Set both. Budgets are set in the environment of the server."""
    network_settings.update_thresholds(
        ctx.store,
        contributors=body.min_contributors,
        teams=body.min_teams,
        expected_version=_expected_version(ctx, if_match),
    )
    return _limits_response(ctx, response)


def _limits_response(ctx: AppContext, response: Response) -> schemas.LimitsResponse:
    network, budget = ctx.store.network, ctx.settings.budget
    spent = get_spending(ctx.store, ctx.clock.now())
    response.headers["etag"] = f'"{network_settings.network_version(network)}"'
    return schemas.LimitsResponse(
        thresholds=schemas.ThresholdsRequest(
            min_contributors=network.rule.min_contributors, min_teams=network.rule.min_teams
        ),
        budgets=schemas.BudgetResponse(
            run_usd=budget.run_usd,
            month_usd=budget.month_usd,
            network_usd=budget.network_usd,
            spent_month_usd=spent.month_usd or 0.0,
            spent_network_usd=spent.network_usd or 0.0,
        ),
    )


@router.get("/roster", name="list_roster", dependencies=[requires(Action.ROSTER)])
def list_roster(
    ctx: ContextDep, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> schemas.PageResponse[schemas.RosterEntryResponse]:
    """Whose names are taken out of every text, by number."""
    page, following = paginate(
        network_settings.list_roster(ctx.store), key=lambda one: f"{one.number:09d}", limit=limit, cursor=cursor
    )
    items = [
        schemas.RosterEntryResponse(number=one.number, name=one.name, kind=one.kind, email=one.email, team=one.team)
        for one in page
    ]
    return schemas.PageResponse(items=items, next_cursor=following)


@router.post(
    "/roster",
    name="add_to_roster",
    responses=problem_responses(400),
    dependencies=[requires(Action.ROSTER), ACCEPTS_IDEMPOTENCY_KEY],
)
def add_to_roster(ctx: ContextDep, body: schemas.RosterRequest) -> schemas.RosterChangeResponse:
    """Put names on it. All that is stored is redacted again at once; on a large network that takes a while."""
    people = [(one.name, one.kind, one.email, one.team) for one in body.people]
    changed = network_settings.add_to_roster(ctx.store, people)
    return schemas.RosterChangeResponse(added=changed.added, changed_cases=changed.changed)


@router.delete(
    "/roster/{number}", name="take_off_roster", responses=problem_responses(404), dependencies=[requires(Action.ROSTER)]
)
def remove_from_roster(ctx: ContextDep, number: int) -> schemas.RosterChangeResponse:
    """Take one off: from then on it is a word like any other, and stands in texts again."""
    if not 0 < number < 2**31:
        raise NotFound("line on the roster", str(number))
    return schemas.RosterChangeResponse(
        added=0, changed_cases=network_settings.remove_from_roster(ctx.store, number).changed
    )


@router.get("/possible-names", name="list_possible_names", dependencies=[requires(Action.SEE_POSSIBLE_NAMES)])
def list_possible_names(
    ctx: ContextDep, *, everywhere: bool = False, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> schemas.PageResponse[schemas.PossibleNameResponse]:
    """Names that nobody put on the roster and that the newest texts may still hold, the likeliest first.

    With `everywhere` in all texts, which takes half a minute on a network of 100,000 cases.
    """
    found = list(enumerate(possible_names.list_pending_names(ctx.store, all_texts=everywhere).names))
    page, following = paginate(found, key=lambda one: f"{one[0]:07d}", limit=limit, cursor=cursor)
    items = [
        schemas.PossibleNameResponse(
            name=one.name, n=one.n, n_texts=one.n_texts, why=list(one.why), contexts=list(one.contexts)
        )
        for _, one in page
    ]
    return schemas.PageResponse(items=items, next_cursor=following)


@router.post(
    "/possible-names/confirm",
    name="confirm_possible_names",
    responses=problem_responses(400),
    dependencies=[requires(Action.ROSTER), ACCEPTS_IDEMPOTENCY_KEY],
)
def confirm_possible_names(ctx: ContextDep, body: schemas.PossibleNamesRequest) -> schemas.RosterChangeResponse:
    """They are names: they go on the roster, and out of all that is stored."""
    return schemas.RosterChangeResponse(added=possible_names.confirm_names(ctx.store, body.names), changed_cases=None)


@router.post(
    "/possible-names/dismiss",
    name="dismiss_possible_names",
    responses=problem_responses(400),
    dependencies=[requires(Action.ROSTER), ACCEPTS_IDEMPOTENCY_KEY],
)
def dismiss_possible_names(
    ctx: ContextDep, caller: CallerDep, body: schemas.PossibleNamesRequest
) -> schemas.DismissedNamesResponse:
    """They are no names: they are offered no more."""
    n = possible_names.dismiss_names(ctx.store, ctx.clock, body.names, actor=caller.audit_name)
    return schemas.DismissedNamesResponse(dismissed=n)


@router.post("/checkup", name="check_up", dependencies=[requires(Action.SETTINGS), ACCEPTS_IDEMPOTENCY_KEY])
def run_checkup(ctx: ContextDep) -> schemas.ListResponse[schemas.CheckResultResponse]:
    """What `patternmind doctor` says, without the server's folders. It asks each language model for one token."""
    return schemas.ListResponse(items=list_check_results(ctx))


def list_check_results(ctx: AppContext) -> list[schemas.CheckResultResponse]:
    """The findings, with the server's folders in words."""
    known = {str(ctx.settings.home): "the data folder"}
    if ctx.settings.prompts:
        known[str(ctx.settings.prompts)] = "the folder of prompts"
    if ctx.settings.encoder:
        known[str(ctx.settings.encoder)] = "the folder of the encoder"
    found: list[schemas.CheckResultResponse] = []
    for one in run_checks(ctx):
        says = one.says
        for folder, words in known.items():
            says = says.replace(folder, words)
        found.append(schemas.CheckResultResponse(what=one.what, ok=one.ok, says=says))
    return found
