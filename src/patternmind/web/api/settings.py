"""Settings of the network: description, limits, roster, possible names and checkup."""

from fastapi import APIRouter, Response

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import Action
from patternmind.errors import NotFound
from patternmind.services import network_settings, possible_names
from patternmind.services.llm_costs import get_spending
from patternmind.web.api import schemas
from patternmind.web.checkup import run_checkup
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.etags import IfMatchHeader, etag_responses, expected_version, format_etag
from patternmind.web.idempotency import ACCEPTS_IDEMPOTENCY_KEY
from patternmind.web.pagination import CursorQuery, LimitQuery, paginate
from patternmind.web.permissions import requires
from patternmind.web.problems import problem_responses
from patternmind.web.routing import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["settings"])

ETAG_RESPONSE = etag_responses("Version of the settings.")


@router.get(
    "/settings/network", name="read_network_settings", responses=ETAG_RESPONSE, dependencies=[requires(Action.SETTINGS)]
)
def read_network_settings(ctx: ContextDep, response: Response) -> schemas.NetworkSettingsRequest:
    """Read name, purpose and default consent of the network."""
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
    """Set name, purpose and default consent of the network."""
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
    response.headers["etag"] = format_etag(network_settings.network_version(network))
    return schemas.NetworkSettingsRequest(
        name=network.name, purpose=network.purpose, default_consent=network.default_consent
    )


def _expected_version(ctx: AppContext, if_match: str | None) -> str | None:
    """Return the version that the caller has seen; None for any."""
    network = ctx.store.network
    version = network_settings.network_version(network)
    return expected_version(if_match, version, kind="network", id=network.id)


@router.get(
    "/settings/limits", name="read_limits", responses=ETAG_RESPONSE, dependencies=[requires(Action.SET_BUDGETS)]
)
def read_limits(ctx: ContextDep, response: Response) -> schemas.LimitsResponse:
    """Read the publishing thresholds, and the budgets and costs of the language model."""
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
    """Set the publishing thresholds. Budgets are set in the server's environment."""
    network_settings.update_thresholds(
        ctx.store,
        contributors=body.min_contributors,
        teams=body.min_teams,
        expected_version=_expected_version(ctx, if_match),
    )
    return _limits_response(ctx, response)


def _limits_response(ctx: AppContext, response: Response) -> schemas.LimitsResponse:
    network, budget = ctx.store.network, ctx.settings.budget
    spending = get_spending(ctx.store, ctx.clock.now())
    response.headers["etag"] = format_etag(network_settings.network_version(network))
    return schemas.LimitsResponse(
        thresholds=schemas.ThresholdsRequest(
            min_contributors=network.rule.min_contributors, min_teams=network.rule.min_teams
        ),
        budgets=schemas.BudgetResponse(
            run_usd=budget.run_usd,
            month_usd=budget.month_usd,
            network_usd=budget.network_usd,
            spent_month_usd=spending.month_usd or 0.0,
            spent_network_usd=spending.network_usd or 0.0,
        ),
    )


@router.get("/roster", name="list_roster", dependencies=[requires(Action.ROSTER)])
def list_roster(
    ctx: ContextDep, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> schemas.PageResponse[schemas.RosterEntryResponse]:
    """List the names that are redacted in all texts, by number."""
    page, next_cursor = paginate(
        network_settings.list_roster(ctx.store), key=lambda entry: f"{entry.number:09d}", limit=limit, cursor=cursor
    )
    items = [
        schemas.RosterEntryResponse(
            number=entry.number, name=entry.name, kind=entry.kind, email=entry.email, team=entry.team
        )
        for entry in page
    ]
    return schemas.PageResponse(items=items, next_cursor=next_cursor)


@router.post(
    "/roster",
    name="add_to_roster",
    responses=problem_responses(400),
    dependencies=[requires(Action.ROSTER), ACCEPTS_IDEMPOTENCY_KEY],
)
def add_to_roster(ctx: ContextDep, body: schemas.RosterRequest) -> schemas.RosterChangeResponse:
    """Add names to the roster.

    All stored text is redacted again at once; large networks take a while.
    """
    people = [(entry.name, entry.kind, entry.email, entry.team) for entry in body.people]
    changed = network_settings.add_to_roster(ctx.store, people)
    return schemas.RosterChangeResponse(added=changed.added, changed_cases=changed.changed)


@router.delete(
    "/roster/{number}", name="take_off_roster", responses=problem_responses(404), dependencies=[requires(Action.ROSTER)]
)
def remove_from_roster(ctx: ContextDep, number: int) -> schemas.RosterChangeResponse:
    """Remove a name from the roster; it appears in texts again."""
    if not 0 < number < 2**31:
        raise NotFound("roster entry", str(number))
    return schemas.RosterChangeResponse(
        added=0, changed_cases=network_settings.remove_from_roster(ctx.store, number).changed
    )


@router.get("/possible-names", name="list_possible_names", dependencies=[requires(Action.SEE_POSSIBLE_NAMES)])
def list_possible_names(
    ctx: ContextDep, *, everywhere: bool = False, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> schemas.PageResponse[schemas.PossibleNameResponse]:
    """List possible names in the newest texts that are not on the roster, most likely first.

    `everywhere` searches all texts, which takes half a minute for 100,000 cases.
    """
    candidates = list(enumerate(possible_names.list_pending_names(ctx.store, all_texts=everywhere).names))
    page, next_cursor = paginate(candidates, key=lambda entry: f"{entry[0]:07d}", limit=limit, cursor=cursor)
    items = [
        schemas.PossibleNameResponse(
            name=candidate.name,
            n=candidate.n,
            n_texts=candidate.n_texts,
            why=list(candidate.why),
            contexts=list(candidate.contexts),
        )
        for _, candidate in page
    ]
    return schemas.PageResponse(items=items, next_cursor=next_cursor)


@router.post(
    "/possible-names/confirm",
    name="confirm_possible_names",
    responses=problem_responses(400),
    dependencies=[requires(Action.ROSTER), ACCEPTS_IDEMPOTENCY_KEY],
)
def confirm_possible_names(ctx: ContextDep, body: schemas.PossibleNamesRequest) -> schemas.RosterChangeResponse:
    """Add possible names to the roster and redact them in all stored text."""
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
    """Dismiss possible names that are not names; they are not listed again."""
    n = possible_names.dismiss_names(ctx.store, ctx.clock, body.names, actor=caller.audit_name)
    return schemas.DismissedNamesResponse(dismissed=n)


@router.post("/checkup", name="check_up", dependencies=[requires(Action.SETTINGS), ACCEPTS_IDEMPOTENCY_KEY])
def create_checkup(ctx: ContextDep) -> schemas.ListResponse[schemas.CheckResultResponse]:
    """Run the checks of `patternmind doctor`. Requests one token from each language model."""
    checks = run_checkup(ctx)
    return schemas.ListResponse(
        items=[schemas.CheckResultResponse(what=check.what, ok=check.ok, says=check.says) for check in checks]
    )
