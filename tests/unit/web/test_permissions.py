"""The matrix is that of the product, and every route declares what it needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from patternmind.bootstrap import AppContext
from patternmind.domain.permissions import (
    ALL_ROLES,
    AccessLevel,
    Action,
    Role,
    is_allowed,
    permission_matrix,
)
from patternmind.settings import Settings
from patternmind.web.app import (
    API_PREFIX,
    API_ROUTERS,
    PAGE_ROUTERS,
    make_app,
)
from patternmind.web.permissions import Permission, permissions_of
from patternmind.web.routing import ApiRoute, PageRoute

COLUMNS = (Role.MEMBER, Role.FACILITATOR, Role.STEWARD, Role.DATA_PARTNER, Role.SPONSOR)

AGREED = """
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
"""Who may do what, as the people of the network agreed on it."""


def agreed() -> Iterator[tuple[Action, dict[Role, AccessLevel]]]:
    for line in AGREED.strip().splitlines():
        actions, *cells = [part.strip() for part in line.split("|")]
        for action in actions.split():
            yield Action(action), {role: AccessLevel(cell) for role, cell in zip(COLUMNS, cells, strict=True)}


def test_the_matrix_is_what_was_agreed_on() -> None:
    assert dict(permission_matrix()) == dict(agreed())


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
def test_each_cell_opens_what_it_says(cell: AccessLevel, allowed: set[str]) -> None:
    for action, of_roles in permission_matrix().items():
        for role in (role for role, one in of_roles.items() if one is cell):
            ways = {"plain": {}, "own": {"own": True}, "proposing": {"proposing": True}, "reading": {"reading": True}}
            assert {way for way, how in ways.items() if is_allowed({role}, action, **how)} == allowed, (role, action)


def test_the_widest_of_several_roles_decides_and_no_role_may_do_nothing() -> None:
    for action in Action:
        assert not is_allowed(frozenset(), action, is_own=True, is_proposal=True, is_read=True)
        assert is_allowed({Role.MEMBER, Role.STEWARD}, action) == (
            is_allowed({Role.MEMBER}, action) or is_allowed({Role.STEWARD}, action)
        )
        assert is_allowed(ALL_ROLES, action)


def all_routes() -> Iterator[tuple[str, APIRoute]]:
    """Every route there is: those of the routers, and what the application has beside them."""
    app: FastAPI = make_app(AppContext(Settings(home=Path("nowhere"))))
    own = APIRouter(routes=[route for route in app.routes if isinstance(route, APIRoute)])
    for prefix, routers in ((API_PREFIX, API_ROUTERS), ("", PAGE_ROUTERS), ("", [own])):
        for route in (route for router in routers for route in router.routes):
            assert isinstance(route, APIRoute), f"{route} is of a kind that cannot declare what it needs"
            yield f"{sorted(route.methods or ())} {prefix}{route.path}", route


def test_every_route_declares_one_need_and_stands_behind_a_door() -> None:
    for name, route in all_routes():
        declared = permissions_of(route.dependencies)
        assert len(declared) == 1, f"{name} declares {len(declared)} needs: add dependencies=[needs(Action.X)]"
        if declared[0] != Permission(None):
            assert isinstance(route, ApiRoute | PageRoute), f"{name} has no door: its router needs a route_class"


def test_nothing_else_is_in_the_application() -> None:
    app = make_app(AppContext(Settings(home=Path("nowhere"))))
    beside = [route for route in app.routes if not isinstance(route, APIRoute)]
    assert len(beside) == len(API_ROUTERS) + len(PAGE_ROUTERS), "include every router by ROUTERS or PAGES in web.app"
