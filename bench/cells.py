"""Bench cells: single measurements, each in its own process with a time limit.

The result of a cell is one line of JSON. It contains everything that its figures depend on; a cell is measured again
only if its latest line does not match any more.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OFFLINE_ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "TOKENIZERS_PARALLELISM": "false"}
"""Environment of a measurement; Toponymy imports litellm, which downloads prices on import."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

CellResult = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchCell:
    """Single measurement.

    Attributes:
        part: module that measures it.
        method: key of ``METHODS``.
        corpus: name of the corpus.
        n: number of rows, 0 for all.
        variant: distinguishes cells that are otherwise equal.
        threads: number of threads; 0 for the defaults of the libraries.
        limit_seconds: time limit.
    """

    part: str
    method: str
    corpus: str
    n: int = 0
    variant: str = ""
    threads: int = 0
    limit_seconds: int = 3600

    @property
    def key(self) -> tuple[str, str, str, int, str, int]:
        return (self.part, self.method, self.corpus, self.n, self.variant, self.threads)

    def __str__(self) -> str:
        rows = f"{self.n:,}" if self.n else ""
        return " ".join(filter(None, (self.part, self.method, self.corpus, rows, self.variant)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CellJob:
    """Cell with its input files.

    ``files`` maps each corpus to its vectors and its rows (ids, labels, texts).
    """

    cell: BenchCell
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])

    @classmethod
    def from_json(cls, text: str) -> "CellJob":
        values = json.loads(text)
        return cls(cell=BenchCell(**values["cell"]), files={name: (v, r) for name, (v, r) in values["files"].items()})

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def result_key(result: CellResult) -> tuple[str, str, str, int, str, int]:
    return BenchCell(**result["cell"]).key


def read_results(path: Path) -> dict[tuple[str, str, str, int, str, int], CellResult]:
    """Return the latest result of each cell."""
    if not path.is_file():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {result_key(line): line for line in lines}


def is_finished(result: CellResult | None, fingerprint: Mapping[str, str]) -> bool:
    """Return True if the cell has a result for the same versions, vectors and machine.

    A cell that exceeded its time limit counts too, because it would do so again.
    """
    return result is not None and result["status"] in {"ok", "over time"} and result["fingerprint"] == fingerprint


def append_result(path: Path, result: CellResult) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(result, ensure_ascii=False) + "\n")


def run_cell(job: CellJob, fingerprint: Mapping[str, str]) -> CellResult:
    """Measure a cell in a new process; a failure is a result too, with the end of the process's output."""
    cell = job.cell
    environment = {
        **os.environ,
        **OFFLINE_ENVIRONMENT,
        **({name: str(cell.threads) for name in THREAD_VARIABLES} if cell.threads else {}),
    }
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out, log_file = Path(folder) / "out.json", Path(folder) / "log.txt"
        with log_file.open("w", encoding="utf-8") as log:
            status = _run_process(
                [sys.executable, "-m", "bench.measure", job.to_json(), str(out)], environment, log, cell.limit_seconds
            )
        values: dict[str, Any] = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
        if status == "failed":
            values = {"error": log_file.read_text(encoding="utf-8", errors="replace").strip()[-600:]}
    return {
        "cell": asdict(cell),
        "status": status,
        "values": values,
        "seconds": round(time.perf_counter() - started, 1),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "fingerprint": dict(fingerprint),
    }


def _run_process(command: Sequence[str], environment: Mapping[str, str], log: Any, limit_seconds: int) -> str:
    try:
        process = subprocess.run(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, timeout=limit_seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return "over time"
    return "failed" if process.returncode else "ok"
