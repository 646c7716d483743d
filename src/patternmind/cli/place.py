"""`patternmind place`: show where new cases belong, before the next run."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from patternmind.cli import output
from patternmind.cli.root import HomeOption, JsonOption, LensOption, app, open_context
from patternmind.errors import UsageError

if TYPE_CHECKING:
    from patternmind.services.placement import CasePlacement


@app.command()
def place(
    cases: Annotated[
        list[str] | None,
        typer.Argument(help="Case ids or external ids. Without them: all new cases since the last run."),
    ] = None,
    text: Annotated[str | None, typer.Option(help="Place this text instead. It is not stored.")] = None,
    lens: LensOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show at once which themes new cases belong to. The next run adds them."""
    if cases and text is not None:
        raise UsageError("Give case ids or a --text, not both.")
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
        output.write_json([asdict(place) for place in places])
    elif not places:
        output.write_text("No new cases since the last run.\n")
    else:
        output.write_text("".join(_place_line(place) + "\n" for place in places))


def _place_line(place: "CasePlacement") -> str:
    subject = place.external_id or place.case_id or "This text"
    if place.theme_id is None:
        nearest = f"; nearest theme: {place.offers[0].name} ({place.offers[0].theme_id})" if place.offers else ""
        return f"{subject}: no theme: {place.reason}{nearest}"
    second = next((offer for offer in place.offers if offer.theme_id == place.second_theme_id), None)
    also = f"; also {second.name} ({second.theme_id}, {second.strength:.2f})" if second else ""
    reason = f", {place.reason}" if place.reason else ""
    return f"{subject}: {place.theme or place.theme_id} ({place.theme_id}, {place.strength:.2f}{reason}){also}"
