"""Roster and possible names."""

from typing import Literal

from pydantic import Field

from patternmind.domain.permissions import Action
from patternmind.domain.read_models import Page
from patternmind.errors import NotFound
from patternmind.services import network_settings, possible_names
from patternmind.web.api.schemas import PageResponse, RequestModel, ResponseModel
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.pagination import CursorQuery, LimitQuery, paginate
from patternmind.web.routing import ApiRouter

router = ApiRouter("settings")


class RosterEntryResponse(ResponseModel):
    """A person, customer, site or region whose name is redacted."""

    number: int
    name: str
    kind: str = Field(description="person, customer, site or region.")
    email: str | None = Field(description="E-mail addresses and handles.")
    team: str | None


class RosterEntryRequest(RequestModel):
    name: str = Field(min_length=1, max_length=200)
    kind: Literal["person", "customer", "site", "region"] = "person"
    email: str = Field(default="", max_length=400, description="E-mail addresses and handles, separated by spaces.")
    team: str = Field(default="", max_length=200)


class RosterRequest(RequestModel):
    people: list[RosterEntryRequest] = Field(min_length=1, max_length=5000)


class RosterChangeResponse(ResponseModel):
    added: int
    changed_cases: int | None = Field(
        validation_alias="changed", description="Number of cases whose redacted text changed; null if not counted."
    )


class PossibleNameResponse(ResponseModel):
    name: str
    n: int
    n_texts: int
    why: list[str]
    contexts: list[str] = Field(description="Text around it, without other possible names.")


class PossibleNamesRequest(RequestModel):
    names: list[str] = Field(min_length=1, max_length=500, description="The possible names to confirm or dismiss.")


class DismissedNamesResponse(ResponseModel):
    dismissed: int


@router.get("/roster", "list_roster", Action.ROSTER)
def list_roster(
    ctx: ContextDep, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> PageResponse[RosterEntryResponse]:
    """List the names that are redacted in all texts, by number."""
    roster = network_settings.list_roster(ctx.store)
    page = paginate(roster, key=lambda entry: f"{entry.number:09d}", limit=limit, cursor=cursor)
    return PageResponse[RosterEntryResponse].of_page(page)


@router.post("/roster", "add_to_roster", Action.ROSTER)
def add_to_roster(ctx: ContextDep, body: RosterRequest) -> RosterChangeResponse:
    """Add names to the roster.

    All stored text is redacted again at once; large networks take a while.
    """
    people = [(entry.name, entry.kind, entry.email, entry.team) for entry in body.people]
    return RosterChangeResponse.of(network_settings.add_to_roster(ctx.store, people))


@router.delete("/roster/{number}", "take_off_roster", Action.ROSTER)
def remove_from_roster(ctx: ContextDep, number: int) -> RosterChangeResponse:
    """Remove a name from the roster; it appears in texts again."""
    if not 0 < number < 2**31:
        raise NotFound("roster entry", str(number))
    return RosterChangeResponse.of(network_settings.remove_from_roster(ctx.store, number))


@router.get("/possible-names", "list_possible_names", Action.SEE_POSSIBLE_NAMES)
def list_possible_names(
    ctx: ContextDep, *, everywhere: bool = False, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> PageResponse[PossibleNameResponse]:
    """List names in the newest texts that may be missing on the roster, likeliest first.

    `everywhere` searches all texts, which takes half a minute for 100,000 cases.
    """
    candidates = list(enumerate(possible_names.list_pending_names(ctx.store, all_texts=everywhere).names))
    page = paginate(candidates, key=lambda entry: f"{entry[0]:07d}", limit=limit, cursor=cursor)
    return PageResponse[PossibleNameResponse].of_page(Page(tuple(name for _, name in page.rows), page.next_cursor))


@router.post("/possible-names/confirm", "confirm_possible_names", Action.ROSTER)
def confirm_possible_names(ctx: ContextDep, body: PossibleNamesRequest) -> RosterChangeResponse:
    """Add possible names to the roster and redact them in all stored text."""
    return RosterChangeResponse.model_validate(
        {"added": possible_names.confirm_names(ctx.store, body.names), "changed": None}
    )


@router.post("/possible-names/dismiss", "dismiss_possible_names", Action.ROSTER)
def dismiss_possible_names(ctx: ContextDep, caller: CallerDep, body: PossibleNamesRequest) -> DismissedNamesResponse:
    """Dismiss possible names that are not names; they are not listed again."""
    n = possible_names.dismiss_names(ctx.store, ctx.clock, body.names, actor=caller.audit_name)
    return DismissedNamesResponse(dismissed=n)
