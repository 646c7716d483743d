"""`patternmind place`: where new cases belong, before the next run."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from patternmind.cli import show
from patternmind.cli.app import Home, Json, app, open_house
from patternmind.errors import UsageError

if TYPE_CHECKING:
    from patternmind.verbs.placing import Place


@app.command()
def place(
    cases: Annotated[
        list[str] | None, typer.Argument(help="Case ids or external ids; all that came since the last run if left out.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="A text instead; nothing of it is stored.")] = None,
    lens: Annotated[str | None, typer.Option(help="A lens other than that of the last run.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show which themes new cases belong to, at once; the next run takes them in."""
    if cases and text is not None:
        raise UsageError("Name cases or give a --text, not both.")
    placer = open_house(home).placer(lens)
    if text is not None:
        places = [placer.place_text(text)]
    else:
        with show.progress() as progress:
            places = placer.place_cases(cases, progress=progress) if cases else placer.place_new(progress=progress)
    _show(places, as_json=json)


def _show(places: "Sequence[Place]", *, as_json: bool) -> None:
    if as_json:
        show.json_line([asdict(one) for one in places])
    elif not places:
        show.raw("No case came since the last run.\n")
    else:
        show.raw("".join(_line(one) + "\n" for one in places))


def _line(place: "Place") -> str:
    who = place.external_id or place.case_id or "This text"
    if place.theme_id is None:
        near = f"; nearest is {place.offers[0].name} ({place.offers[0].theme_id})" if place.offers else ""
        return f"{who}: in no theme, {place.reason}{near}"
    also = next((one for one in place.offers if one.theme_id == place.second_theme_id), None)
    second = f"; also {also.name} ({also.theme_id}, {also.strength:.2f})" if also else ""
    why = f", {place.reason}" if place.reason else ""
    return f"{who}: {place.theme or place.theme_id} ({place.theme_id}, {place.strength:.2f}{why}){second}"
