"""The root command: lists all commands, imports the module of the called one, and reports errors."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from patternmind import __version__
from patternmind.cli.options import HomeOption, global_options
from patternmind.cli.remedies import message_with_remedy
from patternmind.errors import PatternmindError

HELP_BY_COMMAND = {
    "init": "Create a network or change its settings. Anything you leave out stays as it is.",
    "ingest": "Import cases or recaps. Good rows are stored; each rejected row is listed with all its errors.",
    "run": "Group all cases into themes, keep existing themes where they still fit, and draft patterns.",
    "runs": "List runs and their model costs, or the calls of one run (never their text).",
    "place": "Show at once which themes new cases belong to. The next run adds them.",
    "recap": "Draft a session's five bullets: the submitter's own; missing ones are taken from the notes, with quotes.",
    "prereading": "Write two pages for a session: the case in its own words, its theme, voices, what helped, "
    "open questions.",
    "playbook": "Write the playbook: all accepted patterns that consent and the publishing limits allow.",
    "search": "Find the cases, recaps and accepted patterns that are most similar in meaning.",
    "export": "Export rows for other tools; respects consent and publishing limits.",
    "map": "Draw the themes of the last run as islands of cases. `patternmind export map` gives the same as a table.",
    "serve": "Serve the pages and the API. Prints a sign-in link until someone has signed in.",
    "raw": "Show a case as submitted, names included. Stewards only. Needs the encryption key if you set one.",
    "erase": "Erase a case permanently: text, vectors, index rows, assignments. Its quotes are withdrawn. No undo.",
    "doctor": "Check the data folder, encoder, index and model gateway; exit 1 if something needs attention.",
    "demo": "Run the whole pipeline on the sample network: two quarters, themes, a pre-reading and a playbook.",
    "eval": "Measure quality against the baselines; exit 3 if a figure falls below its gate.",
    "network": "Manage the networks of this data folder; each is separate.",
    "cases": "Show cases and recaps as redacted, with notes on suspicious ones.",
    "themes": "List and edit the themes of the last run. Later runs keep every edit.",
    "review": "Review drafts. Every decision is logged and can be undone.",
    "member": "Manage who may sign in and what they may do.",
    "token": "Manage bearer tokens for the API.",
    "redaction": "Names the redaction may have missed, for the steward to confirm.",
    "key": "Manage the key that encrypts raw text (PATTERNMIND_RAW_KEY).",
    "index": "Rebuild or verify the search index.",
}
"""First line of help by command, in the order of ``--help``. The module of a command has its name."""


class LazyGroup(TyperGroup):
    """Root group that imports the module of a command when the command is called; ``--help`` imports none."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name, help=help) for name, help in HELP_BY_COMMAND.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, placeholder, rest = super().resolve_command(ctx, args)
        return name, placeholder and load_command(placeholder.name or ""), rest


def load_command(name: str) -> Any:
    """Import the module of a command and build the command with its options."""
    root = typer.Typer()
    root.add_typer(import_module(f"patternmind.cli.{name}").app, help=HELP_BY_COMMAND[name])
    return typer.main.get_group(root).commands[name]


app = typer.Typer(
    name="patternmind",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Group real work problems into lasting themes, draft patterns with verified quotes, prepare pre-readings.",
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def set_global_options(
    home: HomeOption = None,
    network: Annotated[
        str | None,
        typer.Option("--network", help="Network id, if you have more than one (or set PATTERNMIND_NETWORK)."),
    ] = None,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Accept --home before the command as well as after it, and --network before it."""
    global_options.home, global_options.network = home, network


def run_command() -> int | None:
    """Run the command of this process and return its exit code; report an error as a sentence on stderr."""
    try:
        return app(standalone_mode=False)
    except typer.TyperException as error:
        sys.stderr.write(f"{_usage_message(error)}\n")
        return error.exit_code
    except PatternmindError as error:
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
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    if isinstance(error, MemoryError):
        return "Out of memory. Give the process more, or import and run a smaller network. No stored data was changed."
    return (
        f"An unexpected error occurred ({type(error).__name__} at {place}). No stored data was lost; please report it."
    )
