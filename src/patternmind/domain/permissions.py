"""Roles, actions and the permission matrix, which is read from ``permissions.toml``."""

import tomllib
from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Role(StrEnum):
    """Role of a member in a network; a member can have several."""

    MEMBER = "member"
    FACILITATOR = "facilitator"
    STEWARD = "steward"
    DATA_PARTNER = "data_partner"
    SPONSOR = "sponsor"

    @property
    def label(self) -> str:
        """Role name with spaces, such as "data partner"."""
        return self.value.replace("_", " ")


class Action(StrEnum):
    """Action that requires permission; a route declares one, and the matrix maps it to roles."""

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
    """Extent to which a role may perform an action."""

    YES = "yes"
    OWN = "own"
    PROPOSE = "propose"
    READ = "read"
    NO = "no"


PermissionMatrix = Mapping[Action, Mapping[Role, AccessLevel]]

ALL_ROLES = frozenset(Role)


@cache
def permission_matrix() -> PermissionMatrix:
    """Return the access level of every role for every action.

    Raises:
        ValueError: the file names an unknown role, level or action, or names an action twice.
        KeyError: the file omits an action.
    """
    text = files("patternmind.domain").joinpath("permissions.toml").read_text(encoding="utf-8")
    matrix: dict[Action, dict[Role, AccessLevel]] = {}
    for row in tomllib.loads(text)["row"]:
        cells = {name: value for name, value in row.items() if name not in {"what", "actions"}}
        level_by_role = {Role(name): AccessLevel(value) for name, value in cells.items()}
        for name in row["actions"]:
            if Action(name) in matrix:
                raise ValueError(f"permissions.toml names {name} twice.")
            matrix[Action(name)] = {role: level_by_role.get(role, AccessLevel.NO) for role in Role}
    return {action: matrix[action] for action in Action}


def is_allowed(
    roles: Collection[Role], action: Action, *, is_own: bool = False, is_proposal: bool = False, is_read: bool = False
) -> bool:
    """Return True if a member with these roles may perform the action; the most permissive role decides.

    Args:
        is_own: the action concerns the member's own object.
        is_proposal: the action is a proposal on which another member decides.
        is_read: the action changes nothing.
    """
    sufficient = {AccessLevel.YES}
    sufficient |= {AccessLevel.OWN} if is_own else set()
    sufficient |= {AccessLevel.PROPOSE} if is_proposal else set()
    sufficient |= {AccessLevel.READ} if is_read else set()
    return any(permission_matrix()[action][role] in sufficient for role in roles)
