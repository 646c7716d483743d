"""The process of one cell: ``python -m bench.measure JOB OUT``. The clock starts before anything heavy is imported."""

import time

STARTED = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402

from bench.cells import CellJob  # noqa: E402


def main(job_json: str, out: str) -> None:
    """Each part of the bench is a module with ``measure(job, started)`` that gives the values of the cell."""
    job = CellJob.from_json(job_json)
    values = import_module(f"bench.{job.cell.part}").measure(job, STARTED)
    Path(out).write_text(json.dumps(values), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
