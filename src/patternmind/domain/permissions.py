"""Who may do what: the roles, the actions, and the matrix of the two, read from ``permissions.toml`` beside this file."""

import tomllib
from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Role(StrEnum):
    """What a member is in a network; one may be several."""

    MEMBER = "member"
    FACILITATOR = "facilitator"
    STEWARD = "steward"
    DATA_PARTNER = "data_partner"
    SPONSOR = "sponsor"

    @property
    def label(self) -> str:
        """As people write it: "data partner"."""
        return self.value.replace("_", " ")


class Action(StrEnum):
    """What somebody may do or not. A route declares one; the matrix says who may."""

    SUBMIT_CASE = "submit_case"
    SEARCH = "search"
    RECORD_USE = "record_use"
    SEE_RAW_TEXT = "see_raw_text"
    SEE_POSSIBLE_NAMES = "see_possible_names"
    EDIT_CASE = "edit_case"
    ERASE_CASE = "erase_case"
    IMPORT_FILES = "import_files"
    SEE_DRAFTS = "see_drafts"
    SEE_THEMES = "see_themes"
    REVIEW_DRAFTS = "review_drafts"
    EDIT_THEMES = "edit_themes"
    REQUEST_PREREADING = "request_prereading"
    APPROVE_PREREADING = "approve_prereading"
    PUBLISH_PATTERN = "publish_pattern"
    RETIRE_PATTERN = "retire_pattern"
    SEND_RECAP = "send_recap"
    START_RUN = "start_run"
    SET_BUDGETS = "set_budgets"
    EXPORT = "export"
    METRICS = "metrics"
    EVALS = "evals"
    SETTINGS = "settings"
    MEMBERS = "members"
    ROSTER = "roster"
    OWN_TOKENS = "own_tokens"
    OWN_KEYS = "own_keys"
    AUDIT_LOG = "audit_log"
    APPROVE_CHARTER = "approve_charter"


class AccessLevel(StrEnum):
    """How far an action is open to a role."""

    YES = "yes"
    OWN = "own"
    PROPOSE = "propose"
    READ = "read"
    NO = "no"


PermissionMatrix = Mapping[Action, Mapping[Role, AccessLevel]]

ALL_ROLES = frozenset(Role)


@cache
def permission_matrix() -> PermissionMatrix:
    """Every action with a cell for every role.

    Raises:
        ValueError, KeyError: the file names what there is not, names an action twice, or leaves one out.
    """
    text = files("patternmind.domain").joinpath("permissions.toml").read_text(encoding="utf-8")
    cells: dict[Action, dict[Role, AccessLevel]] = {}
    for row in tomllib.loads(text)["row"]:
        named = {name: value for name, value in row.items() if name not in {"what", "actions"}}
        of_roles = {Role(name): AccessLevel(value) for name, value in named.items()}
        for name in row["actions"]:
            if Action(name) in cells:
                raise ValueError(f"permissions.toml names {name} twice.")
            cells[Action(name)] = {role: of_roles.get(role, AccessLevel.NO) for role in Role}
    return {action: cells[action] for action in Action}


def is_allowed(
    roles: Collection[Role], action: Action, *, is_own: bool = False, is_proposal: bool = False, is_read: bool = False
) -> bool:
    """Whether somebody with these roles may do it; the widest of their roles decides.

    Args:
        own: it is done to something of their own.
        proposing: it is a proposal, and somebody else decides.
        reading: nothing is changed by it.
    """
    enough = {AccessLevel.YES}
    enough |= {AccessLevel.OWN} if is_own else set()
    enough |= {AccessLevel.PROPOSE} if is_proposal else set()
    enough |= {AccessLevel.READ} if is_read else set()
    return any(permission_matrix()[action][role] in enough for role in roles)
