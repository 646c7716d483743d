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
from patternmind.bootstrap import House
from patternmind.web import static_files
from patternmind.web.answers import Health
from patternmind.web.auth import BEARER
from patternmind.web.described import docs_page
from patternmind.web.door import EVERYWHERE, Rooms, missing_page
from patternmind.web.encoding import OneAtATime
from patternmind.web.guard import Guard, is_loopback
from patternmind.web.openapi import DESCRIPTION, describe
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
from patternmind.web.pages import cases as case_pages
from patternmind.web.pages import draft as draft_page
from patternmind.web.pages import handing_in as handing_in_pages
from patternmind.web.pages import importing as importing_pages
from patternmind.web.pages import leaving as leaving_pages
from patternmind.web.pages import prereadings as prereading_pages
from patternmind.web.pages import review as review_pages
from patternmind.web.pages import runs as run_pages
from patternmind.web.pages import settings as settings_pages
from patternmind.web.pages import themes as themes_pages
from patternmind.web.problems import add_handlers
from patternmind.web.rights import needs_nobody
from patternmind.web.routes import (
    cases,
    drafts,
    handing_in,
    jobs,
    placing,
    prereadings,
    publishing,
    review,
    runs,
    settings,
    theme_edits,
    themes,
    uploads,
)
from patternmind.web.routes import members as network

API = "/api/v1"

ROUTERS: Sequence[APIRouter] = (
    placing.router,
    handing_in.router,
    uploads.router,
    cases.router,
    jobs.router,
    runs.router,
    theme_edits.router,
    themes.router,
    drafts.router,
    prereadings.router,
    review.router,
    publishing.router,
    settings.router,
    network.router,
)
"""Of the API. Placing and handing in come first: the route of one case takes whatever follows /cases/ for an id;
the log of edits before the route of one theme, for the same reason."""

PAGES: Sequence[APIRouter] = (
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


def make_app(house: House, *, host: str = "127.0.0.1") -> FastAPI:
    """The service over one data folder; nothing of it is opened before the first request.

    Args:
        host: where it will listen. Beyond loopback every request needs a token.
    """
    local = is_loopback(host)
    one_encoder = OneAtATime(lambda: house.encoder)
    only_here = local and house.settings.url is None
    rooms = Rooms(House(house.settings, encoder=one_encoder, clock=house.clock), local=only_here)

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
    app.openapi = partial(describe, app)
    app.add_middleware(Guard, local=local, url=house.settings.url)
    add_handlers(app)
    for router in ROUTERS:
        app.include_router(router, prefix=API, dependencies=[Depends(BEARER)], responses=EVERYWHERE)
    for router in PAGES:
        app.include_router(router, include_in_schema=False)
    pages = [route for router in PAGES for route in router.routes if isinstance(route, APIRoute)]
    app.state.pages = frozenset(route.path for route in pages)
    _add_open_pages(app)
    _answer_browsers(app)
    return app


def _answer_browsers(app: FastAPI) -> None:
    """A person at an address that is not there gets a page; a program gets problem details."""
    for_programs = cast(Callable[[Request, Exception], Awaitable[Response]], app.exception_handlers[HTTPException])

    async def on_http(request: Request, error: Exception) -> Response:
        asks_for_a_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
        if asks_for_a_page and cast(HTTPException, error).status_code == 404:
            return await missing_page(request)
        return await for_programs(request, error)

    app.add_exception_handler(HTTPException, on_http)


def _add_open_pages(app: FastAPI) -> None:
    """What anybody who can reach the server may read: nothing of it comes from the data folder."""

    @app.get("/healthz", name="health", tags=["health"], dependencies=[needs_nobody()])
    async def health() -> Health:  # pyright: ignore[reportUnusedFunction]
        """A sign of life, and nothing more."""
        return Health(status="ok")

    @app.get(f"{API}/openapi.json", name="description", include_in_schema=False, dependencies=[needs_nobody()])
    async def description() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse(app.openapi())

    @app.get(f"{API}/docs", name="documentation", include_in_schema=False, dependencies=[needs_nobody()])
    async def documentation() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return docs_page(app.openapi())
