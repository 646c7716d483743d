"""Listening: on loopback unless somebody made a token, until somebody says stop."""

import shutil
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from patternmind.bootstrap import House
from patternmind.errors import PatternmindError, UsageError
from patternmind.verbs.signing_in import make_first_link
from patternmind.web.app import make_app
from patternmind.web.guard import is_loopback

UPLOAD_SECONDS = 3600

GRACE_SECONDS = 10
"""How long requests that are being answered may go on after a stop."""


class CannotListen(PatternmindError):
    """The address is taken, not this machine's, or not allowed."""


def serve(house: House, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        port: 0 takes any that is free; the one taken is printed.

    Raises:
        UsageError: beyond loopback without a token that is valid now.
        CannotListen
    """
    now = house.clock.now()
    valid = [token for token in house.store.tokens() if token.is_valid(now)]
    if not is_loopback(host) and not valid and not house.accounts.has_accounts():
        raise UsageError(
            f"To listen on {host}, where others can reach it, there must be somebody to let in: make a token with "
            "`patternmind token create NAME` or a member with `patternmind member add NAME`, then start again."
        )
    listener = _listen(host, port)
    _sweep_uploads(house.settings.home, now.timestamp())
    config = uvicorn.Config(
        make_app(house, host=host),
        log_config=None,
        access_log=False,  # addresses hold what people search for
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    _say(f"patternmind listens on {_address(host, listener)} (API: /api/v1/docs). Stop it with Ctrl+C.")
    if not house.accounts.has_accounts():
        link = make_first_link(house.accounts, house.clock, house.settings.network)
        base = house.settings.url or _address(host, listener)
        _say(f"Nobody has signed in here yet. Who opens this link becomes the steward: {base}/sign-in/link/{link}")
    if not is_loopback(host) and not (house.settings.url or "").startswith("https://"):
        _say("What is sent can be read on the way: put a proxy with HTTPS before it, and set PATTERNMIND_URL.")
    _run_until_stopped(uvicorn.Server(config), listener)
    _say("Stopped.")


def _sweep_uploads(home: Path, now: float) -> None:
    """Remove what a killed server left of uploads: raw text nobody will read again. Younger ones may be another's."""
    for left in home.glob(".upload-*"):
        if now - left.stat().st_mtime > UPLOAD_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise CannotListen(
            f"Port {port} on {host} cannot be listened on ({error.strerror or error}). "
            "Choose another with --port, or stop the program that holds it."
        ) from error


def _address(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _run_until_stopped(server: uvicorn.Server, listener: socket.socket) -> None:
    """uvicorn raises the signal that stopped it once more when it is done; by then there is nothing left to do."""

    def stop(*_: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
