"""A path reaches its own route, in whatever order the routers are found."""

import re
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match

from patternmind.web.app import API_ROUTER, PAGE_ROUTER


@pytest.mark.parametrize("router", [API_ROUTER, PAGE_ROUTER], ids=["api", "pages"])
def test_path_reaches_its_own_route(router: APIRouter) -> None:
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    assert len(routes) == len(router.routes)
    for route in routes:
        path = re.sub(r"\{\w+\}", "x-1", re.sub(r"\{\w+:path\}", "a/b", route.path))
        for method in route.methods or ():
            scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
            first = next(other for other in routes if other.matches(scope)[0] is Match.FULL)
            assert first is route, f"{method} {path} reaches {first.path}"
