"""Process of one cell: ``python -m bench.measure JOB OUT``.

The clock starts before any heavy import.
"""

import time

STARTED = time.perf_counter()

import json  # noqa: E402
import sys  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402

from bench.cells import CellJob  # noqa: E402


def main(job_json: str, out: str) -> None:
    """Measure a cell with the ``measure(job, started)`` function of its part and write the values."""
    job = CellJob.from_json(job_json)
    values = import_module(f"bench.{job.cell.part}").measure(job, STARTED)
    Path(out).write_text(json.dumps(values), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
