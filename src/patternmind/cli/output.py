"""Output of the commands: JSON alone on stdout with --json, else readable text; progress on stderr."""

import json
import os
import signal
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBars
from rich.table import Table

from patternmind.domain.characters import strip_hidden
from patternmind.ports import Progress
from patternmind.publishing.document import Document
from patternmind.publishing.render import render_document

NO_RUN_MESSAGE = "No runs yet. Import cases with `patternmind ingest`, then start a run with `patternmind run`."


def write_exact(text: str) -> None:
    """Write text for programs unchanged, as UTF-8, whatever the terminal's encoding is."""
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
    sys.stdout.flush()


def write_text(text: str) -> None:
    """Write text for people, without characters that a terminal would act on."""
    write_exact(strip_hidden(text))


def write_json(value: Any) -> None:
    write_exact(json.dumps(value, ensure_ascii=False) + "\n")


def write_status(text: str) -> None:
    sys.stderr.write(strip_hidden(text) + "\n")


def write_result(record: Mapping[str, Any] | Sequence[Any], message: str, *, as_json: bool) -> None:
    """Write a record for programs, or its message for people."""
    write_json(record) if as_json else write_text(message + "\n")


def write_document(document: Document) -> None:
    write_text(render_document(document, ".md").decode())


def write_table(table: Table) -> None:
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 110).print(table)


def shorten(text: str, limit: int = 150) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


@contextmanager
def show_progress() -> Generator[Progress]:
    """Show a progress bar on a terminal, else a plain line every five seconds.

    Ctrl-C stops the work at the next step if it did not stop at once: Python drops it during a library's callback.
    """
    signals: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        signals.append(number)
        signal.default_int_handler(number, frame)

    previous_handler = signal.signal(signal.SIGINT, stop)
    try:
        with _progress_reporter() as advance:

            def advance_or_stop(step: str, n_done: int, total: int) -> None:
                if signals:
                    raise KeyboardInterrupt
                advance(step, n_done, total)

            yield advance_or_stop
    finally:
        signal.signal(signal.SIGINT, previous_handler)


@contextmanager
def _progress_reporter() -> Generator[Progress]:
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    no_color = bool(os.environ.get("NO_COLOR"))
    with ProgressBars(*columns, console=Console(stderr=True, no_color=no_color), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(step: str, n_done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total or None)
            bars.update(tasks[step], completed=n_done, total=total or None)

        yield advance


def _plain_progress() -> Progress:
    last_written = [time.monotonic()]

    def advance(step: str, n_done: int, total: int) -> None:
        now = time.monotonic()
        if now - last_written[0] >= 5:
            last_written[0] = now
            write_status(f"{step}: {n_done} of {total}" if total else f"{step}: {n_done}")

    return advance
