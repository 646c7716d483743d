"""Listening: on loopback unless somebody made a token, until somebody says stop."""

import shutil
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from patternmind.bootstrap import AppContext
from patternmind.errors import PatternmindError, UsageError
from patternmind.services.authentication import create_first_steward_link
from patternmind.web.app import make_app
from patternmind.web.event_streams import EventStreams
from patternmind.web.middleware import is_loopback

UPLOAD_RETENTION_SECONDS = 3600

SHUTDOWN_GRACE_SECONDS = 10
"""How long requests that are being answered may go on after a stop."""


class ListenFailed(PatternmindError):
    """The address is taken, not this machine's, or not allowed."""


def serve(ctx: AppContext, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        port: 0 takes any that is free; the one taken is printed.

    Raises:
        UsageError: beyond loopback without a token that is valid now.
        CannotListen
    """
    now = ctx.clock.now()
    valid = [token for token in ctx.store.tokens() if token.is_valid(now)]
    if not is_loopback(host) and not valid and not ctx.accounts.has_accounts():
        raise UsageError(
            f"To listen on {host}, where others can reach it, there must be somebody to let in: make a token with "
            "`patternmind token create NAME` or a member with `patternmind member add NAME`, then start again."
        )
    listener = _listen(host, port)
    _delete_stale_uploads(ctx.settings.home, now.timestamp())
    app = make_app(ctx, host=host)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # addresses hold what people search for
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=SHUTDOWN_GRACE_SECONDS,
    )
    _print_status(f"patternmind listens on {_base_url(host, listener)} (API: /api/v1/docs). Stop it with Ctrl+C.")
    if not ctx.accounts.has_accounts():
        link = create_first_steward_link(ctx.accounts, ctx.clock, ctx.settings.network)
        base = ctx.settings.url or _base_url(host, listener)
        _print_status(
            f"Nobody has signed in here yet. Who opens this link becomes the steward: {base}/sign-in/link/{link}"
        )
    if not is_loopback(host) and not (ctx.settings.url or "").startswith("https://"):
        _print_status("What is sent can be read on the way: put a proxy with HTTPS before it, and set PATTERNMIND_URL.")
    _run_until_stopped(uvicorn.Server(config), listener, app.state.rooms.event_streams)
    _print_status("Stopped.")


def _delete_stale_uploads(home: Path, now: float) -> None:
    """Remove what a killed server left of uploads: raw text nobody will read again. Younger ones may be another's."""
    for left in home.glob(".upload-*"):
        if now - left.stat().st_mtime > UPLOAD_RETENTION_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ListenFailed(
            f"Port {port} on {host} cannot be listened on ({error.strerror or error}). "
            "Choose another with --port, or stop the program that holds it."
        ) from error


def _base_url(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _run_until_stopped(server: uvicorn.Server, listener: socket.socket, event_streams: EventStreams) -> None:
    """uvicorn raises the signal that stopped it once more when it is done; by then there is nothing left to do.

    Streams of events would hold it until its grace is over, so they end first.
    """

    def stop(*_: object) -> None:
        event_streams.close()
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_status(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
