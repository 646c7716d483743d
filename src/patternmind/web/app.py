"""The FastAPI application: API, pages, OpenAPI description and health check."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Literal, cast

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from patternmind import __version__
from patternmind.bootstrap import AppContext
from patternmind.web import api, pages, static_files
from patternmind.web.api_docs import docs_page
from patternmind.web.auth import identify
from patternmind.web.locked_encoder import LockedEncoder
from patternmind.web.middleware import SecurityMiddleware, is_loopback
from patternmind.web.openapi import DESCRIPTION, build_openapi
from patternmind.web.permissions import allows_anonymous
from patternmind.web.problems import add_exception_handlers
from patternmind.web.routing import API_PREFIX, not_found_page
from patternmind.web.state import AppState


class HealthResponse(BaseModel):
    status: Literal["ok"]


def _find_routes(package: ModuleType) -> Iterator[APIRoute]:
    """Yield the routes of every module of a package that has a ``router``."""
    for module_info in iter_modules(package.__path__, f"{package.__name__}."):
        yield from _routes_of(import_module(module_info.name))


def _routes_of(module: ModuleType) -> Iterator[APIRoute]:
    router = getattr(module, "router", APIRouter())
    yield from cast(list[APIRoute], router.routes)


def _matching_order(route: APIRoute) -> list[tuple[int, str]]:
    """Return a sort key: literal segments before parameters, and a parameter that matches slashes last of all."""
    *inner, last = route.path.split("/")
    return [*(_segment_order(segment) for segment in inner), _segment_order(last, is_last=True)]


def _segment_order(segment: str, *, is_last: bool = False) -> tuple[int, str]:
    if segment.endswith(":path}"):
        return (3 if is_last else 2), segment
    return int(segment.startswith("{")), segment


API_ROUTES = sorted(_find_routes(api), key=_matching_order)
PAGE_ROUTES = sorted([*_find_routes(pages), *_routes_of(static_files)], key=_matching_order)


def make_app(ctx: AppContext, *, host: str = "127.0.0.1") -> FastAPI:
    """Create the application for a data folder, which is opened on the first request.

    Args:
        ctx: settings, encoder and clock.
        host: the listening address. Beyond loopback every request needs a token.
    """
    is_local = is_loopback(host)
    encoder = LockedEncoder(lambda: ctx.encoder)
    shared_ctx = AppContext(ctx.settings, encoder=encoder, clock=ctx.clock)
    app_state = AppState(shared_ctx, is_local=is_local and ctx.settings.url is None, identify=identify)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        app_state.stop()

    app = FastAPI(
        title="patternmind",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.shared = app_state
    app.openapi = partial(build_openapi, app)
    app.add_middleware(SecurityMiddleware, is_local=is_local, url=ctx.settings.url)
    add_exception_handlers(app)
    app.router.routes += [*API_ROUTES, *PAGE_ROUTES]  # include_router would build them again for each application
    app.state.pages = frozenset(route.path for route in PAGE_ROUTES)
    _add_public_routes(app)
    _add_browser_error_pages(app)
    return app


def _add_browser_error_pages(app: FastAPI) -> None:
    """Answer unknown paths with a page for browsers and with problem details for programs."""
    on_http_problem = cast(Callable[[Request, Exception], Awaitable[Response]], app.exception_handlers[HTTPException])

    async def on_http(request: Request, error: Exception) -> Response:
        is_browser = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
        if is_browser and cast(HTTPException, error).status_code == 404:
            return await not_found_page(request)
        return await on_http_problem(request, error)

    app.add_exception_handler(HTTPException, on_http)


def _add_public_routes(app: FastAPI) -> None:
    """Add the routes for anonymous callers; they read nothing from the data folder."""

    @app.get("/healthz", name="health", tags=["health"], dependencies=[allows_anonymous()])
    async def health() -> HealthResponse:  # pyright: ignore[reportUnusedFunction]
        """Report that the server is running."""
        return HealthResponse(status="ok")

    @app.get(
        f"{API_PREFIX}/openapi.json", name="description", include_in_schema=False, dependencies=[allows_anonymous()]
    )
    async def description() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse(app.openapi())

    @app.get(f"{API_PREFIX}/docs", name="documentation", include_in_schema=False, dependencies=[allows_anonymous()])
    async def documentation() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return docs_page(app.openapi())
