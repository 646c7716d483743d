"""Roster and possible names."""

from typing import Literal

from pydantic import BaseModel, Field

from patternmind.domain.permissions import Action
from patternmind.errors import NotFound
from patternmind.services import network_settings, possible_names
from patternmind.web.api.schemas import PageResponse, RequestModel
from patternmind.web.dependencies import CallerDep, ContextDep
from patternmind.web.pagination import CursorQuery, LimitQuery, paginate
from patternmind.web.routing import ApiRouter

router = ApiRouter("settings")


class RosterEntryResponse(BaseModel):
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


class RosterChangeResponse(BaseModel):
    added: int
    changed_cases: int | None = Field(description="Number of cases whose redacted text changed; null if not counted.")


class PossibleNameResponse(BaseModel):
    name: str
    n: int
    n_texts: int
    why: list[str]
    contexts: list[str] = Field(description="Text around it, without other possible names.")


class PossibleNamesRequest(RequestModel):
    names: list[str] = Field(min_length=1, max_length=500, description="The possible names to confirm or dismiss.")


class DismissedNamesResponse(BaseModel):
    dismissed: int


@router.get("/roster", "list_roster", Action.ROSTER)
def list_roster(
    ctx: ContextDep, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> PageResponse[RosterEntryResponse]:
    """List the names that are redacted in all texts, by number."""
    page, next_cursor = paginate(
        network_settings.list_roster(ctx.store), key=lambda entry: f"{entry.number:09d}", limit=limit, cursor=cursor
    )
    items = [
        RosterEntryResponse(number=entry.number, name=entry.name, kind=entry.kind, email=entry.email, team=entry.team)
        for entry in page
    ]
    return PageResponse(items=items, next_cursor=next_cursor)


@router.post("/roster", "add_to_roster", Action.ROSTER)
def add_to_roster(ctx: ContextDep, body: RosterRequest) -> RosterChangeResponse:
    """Add names to the roster.

    All stored text is redacted again at once; large networks take a while.
    """
    people = [(entry.name, entry.kind, entry.email, entry.team) for entry in body.people]
    changed = network_settings.add_to_roster(ctx.store, people)
    return RosterChangeResponse(added=changed.added, changed_cases=changed.changed)


@router.delete("/roster/{number}", "take_off_roster", Action.ROSTER)
def remove_from_roster(ctx: ContextDep, number: int) -> RosterChangeResponse:
    """Remove a name from the roster; it appears in texts again."""
    if not 0 < number < 2**31:
        raise NotFound("roster entry", str(number))
    return RosterChangeResponse(added=0, changed_cases=network_settings.remove_from_roster(ctx.store, number).changed)


@router.get("/possible-names", "list_possible_names", Action.SEE_POSSIBLE_NAMES)
def list_possible_names(
    ctx: ContextDep, *, everywhere: bool = False, limit: LimitQuery = 50, cursor: CursorQuery = None
) -> PageResponse[PossibleNameResponse]:
    """List names in the newest texts that may be missing on the roster, likeliest first.

    `everywhere` searches all texts, which takes half a minute for 100,000 cases.
    """
    candidates = list(enumerate(possible_names.list_pending_names(ctx.store, all_texts=everywhere).names))
    page, next_cursor = paginate(candidates, key=lambda entry: f"{entry[0]:07d}", limit=limit, cursor=cursor)
    items = [
        PossibleNameResponse(
            name=candidate.name,
            n=candidate.n,
            n_texts=candidate.n_texts,
            why=list(candidate.why),
            contexts=list(candidate.contexts),
        )
        for _, candidate in page
    ]
    return PageResponse(items=items, next_cursor=next_cursor)


@router.post("/possible-names/confirm", "confirm_possible_names", Action.ROSTER)
def confirm_possible_names(ctx: ContextDep, body: PossibleNamesRequest) -> RosterChangeResponse:
    """Add possible names to the roster and redact them in all stored text."""
    return RosterChangeResponse(added=possible_names.confirm_names(ctx.store, body.names), changed_cases=None)


@router.post("/possible-names/dismiss", "dismiss_possible_names", Action.ROSTER)
def dismiss_possible_names(ctx: ContextDep, caller: CallerDep, body: PossibleNamesRequest) -> DismissedNamesResponse:
    """Dismiss possible names that are not names; they are not listed again."""
    n = possible_names.dismiss_names(ctx.store, ctx.clock, body.names, actor=caller.audit_name)
    return DismissedNamesResponse(dismissed=n)
