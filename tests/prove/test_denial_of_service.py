"""A real server under attack: unfinished bodies, ten thousand wrong tokens, many at once.

Meanwhile a client with a valid token gets its responses.
"""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.acceptance.test_api_schema import make_described_network
from tests.fixtures.commands import CommandRunner
from tests.fixtures.server import RunningServer, run_server

pytestmark = pytest.mark.prove

BAD_TOKENS = 10_000
SLOW_BODIES = 200
AT_ONCE = 20
GROWS_MEGABYTES = 60
"""Memory growth allowed for ten thousand rejections."""


@dataclass(frozen=True, slots=True)
class Attacked:
    served: RunningServer
    headers: dict[str, str]

    def time_read(self) -> float:
        """Return the duration in seconds of a read with a token."""
        started_at = time.monotonic()
        httpx.get(f"{self.served.address}/api/v1/cases", headers=self.headers, timeout=20).raise_for_status()
        return time.monotonic() - started_at


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    home: Path = tmp_path_factory.mktemp("abuse")
    make_described_network(home)
    token = CommandRunner(home)("token", "create", "Ada", "--json").json()["token"]
    headers = {"authorization": f"Bearer {token}"}
    with run_server(home, **headers) as served:
        yield Attacked(served, headers)


def test_server_rejects_ten_thousand_wrong_tokens_without_delaying_others(attacked: Attacked) -> None:
    attacked.time_read()
    before = attacked.served.peak_megabytes()
    started_at = time.monotonic()
    statuses, reads = asyncio.run(_try_tokens(attacked))
    seconds = time.monotonic() - started_at
    growth_megabytes = attacked.served.peak_megabytes() - before
    print(
        f"\n{BAD_TOKENS} wrong tokens in {seconds:.0f} s: {dict(statuses)}; meanwhile {len(reads)} reads with a token, "
        f"the slowest {1000 * max(reads):.0f} ms; {growth_megabytes:.0f} MB more"
    )
    assert set(statuses) == {401, 429}
    assert statuses[401] <= 30 * (1 + seconds // 60 + 1), "the limit per minute"
    assert growth_megabytes < GROWS_MEGABYTES


async def _try_tokens(attacked: Attacked) -> tuple[Counter[int], list[float]]:
    statuses: Counter[int] = Counter()
    reads: list[float] = []
    numbers = iter(range(BAD_TOKENS))

    async def attack(client: httpx.AsyncClient) -> None:
        for n in numbers:
            header = {"authorization": f"Bearer pm_{n:040x}"}
            response = await client.get("/api/v1/cases", headers=header)
            statuses[response.status_code] += 1
            if response.status_code == 429:
                assert int(response.headers["retry-after"]) >= 1

    async def read(client: httpx.AsyncClient) -> None:
        while statuses.total() < BAD_TOKENS:
            started_at = time.monotonic()
            (await client.get("/api/v1/cases", headers=attacked.headers)).raise_for_status()
            reads.append(time.monotonic() - started_at)
            await asyncio.sleep(0.2)

    async with httpx.AsyncClient(base_url=attacked.served.address, timeout=60) as client:
        await asyncio.gather(read(client), *(attack(client) for _ in range(AT_ONCE)))
    return statuses, reads


def test_unfinished_bodies_do_not_delay_other_requests(attacked: Attacked) -> None:
    """Each body announces a megabyte, sends a few bytes, and then single bytes."""
    usual_seconds = max(attacked.time_read() for _ in range(5))
    url = urlsplit(attacked.served.address)
    assert url.hostname
    assert url.port
    with ExitStack() as stack:
        connections: list[socket.socket] = []
        for n in range(SLOW_BODIES):
            connection = stack.enter_context(closing(socket.create_connection((url.hostname, url.port), 10)))
            connection.sendall(_beginning(n, attacked))
            connections.append(connection)
        reads: list[float] = []
        for _ in range(10):
            for connection in connections:
                connection.sendall(b" ")
            reads.append(attacked.time_read())
        print(f"\n{SLOW_BODIES} bodies that never end: a read took {1000 * usual_seconds:.0f} ms before, now at most "
              f"{1000 * max(reads):.0f} ms")  # fmt: skip
        assert max(reads) < 2
    attacked.time_read()
    assert list(_leftovers(attacked)) == []


def _beginning(n: int, attacked: Attacked) -> bytes:
    """Return the start of a request: to the API with a token, to a form, or with endless headers."""
    if n % 3 == 2:
        return b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: "
    path = ("/api/v1/imports?filename=a.csv", "/sign-in")[n % 3]
    kind = ("application/octet-stream", "application/x-www-form-urlencoded")[n % 3]
    token = attacked.headers["authorization"] if n % 3 == 0 else ""
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-type: {kind}", "content-length: 900000"]
    return "\r\n".join([*lines, *([f"authorization: {token}"] if token else []), "", "x"]).encode()


def _leftovers(attacked: Attacked) -> Iterator[Path]:
    """Yield interrupted uploads that the server has not deleted in time."""
    environment = Path(f"/proc/{attacked.served.pid}/environ").read_bytes().split(b"\0")
    folder = next(entry for entry in environment if entry.startswith(b"PATTERNMIND_HOME=")).partition(b"=")[2].decode()
    for _ in range(100):
        leftovers = list(Path(folder).glob(".upload-*"))
        if not leftovers:
            return
        time.sleep(0.05)
    yield from Path(folder).glob(".upload-*")


def test_oversized_request_lines_and_headers_are_rejected(attacked: Attacked) -> None:
    url = urlsplit(attacked.served.address)
    assert url.hostname
    assert url.port
    for data in (
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
        b"POST /sign-in HTTP/1.1\r\nhost: ::1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ):
        with closing(socket.create_connection((url.hostname, url.port), 10)) as connection:
            connection.sendall(data)
            connection.settimeout(10)
            try:
                response = connection.recv(64)
            except ConnectionResetError:
                response = b""
        assert response == b"" or response.startswith((b"HTTP/1.1 4", b"HTTP/1.1 303")), (data[:60], response)
    attacked.time_read()
