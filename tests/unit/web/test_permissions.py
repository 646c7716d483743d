"""The permission matrix matches the specification, and every route declares its permission."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import ALL_ROLES, AccessLevel, Action, Role, is_allowed, permission_matrix
from patternmind.settings import Settings
from patternmind.web.app import make_app
from patternmind.web.permissions import Permission, permissions_of
from patternmind.web.routing import ApiRoute, PageRoute

COLUMNS = (Role.MEMBER, Role.FACILITATOR, Role.STEWARD, Role.DATA_PARTNER, Role.SPONSOR)

SPECIFICATION = """
submit_case search record_use     | yes  | yes  | yes     | yes     | yes
see_raw_text see_possible_names   | own  | no   | yes     | no      | no
edit_case erase_case              | own  | no   | yes     | no      | no
import_files                      | no   | no   | yes     | yes     | no
see_drafts see_themes             | no   | yes  | yes     | yes     | no
review_drafts edit_themes         | no   | yes  | yes     | propose | no
request_prereading                | no   | yes  | yes     | no      | no
approve_prereading                | no   | yes  | yes     | no      | no
publish_pattern retire_pattern    | no   | no   | yes     | no      | no
send_recap                        | no   | yes  | yes     | no      | no
start_run set_budgets             | no   | no   | yes     | yes     | no
export                            | no   | yes  | yes     | yes     | read
metrics evals                     | read | read | read    | yes     | read
settings members roster           | no   | no   | yes     | no      | no
own_tokens own_keys               | yes  | yes  | yes     | yes     | yes
audit_log                         | no   | no   | yes     | yes     | yes
approve_charter                   | no   | no   | propose | no      | yes
"""
"""Access levels by action and role, as specified."""


def specified_levels() -> Iterator[tuple[Action, dict[Role, AccessLevel]]]:
    for line in SPECIFICATION.strip().splitlines():
        actions, *cells = [part.strip() for part in line.split("|")]
        for action in actions.split():
            yield Action(action), {role: AccessLevel(cell) for role, cell in zip(COLUMNS, cells, strict=True)}


def test_permission_matrix_matches_specification() -> None:
    assert dict(permission_matrix()) == dict(specified_levels())


@pytest.mark.parametrize(
    ("cell", "allowed"),
    [
        (AccessLevel.YES, {"plain", "own", "proposing", "reading"}),
        (AccessLevel.OWN, {"own"}),
        (AccessLevel.PROPOSE, {"proposing"}),
        (AccessLevel.READ, {"reading"}),
        (AccessLevel.NO, set[str]()),
    ],
)
def test_access_level_allows_exactly_its_requests(cell: AccessLevel, allowed: set[str]) -> None:
    for action, of_roles in permission_matrix().items():
        for role in (role for role, level in of_roles.items() if level is cell):
            requests = {
                "plain": {},
                "own": {"is_own": True},
                "proposing": {"is_proposal": True},
                "reading": {"is_read": True},
            }
            assert {name for name, flags in requests.items() if is_allowed({role}, action, **flags)} == allowed, (
                role,
                action,
            )


def test_permissions_combine_roles_and_deny_without_role() -> None:
    for action in Action:
        assert not is_allowed(frozenset(), action, is_own=True, is_proposal=True, is_read=True)
        assert is_allowed({Role.MEMBER, Role.STEWARD}, action) == (
            is_allowed({Role.MEMBER}, action) or is_allowed({Role.STEWARD}, action)
        )
        assert is_allowed(ALL_ROLES, action)


def all_routes() -> Iterator[tuple[str, APIRoute]]:
    """Yield all routes of the application."""
    app: FastAPI = make_app(AppContext(Settings(home=Path("nowhere"))))
    for route in app.routes:
        assert isinstance(route, APIRoute), f"{route} cannot declare a permission"
        yield f"{sorted(route.methods or ())} {route.path}", route


def test_routes_declare_one_permission_and_use_authorized_route_class() -> None:
    for name, route in all_routes():
        declared = permissions_of(route.dependencies)
        assert len(declared) == 1, f"{name} declares {len(declared)} permissions: add dependencies=[requires(Action.X)]"
        if declared[0] != Permission(None):
            assert isinstance(route, ApiRoute | PageRoute), (
                f"{name} does not check access: its router needs a route_class"
            )
