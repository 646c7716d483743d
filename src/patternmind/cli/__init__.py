"""The command line: `patternmind`. Nothing heavy is imported before a command needs it."""

import os
import sys
from typing import Any

from patternmind.errors import PatternmindError

EXIT_INTERRUPTED = 130
"""What typer makes of Ctrl-C."""


def main() -> None:
    """Run a command; whatever goes wrong ends in one sentence on stderr and an exit code, never in a traceback."""
    try:
        code = _run()
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    if code == EXIT_INTERRUPTED:
        sys.stderr.write("Stopped. What was finished is kept; run the same command again to go on.\n")
    sys.exit(code)


def _run() -> int | None:
    from typer.exceptions import TyperException

    from patternmind.cli.app import app

    try:
        return app(standalone_mode=False)
    except TyperException as error:
        sys.stderr.write(f"{_usage_message(error)}\n")
        return error.exit_code
    except PatternmindError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the outermost edge: recorded and ended here
        sys.stderr.write(f"{_unexpected_error_message(error)}\n")
        return 1


def _usage_message(error: Any) -> str:
    """What typer says about wrong arguments, as one sentence; where a command was left out, its help as it is."""
    said: str = error.format_message()
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "patternmind"
    return said if "\n" in said else f"{said.rstrip('.')}. See `{command} --help`."


def _unexpected_error_message(error: BaseException) -> str:
    """Type and place, never the message: it could hold the text of a case."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"  # noqa: PTH119
    if isinstance(error, MemoryError):
        return "Out of memory. Give the process more, or ingest and run a smaller network. Nothing stored was changed."
    return (
        f"Something unexpected happened ({type(error).__name__} at {where}). Nothing stored was lost; please report it."
    )
