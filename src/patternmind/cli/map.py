"""`patternmind map`: the themes as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from patternmind.cli import show
from patternmind.cli.app import Home, Json, app, open_house


@app.command("map")
def draw(
    out: Annotated[Path, typer.Option(help="FILE.svg or FILE.png.")],
    lens: Annotated[str | None, typer.Option(help="A lens other than that of the last run.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Draw the themes of the last run as islands of cases; `patternmind export map` is the same as a table."""
    from patternmind.cli.files import check_suffix, write_file
    from patternmind.publish.map import draw_map, map_record
    from patternmind.publish.png import to_png
    from patternmind.verbs.mapping import collect_map

    check_suffix(out, (".svg", ".png"))
    found = collect_map(open_house(home).store, lens)
    drawn = draw_map(found)
    is_svg = out.suffix.casefold() == ".svg"
    write_file(out, drawn.svg if is_svg else to_png(drawn.svg, width=drawn.width, height=drawn.height))
    show.done({"out": str(out), **map_record(found, drawn)}, f"Written: {out}", as_json=json)
