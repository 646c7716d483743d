"""Settings of the network: its words, thresholds and budgets, the roster, possible names, and how all is."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from patternmind.bootstrap import House
from patternmind.checkup import examine
from patternmind.errors import ChangedMeanwhile, NotFound
from patternmind.model.rights import Action
from patternmind.verbs import redaction, settings
from patternmind.verbs.calls import spent_usd
from patternmind.web import answers
from patternmind.web.door import MAY_REPEAT, Door, TheCaller, TheHouse, problems
from patternmind.web.paging import Cursor, Limit, one_page
from patternmind.web.rights import needs

router = APIRouter(route_class=Door, tags=["settings"])

ETAG: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"description": "Names what is set now.", "schema": {"type": "string"}}}}
}
IfMatch = Annotated[str | None, Header(max_length=200, description="The ETag you have seen.")]


@router.get("/settings/network", name="read_network_settings", responses=ETAG, dependencies=[needs(Action.SETTINGS)])
def read_network_settings(house: TheHouse, response: Response) -> answers.NetworkSettings:
    """What the network is called, what it is for, and what a row without a word on consent means."""
    return _described(house, response)


@router.put(
    "/settings/network",
    name="put_network_settings",
    responses=problems(400, 412) | ETAG,
    dependencies=[needs(Action.SETTINGS)],
)
def put_network_settings(
    house: TheHouse, response: Response, asked: answers.NetworkSettings, if_match: IfMatch = None
) -> answers.NetworkSettings:
    """Set all three."""
    settings.describe_network(
        house.store,
        name=asked.name,
        purpose=asked.purpose,
        consent=asked.default_consent.value,
        version=_seen(house, if_match),
    )
    return _described(house, response)


def _described(house: House, response: Response) -> answers.NetworkSettings:
    network = house.store.network
    response.headers["etag"] = f'"{settings.network_version(network)}"'
    return answers.NetworkSettings(name=network.name, purpose=network.purpose, default_consent=network.default_consent)


def _seen(house: House, if_match: str | None) -> str | None:
    """The version the caller has seen; None for any."""
    if if_match is None or if_match.strip() == "*":
        return None
    now = settings.network_version(house.store.network)
    if f'"{now}"' not in [part.strip() for part in if_match.split(",")]:
        raise ChangedMeanwhile("network", house.store.network.id)
    return now


@router.get("/settings/limits", name="read_limits", responses=ETAG, dependencies=[needs(Action.SET_BUDGETS)])
def read_limits(house: TheHouse, response: Response) -> answers.LimitsAnswer:
    """How much must stand behind what is published, and what the language model may cost and has cost."""
    return _limits(house, response)


@router.put(
    "/settings/limits/thresholds",
    name="put_thresholds",
    responses=problems(400, 412) | ETAG,
    dependencies=[needs(Action.SET_BUDGETS)],
)
def put_thresholds(
    house: TheHouse, response: Response, asked: answers.Thresholds, if_match: IfMatch = None
) -> answers.LimitsAnswer:
    """Set both. Budgets are set in the environment of the server."""
    settings.set_thresholds(
        house.store,
        contributors=asked.min_contributors,
        teams=asked.min_teams,
        version=_seen(house, if_match),
    )
    return _limits(house, response)


def _limits(house: House, response: Response) -> answers.LimitsAnswer:
    network, budget = house.store.network, house.settings.budget
    spent = spent_usd(house.store, house.clock.now())
    response.headers["etag"] = f'"{settings.network_version(network)}"'
    return answers.LimitsAnswer(
        thresholds=answers.Thresholds(min_contributors=network.rule.min_contributors, min_teams=network.rule.min_teams),
        budgets=answers.BudgetAnswer(
            run_usd=budget.run_usd,
            month_usd=budget.month_usd,
            network_usd=budget.network_usd,
            spent_month_usd=spent.month_usd or 0.0,
            spent_network_usd=spent.network_usd or 0.0,
        ),
    )


@router.get("/roster", name="list_roster", dependencies=[needs(Action.ROSTER)])
def list_roster(house: TheHouse, limit: Limit = 50, cursor: Cursor = None) -> answers.Page[answers.RosterLine]:
    """Whose names are taken out of every text, by number."""
    page, following = one_page(
        settings.on_roster(house.store), key=lambda one: f"{one.number:09d}", limit=limit, cursor=cursor
    )
    items = [
        answers.RosterLine(number=one.number, name=one.name, kind=one.kind, email=one.email, team=one.team)
        for one in page
    ]
    return answers.Page(items=items, next_cursor=following)


@router.post("/roster", name="add_to_roster", responses=problems(400), dependencies=[needs(Action.ROSTER), MAY_REPEAT])
def add_to_roster(house: TheHouse, asked: answers.RosterAsked) -> answers.RosterAnswer:
    """Put names on it. All that is stored is redacted again at once; on a large network that takes a while."""
    people = [(one.name, one.kind, one.email, one.team) for one in asked.people]
    changed = settings.put_on_roster(house.store, people)
    return answers.RosterAnswer(added=changed.added, changed_cases=changed.changed)


@router.delete("/roster/{number}", name="take_off_roster", responses=problems(404), dependencies=[needs(Action.ROSTER)])
def take_off_roster(house: TheHouse, number: int) -> answers.RosterAnswer:
    """Take one off: from then on it is a word like any other, and stands in texts again."""
    if not 0 < number < 2**31:
        raise NotFound("line on the roster", str(number))
    return answers.RosterAnswer(added=0, changed_cases=settings.take_off_roster(house.store, number).changed)


@router.get("/possible-names", name="list_possible_names", dependencies=[needs(Action.SEE_POSSIBLE_NAMES)])
def list_possible_names(
    house: TheHouse, *, everywhere: bool = False, limit: Limit = 50, cursor: Cursor = None
) -> answers.Page[answers.PossibleNameAnswer]:
    """Names that nobody put on the roster and that the newest texts may still hold, the likeliest first.

    With `everywhere` in all texts, which takes half a minute on a network of 100,000 cases.
    """
    found = list(enumerate(redaction.waiting_names(house.store, everywhere=everywhere).names))
    page, following = one_page(found, key=lambda one: f"{one[0]:07d}", limit=limit, cursor=cursor)
    items = [
        answers.PossibleNameAnswer(
            name=one.name, n=one.n, n_texts=one.n_texts, why=list(one.why), contexts=list(one.contexts)
        )
        for _, one in page
    ]
    return answers.Page(items=items, next_cursor=following)


@router.post(
    "/possible-names/confirm",
    name="confirm_possible_names",
    responses=problems(400),
    dependencies=[needs(Action.ROSTER), MAY_REPEAT],
)
def confirm_possible_names(house: TheHouse, asked: answers.NamesAsked) -> answers.RosterAnswer:
    """They are names: they go on the roster, and out of all that is stored."""
    return answers.RosterAnswer(added=redaction.confirm_names(house.store, asked.names), changed_cases=None)


@router.post(
    "/possible-names/dismiss",
    name="dismiss_possible_names",
    responses=problems(400),
    dependencies=[needs(Action.ROSTER), MAY_REPEAT],
)
def dismiss_possible_names(house: TheHouse, caller: TheCaller, asked: answers.NamesAsked) -> answers.DismissedAnswer:
    """They are no names: they are offered no more."""
    n = redaction.dismiss_names(house.store, house.clock, asked.names, by=caller.known_as)
    return answers.DismissedAnswer(dismissed=n)


@router.post("/checkup", name="check_up", dependencies=[needs(Action.SETTINGS), MAY_REPEAT])
def check_up(house: TheHouse) -> answers.Listing[answers.FindingAnswer]:
    """What `patternmind doctor` says, without the server's folders. It asks each language model for one token."""
    return answers.Listing(items=look_over(house))


def look_over(house: House) -> list[answers.FindingAnswer]:
    """The findings, with the server's folders in words."""
    known = {str(house.settings.home): "the data folder"}
    if house.settings.prompts:
        known[str(house.settings.prompts)] = "the folder of prompts"
    if house.settings.encoder:
        known[str(house.settings.encoder)] = "the folder of the encoder"
    found: list[answers.FindingAnswer] = []
    for one in examine(house):
        says = one.says
        for folder, words in known.items():
            says = says.replace(folder, words)
        found.append(answers.FindingAnswer(what=one.what, ok=one.ok, says=says))
    return found
