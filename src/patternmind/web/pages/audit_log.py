"""The audit log: who did what, and when."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from patternmind.model.rights import Action
from patternmind.web.door import PageDoor, TheCaller, rooms_of
from patternmind.web.rendering import render
from patternmind.web.rights import needs

router = APIRouter(route_class=PageDoor)

ON_A_PAGE = 50


@router.get("/settings/audit", name="read_audit_log", dependencies=[needs(Action.AUDIT_LOG)])
def read_audit_log(
    request: Request, caller: TheCaller, before: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> Response:
    entries = rooms_of(request).house.accounts.audit(caller.network_id, before=before, limit=ON_A_PAGE + 1)
    more = f"/settings/audit?before={entries[ON_A_PAGE - 1].number}" if len(entries) > ON_A_PAGE else ""
    first = "/settings/audit" if before else ""
    return render(request, "settings/audit.html", entries=entries[:ON_A_PAGE], following=more, first=first)
