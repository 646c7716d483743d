"""`patternmind map`: the themes as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.app import (
    HomeOption,
    JsonOption,
    app,
    open_context,
)


@app.command("map")
def map_command(
    out: Annotated[Path, typer.Option(help="FILE.svg or FILE.png.")],
    lens: Annotated[str | None, typer.Option(help="A lens other than that of the last run.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Draw the themes of the last run as islands of cases; `patternmind export map` is the same as a table."""
    from patternmind.cli.output_files import check_suffix, write_file
    from patternmind.publishing.map_drawing import draw_map, map_summary
    from patternmind.publishing.png import to_png
    from patternmind.services.theme_map import build_theme_map

    check_suffix(out, (".svg", ".png"))
    found = build_theme_map(open_context(home).store, lens)
    drawn = draw_map(found)
    is_svg = out.suffix.casefold() == ".svg"
    write_file(out, drawn.svg if is_svg else to_png(drawn.svg, width=drawn.width, height=drawn.height))
    output.write_result({"out": str(out), **map_summary(found, drawn)}, f"Written: {out}", as_json=json)
