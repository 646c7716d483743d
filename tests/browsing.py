"""A real browser and a real server for the pages. Without a browser the tests fail with one line; none is skipped."""

import os
import shutil
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from patternmind.bootstrap import House
from patternmind.web.app import make_app

NEEDED = (
    "These tests drive a real browser: install Debian's chromium (`apt-get install chromium`), or name one with "
    "CHROMIUM=PATH."
)


def find_chromium() -> str:
    """The path of the browser; the test fails where there is none."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        pytest.fail(NEEDED, pytrace=False)
    return found


@contextmanager
def chromium() -> Generator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def served(house: House, app: Any = None, *, port: int = 0) -> Generator[str]:
    """The address of the house's pages, on a port of their own unless one is named."""
    listener = socket.create_server(("127.0.0.1", port))
    app = app or make_app(house)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, server_header=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    app.state.rooms.streams.close()  # a page that is still open listens to one
    server.should_exit = True
    thread.join(timeout=10)


def complaints_of(page: Page, address: str) -> list[str]:
    """Filled as the page is used: errors, warnings, violations of its policy, requests to anywhere else."""
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else said.append(asked.url))
    return said


def findings_of(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds on a page, of any weight: the rule, and up to three places."""
    answer = cast(Any, Axe()).run(page).response
    return [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in answer["violations"]]
