"""What a command changed goes into the audit log, as what is changed through the web does."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from patternmind.bootstrap import AppContext
    from patternmind.domain.permissions import Action

COMMAND_LINE = "the command line"
"""As the audit log names who works at the machine itself."""


def write_audit(
    ctx: "AppContext", action: "Action", did: str, kind: str = "", id: str = "", *, actor: str = ""
) -> None:
    """A line in the audit log. Whoever works at the machine says who they are; nothing checks it.

    Args:
        action: the right that the web takes for it.
        by: who decides, where the command asks for a name.
    """
    from patternmind.domain.members import AuditEntry

    who = f"{actor.strip()} ({COMMAND_LINE})" if actor.strip() else COMMAND_LINE
    entry = AuditEntry(at=ctx.clock.now(), who=who, action=action, did=did, kind=kind, id=id)
    ctx.accounts.append_audit(ctx.settings.network, entry)
