"""Audit entries of commands, in the same log as those of the web."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from patternmind.bootstrap import AppContext
    from patternmind.domain.permissions import Action

COMMAND_LINE = "the command line"
"""Name of the person at the machine in the audit log."""


def write_audit(
    ctx: "AppContext", action: "Action", did: str, kind: str = "", id: str = "", *, actor: str = ""
) -> None:
    """Write an entry to the audit log.

    Args:
        action: the permission that the web requires for the same change.
        actor: the name given with ``--by``, if the command has that option; nothing verifies it.
    """
    from patternmind.domain.members import AuditEntry

    who = f"{actor.strip()} ({COMMAND_LINE})" if actor.strip() else COMMAND_LINE
    entry = AuditEntry(at=ctx.clock.now(), who=who, action=action, did=did, kind=kind, id=id)
    ctx.accounts.audit.append(ctx.settings.network, entry)
