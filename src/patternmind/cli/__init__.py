"""Entry point of the command line."""

import sys

EXIT_INTERRUPTED = 130
"""Exit code that typer gives for Ctrl-C."""


def main() -> None:
    """Run a command. Every error ends in a sentence on stderr and an exit code, never in a traceback."""
    try:
        from patternmind.cli.app import run_command  # here, so that Ctrl-C while it loads ends in a sentence, too

        code = run_command()
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    if code == EXIT_INTERRUPTED:
        sys.stderr.write("Stopped. Finished work is stored; run the same command again to continue.\n")
    sys.exit(code)
