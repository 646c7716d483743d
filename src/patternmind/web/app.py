"""The application: the API, its description, a page that says what this is, and a sign of life."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import Depends, FastAPI
from starlette.responses import HTMLResponse, JSONResponse

from patternmind import __version__
from patternmind.bootstrap import House
from patternmind.web.answers import Health
from patternmind.web.auth import BEARER
from patternmind.web.door import EVERYWHERE, Rooms
from patternmind.web.encoding import OneAtATime
from patternmind.web.guard import Guard, is_loopback
from patternmind.web.openapi import DESCRIPTION, describe
from patternmind.web.pages import docs_page, home_page
from patternmind.web.problems import add_handlers
from patternmind.web.routes import cases, drafts, placing, publishing, themes

API = "/api/v1"


def make_app(house: House, *, host: str = "127.0.0.1") -> FastAPI:
    """The service over one data folder; nothing of it is opened before the first request.

    Args:
        host: where it will listen. Beyond loopback every request needs a token.
    """
    local = is_loopback(host)
    one_encoder = OneAtATime(lambda: house.encoder)
    rooms = Rooms(House(house.settings, encoder=one_encoder, clock=house.clock), local=local)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        rooms.jobs.stop()

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
    app.add_middleware(Guard, local=local)
    add_handlers(app)
    # placing comes first: the route of one case takes whatever follows /cases/ for an id
    for routes in (placing, cases, themes, drafts, publishing):
        app.include_router(routes.router, prefix=API, dependencies=[Depends(BEARER)], responses=EVERYWHERE)
    _add_open_pages(app)
    return app


def _add_open_pages(app: FastAPI) -> None:
    """What anybody who can reach the server may read: nothing of it comes from the data folder."""

    @app.get("/healthz", tags=["health"])
    async def health() -> Health:  # pyright: ignore[reportUnusedFunction]
        """A sign of life, and nothing more."""
        return Health(status="ok")

    @app.get("/", include_in_schema=False)
    async def home() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return home_page()

    @app.get(f"{API}/openapi.json", include_in_schema=False)
    async def description() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse(app.openapi())

    @app.get(f"{API}/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return docs_page(app.openapi())
