"""The run lock allows one run per data folder and is released with its process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from patternmind.errors import RunInProgress, StoreUnavailable
from patternmind.storage.run_lock import run_lock

HOLD = """
import sys, time
from pathlib import Path
from patternmind.storage.run_lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_run_lock_names_its_holder_to_a_second_run(tmp_path: Path) -> None:
    with run_lock(tmp_path), pytest.raises(RunInProgress) as refused, run_lock(tmp_path):
        pass
    assert refused.value.holder == f"process {os.getpid()}"


def test_run_lock_is_released_when_a_run_fails(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), run_lock(tmp_path):
            raise ZeroDivisionError
    with run_lock(tmp_path):
        pass


def test_run_lock_is_separate_for_each_folder(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with run_lock(tmp_path), run_lock(tmp_path / "other"):
        pass


def test_run_lock_raises_when_the_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable), run_lock(tmp_path / "nowhere"):
        pass


def test_run_lock_is_released_when_its_process_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RunInProgress) as refused, run_lock(tmp_path):
            pass
        assert refused.value.holder == f"process {holder.pid}"
        holder.kill()
        holder.wait()
    until = time.monotonic() + 5
    while True:
        try:
            with run_lock(tmp_path):
                return
        except RunInProgress:
            assert time.monotonic() < until
            time.sleep(0.05)
