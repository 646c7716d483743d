"""The application: the API, its description, a page that says what this is, and a sign of life."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from patternmind import __version__
from patternmind.bootstrap import AppContext
from patternmind.web import static_files
from patternmind.web.api import (
    case_submission,
    cases,
    drafts,
    jobs,
    placements,
    playbook,
    prereadings,
    review,
    runs,
    settings,
    theme_edits,
    themes,
    uploads,
)
from patternmind.web.api import members as network
from patternmind.web.api.schemas import HealthResponse
from patternmind.web.api_docs import docs_page
from patternmind.web.auth import BEARER_SCHEME
from patternmind.web.locked_encoder import LockedEncoder
from patternmind.web.middleware import SecurityMiddleware, is_loopback
from patternmind.web.openapi import DESCRIPTION, build_openapi
from patternmind.web.pages import (
    account,
    audit_log,
    home,
    library,
    members,
    prereading_edit,
    roster,
    sign_in,
    theme,
    theme_changes,
    tokens,
)
from patternmind.web.pages import case_import as importing_pages
from patternmind.web.pages import case_removal as leaving_pages
from patternmind.web.pages import case_submission as handing_in_pages
from patternmind.web.pages import cases as case_pages
from patternmind.web.pages import draft as draft_page
from patternmind.web.pages import prereadings as prereading_pages
from patternmind.web.pages import review as review_pages
from patternmind.web.pages import runs as run_pages
from patternmind.web.pages import settings as settings_pages
from patternmind.web.pages import themes as themes_pages
from patternmind.web.permissions import allows_anonymous
from patternmind.web.problems import add_exception_handlers
from patternmind.web.routing import COMMON_PROBLEM_RESPONSES, AppState, not_found_page

API_PREFIX = "/api/v1"

API_ROUTERS: Sequence[APIRouter] = (
    placements.router,
    case_submission.router,
    uploads.router,
    cases.router,
    jobs.router,
    runs.router,
    theme_edits.router,
    themes.router,
    drafts.router,
    prereadings.router,
    review.router,
    playbook.router,
    settings.router,
    network.router,
)
"""Of the API. Placing and handing in come first: the route of one case takes whatever follows /cases/ for an id;
the log of edits before the route of one theme, for the same reason."""

PAGE_ROUTERS: Sequence[APIRouter] = (
    static_files.router,
    home.router,
    review_pages.router,
    draft_page.router,
    library.router,
    themes_pages.router,
    theme_changes.router,
    theme.router,
    prereading_pages.router,
    prereading_edit.router,
    run_pages.router,
    settings_pages.router,
    roster.router,
    handing_in_pages.router,
    importing_pages.router,
    leaving_pages.router,
    case_pages.router,
    sign_in.router,
    account.router,
    members.router,
    tokens.router,
    audit_log.router,
)
"""Of the pages, one an area."""


def make_app(ctx: AppContext, *, host: str = "127.0.0.1") -> FastAPI:
    """The service over one data folder; nothing of it is opened before the first request.

    Args:
        host: where it will listen. Beyond loopback every request needs a token.
    """
    local = is_loopback(host)
    one_encoder = LockedEncoder(lambda: ctx.encoder)
    only_here = local and ctx.settings.url is None
    rooms = AppState(AppContext(ctx.settings, encoder=one_encoder, clock=ctx.clock), is_local=only_here)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        rooms.stop()

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
    app.state.rooms = rooms
    app.openapi = partial(build_openapi, app)
    app.add_middleware(SecurityMiddleware, is_local=local, url=ctx.settings.url)
    add_exception_handlers(app)
    for router in API_ROUTERS:
        app.include_router(
            router, prefix=API_PREFIX, dependencies=[Depends(BEARER_SCHEME)], responses=COMMON_PROBLEM_RESPONSES
        )
    for router in PAGE_ROUTERS:
        app.include_router(router, include_in_schema=False)
    pages = [route for router in PAGE_ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    app.state.pages = frozenset(route.path for route in pages)
    _add_public_routes(app)
    _add_browser_error_pages(app)
    return app


def _add_browser_error_pages(app: FastAPI) -> None:
    """A person at an address that is not there gets a page; a program gets problem details."""
    for_programs = cast(Callable[[Request, Exception], Awaitable[Response]], app.exception_handlers[HTTPException])

    async def on_http(request: Request, error: Exception) -> Response:
        asks_for_a_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
        if asks_for_a_page and cast(HTTPException, error).status_code == 404:
            return await not_found_page(request)
        return await for_programs(request, error)

    app.add_exception_handler(HTTPException, on_http)


def _add_public_routes(app: FastAPI) -> None:
    """What anybody who can reach the server may read: nothing of it comes from the data folder."""

    @app.get("/healthz", name="health", tags=["health"], dependencies=[allows_anonymous()])
    async def health() -> HealthResponse:  # pyright: ignore[reportUnusedFunction]
        """A sign of life, and nothing more."""
        return HealthResponse(status="ok")

    @app.get(
        f"{API_PREFIX}/openapi.json", name="description", include_in_schema=False, dependencies=[allows_anonymous()]
    )
    async def description() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse(app.openapi())

    @app.get(f"{API_PREFIX}/docs", name="documentation", include_in_schema=False, dependencies=[allows_anonymous()])
    async def documentation() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return docs_page(app.openapi())
