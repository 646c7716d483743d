"""`patternmind map`: draw the themes as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context
from patternmind.cli.options import HomeOption, JsonOption, LensOption
from patternmind.cli.output_files import check_suffix, write_file
from patternmind.publishing.map_drawing import draw_map, map_summary
from patternmind.publishing.png import to_png
from patternmind.services.theme_map import build_theme_map

app = typer.Typer()


@app.command("map")
def map_command(
    out: Annotated[Path, typer.Option(help="Output file: .svg or .png.")],
    lens: LensOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Draw the themes of the last run as islands of cases. `patternmind export map` gives the same as a table."""
    check_suffix(out, (".svg", ".png"))
    theme_map = build_theme_map(open_context(home).store, lens)
    drawing = draw_map(theme_map, footnote="As a table: patternmind export map")
    is_svg = out.suffix.casefold() == ".svg"
    write_file(out, drawing.svg if is_svg else to_png(drawing.svg, width=drawing.width, height=drawing.height))
    output.write_result({"out": str(out), **map_summary(theme_map, drawing)}, f"Wrote {out}", as_json=json)
