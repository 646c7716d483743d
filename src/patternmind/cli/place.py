"""`patternmind place`: show where new cases belong, before the next run."""

from dataclasses import asdict
from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.context import open_context
from patternmind.cli.options import HomeOption, JsonOption, LensOption
from patternmind.errors import UsageError
from patternmind.services.placement import CasePlacement

app = typer.Typer()


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
    message = "\n".join(map(_place_line, places)) or "No new cases since the last run."
    output.write_result([asdict(place) for place in places], message, as_json=json)


def _place_line(place: CasePlacement) -> str:
    subject = place.external_id or place.case_id or "This text"
    if place.theme_id is None:
        nearest = f"; nearest theme: {place.offers[0].name} ({place.offers[0].theme_id})" if place.offers else ""
        return f"{subject}: no theme: {place.reason}{nearest}"
    second = next((offer for offer in place.offers if offer.theme_id == place.second_theme_id), None)
    also = f"; also {second.name} ({second.theme_id}, {second.strength:.2f})" if second else ""
    reason = f", {place.reason}" if place.reason else ""
    return f"{subject}: {place.theme or place.theme_id} ({place.theme_id}, {place.strength:.2f}{reason}){also}"
