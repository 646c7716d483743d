"""The app context of a command, and its entries in the audit log."""

import os
from pathlib import Path

from patternmind.bootstrap import AppContext
from patternmind.cli.options import global_options
from patternmind.domain.members import AuditEntry
from patternmind.domain.permissions import Action
from patternmind.settings import read_settings

COMMAND_LINE = "the command line"
"""Name of the person at the machine in the audit log."""


def open_context(home: Path | None) -> AppContext:
    """Open the app context of the chosen data folder and network."""
    return AppContext(read_settings(os.environ, home=home or global_options.home, network=global_options.network))


def write_audit(ctx: AppContext, action: Action, did: str, kind: str = "", id: str = "", *, actor: str = "") -> None:
    """Write an entry to the audit log.

    Args:
        action: the permission that the web requires for the same change.
        actor: the name given with ``--by``, if the command has that option; nothing verifies it.
    """
    who = f"{actor.strip()} ({COMMAND_LINE})" if actor.strip() else COMMAND_LINE
    entry = AuditEntry(at=ctx.clock.now(), who=who, action=action, did=did, kind=kind, id=id)
    ctx.accounts.audit.append(ctx.settings.network, entry)
