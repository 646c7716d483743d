"""Options and arguments that several commands have in common."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[Path | None, typer.Option("--home", help="Data folder (or set PATTERNMIND_HOME).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]
LensOption = Annotated[str | None, typer.Option(help="Use another lens than the last run.")]
CaseArgument = Annotated[str, typer.Argument(help="Case id or external id.")]


@dataclass(slots=True)
class GlobalOptions:
    """Options given before the command; one set for the process."""

    home: Path | None = None
    network: str | None = None


global_options = GlobalOptions()
