"""`patternmind recap` and `patternmind themes new`: short texts out of notes and of new cases."""

from typing import Annotated

import typer

from patternmind.cli import show
from patternmind.cli.app import Home, Json, app, open_house
from patternmind.cli.audit import write_audit
from patternmind.cli.themes import themes_app


@app.command()
def recap(
    recap: Annotated[str, typer.Argument(help="Id of a recap that was taken in.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """The five bullets of a session: its sender's own, the others out of the notes, each with its quote."""
    from patternmind.model.rights import Action
    from patternmind.verbs.telling import tell_recap

    house = open_house(home)
    told = tell_recap(house.store, house.clock, recap, namer=house.namer)
    write_audit(house, Action.SEND_RECAP, "recap", "draft", told.reviewed.grounded.draft.id)
    for note in told.notes:
        show.say(note)
    show.draft(told.reviewed, as_json=json)


@themes_app.command("new")
def new_in(
    theme: Annotated[str, typer.Argument(help="Theme id.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """What the new cases of a theme bring, beside the counts, for whoever reviews the change."""
    from patternmind.verbs.telling import tell_change

    house = open_house(home)
    told = tell_change(house.store, house.clock, theme, namer=house.namer)
    for note in told.notes:
        show.say(note)
    show.draft(told.reviewed, as_json=json)
