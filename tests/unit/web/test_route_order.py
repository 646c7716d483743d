"""A path reaches its own route, in whatever order the routers are found."""

import re
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Match

from patternmind.web.app import API_ROUTES, PAGE_ROUTES


@pytest.mark.parametrize("routes", [API_ROUTES, PAGE_ROUTES], ids=["api", "pages"])
def test_path_reaches_its_own_route(routes: list[APIRoute]) -> None:
    for route in routes:
        path = re.sub(r"\{\w+\}", "x-1", re.sub(r"\{\w+:path\}", "a/b", route.path))
        for method in route.methods or ():
            scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
            first = next(other for other in routes if other.matches(scope)[0] is Match.FULL)
            assert first is route, f"{method} {path} reaches {first.path}"
