"""Audit log entries for changes and raw-text reads; the route classes write them."""

from starlette.requests import Request
from starlette.responses import Response

from patternmind.domain.members import AuditEntry
from patternmind.domain.permissions import Action
from patternmind.web.caller import Caller
from patternmind.web.middleware import SAFE_METHODS
from patternmind.web.state import get_app_state

MAX_ID_LENGTH = 200


def audit_target(request: Request, kind: str, id: str) -> None:
    """Record the changed object, for routes whose path does not hold its stored id."""
    request.state.audit_target = (kind, id)


def skip_audit(request: Request) -> None:
    """Mark a POST as read-only, so that no audit entry is written."""
    request.state.skip_audit = True


def record_change(request: Request, response: Response, action: Action | None) -> None:
    """Write an audit entry for a successful change or raw-text read.

    Routes without an action, such as signing in, write their own entries.
    """
    is_read = request.method in SAFE_METHODS and action is not Action.SEE_RAW_TEXT
    if action is None or is_read or response.status_code >= 400:
        return
    if getattr(request.state, "skip_audit", False):
        return
    caller: Caller = request.state.caller
    append_audit_entry(request, caller, request.scope["route"].name, action, *_resolve_audit_target(request, response))


def append_audit_entry(
    request: Request, caller: Caller, audit_action: str, action: Action | None, kind: str = "", id: str = ""
) -> None:
    ctx = get_app_state(request).ctx
    entry = AuditEntry(
        at=ctx.clock.now(), who=caller.audit_name, action=action, did=audit_action, kind=kind, id=id[:MAX_ID_LENGTH]
    )
    ctx.accounts.audit.append(caller.network_id, entry)


def _resolve_audit_target(request: Request, response: Response) -> tuple[str, str]:
    """Return the kind and id of the changed object.

    The first of: the target set by the handler, the last id in the path, the id in the response's ``Location``.
    """
    target = getattr(request.state, "audit_target", None)
    if target is not None:
        return target
    path_ids = [(name.removesuffix("_id"), str(value)) for name, value in request.path_params.items()]
    if path_ids:
        return path_ids[-1]
    parts = response.headers.get("location", "").partition("?")[0].strip("/").split("/")
    return (parts[-2].rstrip("s"), parts[-1]) if len(parts) > 2 else ("", "")
