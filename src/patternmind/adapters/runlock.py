"""One run at a time on a data folder. The lock is the kernel's: it falls when its process does, however it ends."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from patternmind.adapters.store.engine import plain_errors
from patternmind.errors import RunInProgress


@contextmanager
def run_lock(home: Path) -> Generator[None]:
    """Hold the folder's run lock.

    Raises:
        RunInProgress: another process holds it.
    """
    path = home / "run.lock"
    with plain_errors(path):
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
