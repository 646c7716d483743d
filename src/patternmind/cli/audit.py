"""What a command changed goes into the audit log, as what is changed through the web does."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from patternmind.bootstrap import House
    from patternmind.model.rights import Action

HERE = "the command line"
"""As the audit log names who works at the machine itself."""


def write_audit(house: "House", action: "Action", did: str, kind: str = "", id: str = "", *, by: str = "") -> None:
    """A line in the audit log. Whoever works at the machine says who they are; nothing checks it.

    Args:
        action: the right that the web takes for it.
        by: who decides, where the command asks for a name.
    """
    from patternmind.model.members import AuditEntry

    who = f"{by.strip()} ({HERE})" if by.strip() else HERE
    entry = AuditEntry(at=house.clock.now(), who=who, action=action, did=did, kind=kind, id=id)
    house.accounts.append_audit(house.settings.network, entry)
