"""The real command, as a person runs it: a process of its own, on a data folder of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).parent / "patternmind"
SAMPLE = Path(str(files("patternmind") / "sample"))
NOBODY = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--securebits=+no_setuid_fixup"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"),
)
"""An ordinary user who may read all, for the interpreter may lie in root's own folder; writing is what is tried."""

_MEASURED = """
import os, sys
child = os.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss))
os._exit(os.waitstatus_to_exitcode(status) % 256)
"""
"""A process inherits the peak of the one it is forked from; this one is small, the process that tests is not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said and how it ended; ``peak_mb`` is 0 where it was not asked for."""

    code: int
    out: str
    err: str
    seconds: float
    peak_mb: float = 0.0

    def json(self) -> Any:
        """The one JSON value on stdout, after exit 0."""
        assert self.code == 0, self
        return json.loads(self.out)

    def rows(self) -> list[Any]:
        """The JSON values on stdout, one a line, after exit 0."""
        assert self.code == 0, self
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Patternmind:
    """The command on one data folder.

    ``before`` stands before the command, such as a program that changes the user or the namespace it runs in.
    """

    home: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    before: Sequence[str] = ()

    def __call__(self, *arguments: object, seconds: float = 120, measured: bool = False) -> Answer:
        """Run it to its end; one that takes longer than ``seconds`` is killed, and the test fails."""
        with tempfile.TemporaryDirectory(prefix="patternmind-test-") as scratch:
            peak = Path(scratch) / "peak"
            before = [sys.executable, "-I", "-S", "-c", _MEASURED, str(peak)] if measured else []
            begun = time.monotonic()
            out, err = Path(scratch) / "out", Path(scratch) / "err"
            with out.open("wb") as stdout, err.open("wb") as stderr:
                process = self._start(arguments, before, stdout=stdout, stderr=stderr)
                try:
                    code = process.wait(seconds)
                finally:
                    end(process)
                took = time.monotonic() - begun
            peak_mb = int(peak.read_text()) / 1024 if measured else 0.0
            return Answer(code, out.read_text("utf-8"), err.read_text("utf-8"), took, peak_mb)

    @contextlib.contextmanager
    def started(self, *arguments: object) -> Generator["subprocess.Popen[bytes]"]:
        """Start it and go on; what still runs at the end of the block is killed."""
        process = self._start(arguments, [], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            end(process)

    def _start(
        self, arguments: Sequence[object], before: Sequence[str], *, stdout: Any, stderr: Any
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self.before, *before, str(COMMAND), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=clean_environment() | {"PATTERNMIND_HOME": str(self.home), **self.env},
            cwd="/",
            process_group=0,
        )

    def on(self, home: Path) -> "Patternmind":
        return replace(self, home=home)

    def with_env(self, **env: str) -> "Patternmind":
        return replace(self, env={**self.env, **env})

    def as_ordinary_user(self) -> "Patternmind":
        """As somebody whom file permissions stop from writing: this user, or ``NOBODY`` where this user is root."""
        return self if os.getuid() else replace(self, before=NOBODY)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and all that it started, where any of them still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def clean_environment() -> dict[str, str]:
    """This process's environment without settings, and with no network for anything that asks politely."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PATTERNMIND_")}
    return kept | {"HF_HUB_OFFLINE": "1", "NO_COLOR": "1", "COLUMNS": "200"}


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def quotes_in(drafts: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Every quote of every claim of these exported drafts or pre-readings."""
    return (quote for draft in drafts for claim in draft["claims"] for quote in claim["quotes"])


def is_verbatim(quote: Mapping[str, Any], texts: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a quote stands where it says it stands; ``texts`` are exported cases' texts by case id."""
    text = texts.get(quote["case_id"], {}).get(quote["field"], "")
    return bool(quote["text"]) and text[quote["start"] : quote["end"]] == quote["text"]
