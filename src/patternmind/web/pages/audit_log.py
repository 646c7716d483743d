"""Settings page of the audit log."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from patternmind.domain.permissions import Action
from patternmind.web.page_request import PageDep
from patternmind.web.routing import PageRouter

router = PageRouter()

PAGE_SIZE = 50


@router.get("/settings/audit", "read_audit_log", Action.AUDIT_LOG)
def read_audit_log(page: PageDep, before: Annotated[int | None, Query(ge=1, le=2**53)] = None) -> Response:
    entries = page.accounts.audit.list_recent(page.caller.network_id, before=before, limit=PAGE_SIZE + 1)
    next_url = f"/settings/audit?before={entries[PAGE_SIZE - 1].number}" if len(entries) > PAGE_SIZE else ""
    first_url = "/settings/audit" if before else ""
    return page.render("settings/audit.html", entries=entries[:PAGE_SIZE], next_url=next_url, first_url=first_url)
