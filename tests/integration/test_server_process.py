"""The server process: address, answers, shutdown and refusal to listen beyond loopback."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

COMMAND = Path(sys.executable).with_name("patternmind")


def command(home: Path, *arguments: str) -> list[str]:
    return [str(COMMAND), *arguments, "--home", str(home)]


@contextmanager
def serving(home: Path, *arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Yield a server on a free port and its address, which it prints on stderr."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PATTERNMIND_")}
    server = subprocess.Popen(
        command(home, "serve", "--port", "0", *arguments), stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert server.stderr is not None
        line = server.stderr.readline()
        match = re.search(r"http://\S+:\d+", line)
        assert match is not None, line + server.stderr.read()
        yield server, match.group()
    finally:
        if server.poll() is None:
            server.kill()
        server.wait()


def get(address: str, **headers: str) -> httpx.Response:
    """Return the response, retrying until the server accepts connections."""
    for _ in range(100):
        try:
            return httpx.get(address, headers=headers, timeout=20, trust_env=False)
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError(f"no server answers at {address}")


def failure(home: Path, *arguments: str) -> tuple[int, str]:
    result = subprocess.run(command(home, "serve", *arguments), capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout == ""
    return result.returncode, result.stderr


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_server_answers_requests_and_stops_on_signal(tmp_path: Path, stop_signal: signal.Signals) -> None:
    with serving(tmp_path) as (server, address):
        health = get(f"{address}/healthz")
        assert (health.status_code, health.json()) == (200, {"status": "ok"})
        assert "server" not in health.headers
        assert get(f"{address}/api/v1/themes").json() == {"items": []}
        assert get(f"{address}/api/v1/themes", host="evil.example").status_code == 403
        server.send_signal(stop_signal)
        assert server.wait(15) == 0
        assert server.stderr is not None
        link, stopped = server.stderr.read().splitlines()
        assert f"becomes the steward: {address}/sign-in/link/" in link
        assert stopped == "Stopped."


def test_server_refuses_to_listen_beyond_loopback_without_token(tmp_path: Path) -> None:
    code, message = failure(tmp_path, "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert code == 2
    assert "patternmind token create" in message
    assert len(message.splitlines()) == 1
    created = subprocess.run(command(tmp_path, "token", "create", "batch"), capture_output=True, text=True, check=True)
    secret = created.stdout.split()[0]
    with serving(tmp_path, "--host", "0.0.0.0") as (_, address):  # noqa: S104
        local_address = address.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert get(f"{local_address}/healthz").status_code == 200
        assert get(f"{local_address}/api/v1/themes").status_code == 401
        assert get(f"{local_address}/api/v1/themes", authorization=f"Bearer {secret}").status_code == 200


def test_server_reports_port_in_use_on_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code, message = failure(tmp_path, "--port", str(listener.getsockname()[1]))
    assert code == 1
    assert message.startswith("Cannot listen on port ")
    assert len(message.splitlines()) == 1


def test_server_ignores_forwarded_address_of_local_client(tmp_path: Path) -> None:
    """Proxy headers must neither grant nor remove the rights of the local user."""
    with serving(tmp_path) as (_, address):
        forwarded = {"x-forwarded-for": "192.0.2.7", "x-forwarded-host": "evil.example"}
        assert get(f"{address}/api/v1/themes", **forwarded).status_code == 200


def test_server_prints_first_link_until_member_signed_in(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, address):
        assert server.stderr is not None
        link = server.stderr.readline().split()[-1]
        page = get(link)
        assert "You are the first person here" in page.text
        token = re.findall(r'name="form_token" value="([0-9a-f]+)"', page.text)[0]
        same = {"origin": address, "sec-fetch-site": "same-origin"}
        signed_in = httpx.post(link, data={"name": "Ada Berg", "form_token": token}, headers=same, trust_env=False)
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/settings/account")
        assert "HttpOnly" in signed_in.headers["set-cookie"]
        assert get(f"{address}/api/v1/themes").status_code == 401
    with serving(tmp_path) as (server, address):
        get(f"{address}/healthz")
        server.send_signal(signal.SIGTERM)
        assert server.wait(15) == 0
        assert server.stderr is not None
        assert server.stderr.read() == "Stopped.\n"
