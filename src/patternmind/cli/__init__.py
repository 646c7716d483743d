"""Entry point of the command line. Heavy imports wait until a command needs them."""

import os
import sys
from typing import Any

from patternmind.errors import PatternmindError

EXIT_INTERRUPTED = 130
"""Exit code that typer gives for Ctrl-C."""


def main() -> None:
    """Run a command. Every error ends in a sentence on stderr and an exit code, never in a traceback."""
    try:
        code = _run()
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    if code == EXIT_INTERRUPTED:
        sys.stderr.write("Stopped. Finished work is stored; run the same command again to continue.\n")
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
        from patternmind.cli.remedies import message_with_remedy

        sys.stderr.write(f"{message_with_remedy(error)}\n")
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the outermost handler: reports and exits
        sys.stderr.write(f"{_unexpected_error_message(error)}\n")
        return 1


def _usage_message(error: Any) -> str:
    """Return typer's message about wrong arguments as one sentence; help for a missing command stays whole."""
    message: str = error.format_message()
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "patternmind"
    return message if "\n" in message else f"{message.rstrip('.')}. See `{command} --help`."


def _unexpected_error_message(error: BaseException) -> str:
    """Name the type and place of an error, never its message: that could hold the text of a case."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"  # noqa: PTH119
    if isinstance(error, MemoryError):
        return "Out of memory. Give the process more, or import and run a smaller network. No stored data was changed."
    return (
        f"An unexpected error occurred ({type(error).__name__} at {place}). No stored data was lost; please report it."
    )
