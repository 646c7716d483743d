"""What the web changed goes into the audit log, and who read raw text: by the door, so that no route can forget it."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from patternmind.domain.members import AuditEntry
from patternmind.domain.permissions import Action
from patternmind.web.middleware import SAFE_METHODS

if TYPE_CHECKING:
    from patternmind.web.auth import Caller

MAX_ID_LENGTH = 200
LOCAL_USER = "the person at this machine"


def audit_target(request: Request, kind: str, id: str) -> None:
    """Say what a request changed, where its address does not name it by the id that it is kept under."""
    request.state.touched = (kind, id)


def skip_audit(request: Request) -> None:
    """Say that a request, though sent like a change, only looked: there is nothing to write down."""
    request.state.changed_nothing = True


def record_change(request: Request, response: Response, action: Action | None) -> None:
    """Write down a request that changed something, once it has, or that read raw text. To sign in says so itself."""
    reading = request.method in SAFE_METHODS and action is not Action.SEE_RAW_TEXT
    if action is None or reading or response.status_code >= 400:
        return
    if getattr(request.state, "changed_nothing", False):
        return
    caller: Caller = request.state.caller
    append_audit_entry(request, caller, request.scope["route"].name, action, *_resolve_audit_target(request, response))


def append_audit_entry(
    request: Request, caller: "Caller", audit_action: str, action: Action | None, kind: str = "", id: str = ""
) -> None:
    house = request.app.state.rooms.ctx
    entry = AuditEntry(
        at=house.clock.now(), who=caller.audit_name, action=action, did=audit_action, kind=kind, id=id[:MAX_ID_LENGTH]
    )
    house.accounts.append_audit(caller.network_id, entry)


def _resolve_audit_target(request: Request, response: Response) -> tuple[str, str]:
    """What the route said; else the last id in the address; else the id of what was made, from where it is now."""
    said = getattr(request.state, "touched", None)
    if said is not None:
        return said
    named = [(name.removesuffix("_id"), str(value)) for name, value in request.path_params.items()]
    if named:
        return named[-1]
    parts = response.headers.get("location", "").partition("?")[0].strip("/").split("/")
    return (parts[-2].rstrip("s"), parts[-1]) if len(parts) > 2 else ("", "")
