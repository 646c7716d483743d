"""A real server under people who mean it no good: bodies that never end, ten thousand wrong tokens, many at once.

While it goes on, somebody with a token gets their answers.
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
from tests.acceptance.test_api_schema import make_described
from tests.fixtures.commands import CommandRunner
from tests.fixtures.server import RunningServer, run_server

pytestmark = pytest.mark.prove

BAD_TOKENS = 10_000
SLOW_BODIES = 200
AT_ONCE = 20
GROWS_MEGABYTES = 60
"""What ten thousand refusals may leave behind in memory."""


@dataclass(frozen=True, slots=True)
class Attacked:
    served: RunningServer
    headers: dict[str, str]

    def reads(self) -> float:
        """Seconds that a read with a token takes now."""
        begun = time.monotonic()
        httpx.get(f"{self.served.address}/api/v1/cases", headers=self.headers, timeout=20).raise_for_status()
        return time.monotonic() - begun


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    home: Path = tmp_path_factory.mktemp("abuse")
    make_described(home)
    token = CommandRunner(home)("token", "create", "Ada", "--json").json()["token"]
    headers = {"authorization": f"Bearer {token}"}
    with run_server(home, **headers) as served:
        yield Attacked(served, headers)


def test_ten_thousand_wrong_tokens_open_nothing_and_hold_nobody_up(attacked: Attacked) -> None:
    attacked.reads()
    before = attacked.served.peak_megabytes()
    begun = time.monotonic()
    statuses, reads = asyncio.run(_try_tokens(attacked))
    seconds = time.monotonic() - begun
    grown = attacked.served.peak_megabytes() - before
    print(
        f"\n{BAD_TOKENS} wrong tokens in {seconds:.0f} s: {dict(statuses)}; meanwhile {len(reads)} reads with a token, "
        f"the slowest {1000 * max(reads):.0f} ms; {grown:.0f} MB more"
    )
    assert set(statuses) == {401, 429}
    assert statuses[401] <= 30 * (1 + seconds // 60 + 1), "so many a minute, and no more"
    assert grown < GROWS_MEGABYTES


async def _try_tokens(attacked: Attacked) -> tuple[Counter[int], list[float]]:
    statuses: Counter[int] = Counter()
    reads: list[float] = []
    waiting = iter(range(BAD_TOKENS))

    async def attack(client: httpx.AsyncClient) -> None:
        for n in waiting:
            header = {"authorization": f"Bearer pm_{n:040x}"}
            answer = await client.get("/api/v1/cases", headers=header)
            statuses[answer.status_code] += 1
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1

    async def read(client: httpx.AsyncClient) -> None:
        while statuses.total() < BAD_TOKENS:
            begun = time.monotonic()
            (await client.get("/api/v1/cases", headers=attacked.headers)).raise_for_status()
            reads.append(time.monotonic() - begun)
            await asyncio.sleep(0.2)

    async with httpx.AsyncClient(base_url=attacked.served.address, timeout=60) as client:
        await asyncio.gather(read(client), *(attack(client) for _ in range(AT_ONCE)))
    return statuses, reads


def test_bodies_that_never_end_hold_nobody_up(attacked: Attacked) -> None:
    """Each says that a megabyte follows, sends a few bytes, and then one now and again."""
    usual = max(attacked.reads() for _ in range(5))
    where = urlsplit(attacked.served.address)
    assert where.hostname
    assert where.port
    with ExitStack() as open_ones:
        held: list[socket.socket] = []
        for n in range(SLOW_BODIES):
            one = open_ones.enter_context(closing(socket.create_connection((where.hostname, where.port), 10)))
            one.sendall(_beginning(n, attacked))
            held.append(one)
        reads: list[float] = []
        for _ in range(10):
            for one in held:
                one.sendall(b" ")
            reads.append(attacked.reads())
        print(f"\n{SLOW_BODIES} bodies that never end: a read took {1000 * usual:.0f} ms before, now at most "
              f"{1000 * max(reads):.0f} ms")  # fmt: skip
        assert max(reads) < 2
    attacked.reads()
    assert list(_leftovers(attacked)) == []


def _beginning(n: int, attacked: Attacked) -> bytes:
    """A third to the API with a token, a third to a form without one, a third that never ends its headers."""
    if n % 3 == 2:
        return b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: "
    path = ("/api/v1/imports?filename=a.csv", "/sign-in")[n % 3]
    kind = ("application/octet-stream", "application/x-www-form-urlencoded")[n % 3]
    token = attacked.headers["authorization"] if n % 3 == 0 else ""
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-type: {kind}", "content-length: 900000"]
    return "\r\n".join([*lines, *([f"authorization: {token}"] if token else []), "", "x"]).encode()


def _leftovers(attacked: Attacked) -> Iterator[Path]:
    """Uploads that were cut off, once the server has noticed."""
    home = Path(f"/proc/{attacked.served.pid}/environ").read_bytes().split(b"\0")
    folder = next(one for one in home if one.startswith(b"PATTERNMIND_HOME=")).partition(b"=")[2].decode()
    for _ in range(100):
        left = list(Path(folder).glob(".upload-*"))
        if not left:
            return
        time.sleep(0.05)
    yield from Path(folder).glob(".upload-*")


def test_endless_lines_and_headers_are_turned_away(attacked: Attacked) -> None:
    where = urlsplit(attacked.served.address)
    assert where.hostname
    assert where.port
    for sent in (
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
        b"POST /sign-in HTTP/1.1\r\nhost: ::1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ):
        with closing(socket.create_connection((where.hostname, where.port), 10)) as one:
            one.sendall(sent)
            one.settimeout(10)
            try:
                answer = one.recv(64)
            except ConnectionResetError:
                answer = b""
        assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 303")), (sent[:60], answer)
    attacked.reads()
