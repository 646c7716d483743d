"""`patternmind demo`: run the whole pipeline on the sample network."""

from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli.root import JsonOption, app


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("demo"),
    json: JsonOption = False,
) -> None:
    """Run the whole pipeline on the sample network: two quarters, themes, a pre-reading and a playbook."""
    from patternmind.cli.demo_steps import run_demo

    run_demo(out, as_json=json)
