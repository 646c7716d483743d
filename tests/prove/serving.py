"""A real `patternmind serve` on a data folder, in a process of its own."""

import contextlib
import re
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tests.acceptance.running import COMMAND, clean_environment, end


@dataclass(frozen=True, slots=True)
class Served:
    """Where a server answers; ``ready_seconds`` is from its start to its first answer out of the store."""

    address: str
    pid: int
    ready_seconds: float

    def peak_megabytes(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024


@contextmanager
def serving(home: Path, **headers: str) -> Generator[Served]:
    """``headers`` go with the first request, such as a token."""
    environment = clean_environment() | {"PATTERNMIND_HOME": str(home)}
    begun = time.monotonic()
    process = subprocess.Popen(
        [str(COMMAND), "serve", "--port", "0"], env=environment, stderr=subprocess.PIPE, process_group=0
    )
    try:
        assert process.stderr is not None
        said = next(line for line in process.stderr if b"listens on" in line).decode()
        found = re.search(r"http://[^\s/]+", said)
        assert found is not None
        _wait_for(found[0], headers)
        yield Served(found[0], process.pid, time.monotonic() - begun)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    finally:
        end(process)


def _wait_for(address: str, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=address, headers=headers) as client:
        for _ in range(1500):
            with contextlib.suppress(httpx.ConnectError):
                client.get("/api/v1/network").raise_for_status()
                return
            time.sleep(0.02)
    raise AssertionError("the server did not come up")
