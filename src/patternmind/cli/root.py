"""The root command: global options, and the app context that every command opens."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from patternmind.bootstrap import AppContext

app = typer.Typer(
    name="patternmind",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Group real work problems into lasting themes, draft patterns with verified quotes, prepare pre-readings.",
)

HomeOption = Annotated[Path | None, typer.Option("--home", help="Data folder (or set PATTERNMIND_HOME).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]
LensOption = Annotated[str | None, typer.Option(help="Use another lens than the last run.")]

_global_home: dict[str, Path] = {}
_global_network: dict[str, str] = {}


def _print_version(is_requested: bool) -> None:
    if is_requested:
        from patternmind import __version__

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
    _global_home.clear()
    _global_network.clear()
    if home is not None:
        _global_home["home"] = home
    if network is not None:
        _global_network["network"] = network


def open_context(home: Path | None) -> "AppContext":
    """Open the app context of the chosen data folder and network."""
    from patternmind.bootstrap import AppContext
    from patternmind.settings import read_settings

    home = home or _global_home.get("home")
    return AppContext(read_settings(os.environ, home=home, network=_global_network.get("network")))
