"""The server as a process: it says where it listens, answers, stops when told, and does not open itself to others."""

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
    """A server on a free port and its address, which it tells on stderr."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PATTERNMIND_")}
    server = subprocess.Popen(
        command(home, "serve", "--port", "0", *arguments), stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert server.stderr is not None
        told = server.stderr.readline()
        found = re.search(r"http://\S+:\d+", told)
        assert found is not None, told + server.stderr.read()
        yield server, found.group()
    finally:
        if server.poll() is None:
            server.kill()
        server.wait()


def get(address: str, **said: str) -> httpx.Response:
    """An answer, asked for until the server accepts connections."""
    for _ in range(100):
        try:
            return httpx.get(address, headers=said, timeout=20, trust_env=False)
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError(f"nobody answers at {address}")


def failure(home: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(command(home, "serve", *arguments), capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_at_once_and_stops_when_told(tmp_path: Path, how: signal.Signals) -> None:
    with serving(tmp_path) as (server, address):
        health = get(f"{address}/healthz")
        assert (health.status_code, health.json()) == (200, {"status": "ok"})
        assert "server" not in health.headers
        assert get(f"{address}/api/v1/themes").json() == {"items": []}
        assert get(f"{address}/api/v1/themes", host="evil.example").status_code == 403
        server.send_signal(how)
        assert server.wait(15) == 0
        assert server.stderr is not None
        link, stopped = server.stderr.read().splitlines()
        assert f"becomes the steward: {address}/sign-in/link/" in link
        assert stopped == "Stopped."


def test_beyond_loopback_it_wants_a_token_first(tmp_path: Path) -> None:
    code, said = failure(tmp_path, "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert code == 2
    assert "patternmind token create" in said
    assert len(said.splitlines()) == 1
    made = subprocess.run(command(tmp_path, "token", "create", "batch"), capture_output=True, text=True, check=True)
    secret = made.stdout.split()[0]
    with serving(tmp_path, "--host", "0.0.0.0") as (_, address):  # noqa: S104
        here = address.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert get(f"{here}/healthz").status_code == 200
        assert get(f"{here}/api/v1/themes").status_code == 401
        assert get(f"{here}/api/v1/themes", authorization=f"Bearer {secret}").status_code == 200


def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = failure(tmp_path, "--port", str(taken.getsockname()[1]))
    assert code == 1
    assert said.startswith("Port ")
    assert len(said.splitlines()) == 1


def test_a_forwarded_address_is_not_believed(tmp_path: Path) -> None:
    """A proxy header must not turn a stranger into the person at this machine, nor the other way round."""
    with serving(tmp_path) as (_, address):
        forwarded = {"x-forwarded-for": "192.0.2.7", "x-forwarded-host": "evil.example"}
        assert get(f"{address}/api/v1/themes", **forwarded).status_code == 200


def test_the_first_link_is_printed_until_somebody_has_signed_in(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, address):
        assert server.stderr is not None
        link = server.stderr.readline().split()[-1]
        page = get(link)
        assert "You are the first here" in page.text
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
