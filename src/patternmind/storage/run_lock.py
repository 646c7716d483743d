"""One run at a time on a data folder. The lock is the kernel's: it falls when its process does, however it ends."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from patternmind.errors import RunInProgress
from patternmind.storage.engine import translate_db_errors


@contextmanager
def run_lock(data_folder: Path) -> Generator[None]:
    """Hold the folder's run lock.

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
