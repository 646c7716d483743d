"""`patternmind recap` and `patternmind themes new`: short texts out of notes and of new cases."""

from typing import Annotated

import typer

from patternmind.cli import output
from patternmind.cli.app import (
    HomeOption,
    JsonOption,
    app,
    open_context,
)
from patternmind.cli.audit import write_audit
from patternmind.cli.themes import themes_app


@app.command()
def recap(
    recap: Annotated[str, typer.Argument(help="Id of a recap that was taken in.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """The five bullets of a session: its sender's own, the others out of the notes, each with its quote."""
    from patternmind.domain.permissions import Action
    from patternmind.services.recaps import draft_from_recap

    house = open_context(home)
    told = draft_from_recap(house.store, house.clock, recap, llm=house.llm)
    write_audit(house, Action.SEND_RECAP, "recap", "draft", told.reviewed.grounded.draft.id)
    for note in told.notes:
        output.write_status(note)
    output.write_draft(told.reviewed, as_json=json)


@themes_app.command("new")
def draft_theme_change(
    theme: Annotated[str, typer.Argument(help="Theme id.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """What the new cases of a theme bring, beside the counts, for whoever reviews the change."""
    from patternmind.services.recaps import draft_theme_change

    house = open_context(home)
    told = draft_theme_change(house.store, house.clock, theme, llm=house.llm)
    for note in told.notes:
        output.write_status(note)
    output.write_draft(told.reviewed, as_json=json)
