"""`patternmind place`: where new cases belong, before the next run."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from patternmind.cli import output
from patternmind.cli.app import (
    HomeOption,
    JsonOption,
    app,
    open_context,
)
from patternmind.errors import UsageError

if TYPE_CHECKING:
    from patternmind.services.placement import CasePlacement


@app.command()
def place(
    cases: Annotated[
        list[str] | None, typer.Argument(help="Case ids or external ids; all that came since the last run if left out.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="A text instead; nothing of it is stored.")] = None,
    lens: Annotated[str | None, typer.Option(help="A lens other than that of the last run.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show which themes new cases belong to, at once; the next run takes them in."""
    if cases and text is not None:
        raise UsageError("Name cases or give a --text, not both.")
    placer = open_context(home).placer(lens)
    if text is not None:
        places = [placer.place_text(text)]
    else:
        with output.show_progress() as progress:
            places = (
                placer.place_cases(cases, progress=progress) if cases else placer.place_new_cases(progress=progress)
            )
    _write_places(places, as_json=json)


def _write_places(places: "Sequence[CasePlacement]", *, as_json: bool) -> None:
    if as_json:
        output.write_json([asdict(one) for one in places])
    elif not places:
        output.write_text("No case came since the last run.\n")
    else:
        output.write_text("".join(_place_line(one) + "\n" for one in places))


def _place_line(place: "CasePlacement") -> str:
    who = place.external_id or place.case_id or "This text"
    if place.theme_id is None:
        near = f"; nearest is {place.offers[0].name} ({place.offers[0].theme_id})" if place.offers else ""
        return f"{who}: in no theme, {place.reason}{near}"
    also = next((one for one in place.offers if one.theme_id == place.second_theme_id), None)
    second = f"; also {also.name} ({also.theme_id}, {also.strength:.2f})" if also else ""
    why = f", {place.reason}" if place.reason else ""
    return f"{who}: {place.theme or place.theme_id} ({place.theme_id}, {place.strength:.2f}{why}){second}"
