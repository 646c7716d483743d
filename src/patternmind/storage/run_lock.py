"""Allow one run at a time on a data folder.

The kernel holds the lock and releases it when the process ends, in whatever way.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from patternmind.errors import RunInProgress
from patternmind.storage.engine import translate_db_errors


@contextmanager
def run_lock(data_folder: Path) -> Generator[None]:
    """Hold the run lock of a data folder.

    Raises:
        RunInProgress: another process holds it.
    """
    path = data_folder / "run.lock"
    with translate_db_errors(path):
        file = path.open("a+", encoding="ascii")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise RunInProgress(f"process {file.read().strip() or 'unknown'}") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
