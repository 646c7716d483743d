"""Run the web server until it is stopped; beyond loopback only with a token or a member."""

import signal
import socket
import sys

import uvicorn

from patternmind.bootstrap import AppContext
from patternmind.errors import PatternmindError, UsageError
from patternmind.services.authentication import create_first_steward_link
from patternmind.web.app import make_app
from patternmind.web.event_streams import EventStreams
from patternmind.web.middleware import is_loopback
from patternmind.web.uploads import UploadStore

SHUTDOWN_GRACE_SECONDS = 10
"""Time that open requests get to finish after a stop."""


class ListenFailed(PatternmindError):
    """The address is in use, belongs to another machine, or is not allowed."""


def serve(ctx: AppContext, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        port: 0 chooses a free port; the address is printed.

    Raises:
        UsageError: the host is beyond loopback, and neither a valid token nor a member exists.
        ListenFailed: the address cannot be used.
    """
    now = ctx.clock.now()
    valid_tokens = [token for token in ctx.store.tokens.list_all() if token.is_valid(now)]
    if not is_loopback(host) and not valid_tokens and not ctx.accounts.members.has_accounts():
        raise UsageError(
            f"Others can reach {host}, so a sign-in is required first. Create a token with "
            "`patternmind token create NAME` or a member with `patternmind member add NAME`, then start again."
        )
    listener = _listen(host, port)
    UploadStore(ctx).delete_expired()
    app = make_app(ctx, host=host)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # paths contain search queries
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=SHUTDOWN_GRACE_SECONDS,
    )
    _print_status(f"patternmind listens on {_base_url(host, listener)} (API: /api/v1/docs). Stop it with Ctrl+C.")
    if not ctx.accounts.members.has_accounts():
        link = create_first_steward_link(ctx.accounts.sign_in_links, ctx.clock, ctx.settings.network)
        base = ctx.settings.url or _base_url(host, listener)
        _print_status(
            f"No member has signed in yet. The first to open this link becomes the steward: {base}/sign-in/link/{link}"
        )
    if not is_loopback(host) and not (ctx.settings.url or "").startswith("https://"):
        _print_status("The connection is not encrypted. Use a proxy with HTTPS, and set PATTERNMIND_URL.")
    _run_until_stopped(uvicorn.Server(config), listener, app.state.shared.event_streams)
    _print_status("Stopped.")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ListenFailed(
            f"Cannot listen on port {port} of {host} ({error.strerror or error}). "
            "Choose another with --port, or stop the program that uses it."
        ) from error


def _base_url(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _run_until_stopped(server: uvicorn.Server, listener: socket.socket, event_streams: EventStreams) -> None:
    """Run the server until SIGINT or SIGTERM, then restore the signal handlers.

    uvicorn raises the signal again after its shutdown, and nothing is left to do then. Open event streams would
    delay the shutdown until the grace period ends, so they are closed first.
    """

    def stop(*_: object) -> None:
        event_streams.close()
        server.should_exit = True

    former_handlers = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in former_handlers.items():
            signal.signal(number, handler)


def _print_status(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
