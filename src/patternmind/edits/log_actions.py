"""Actions that change no theme by themselves: own a theme, accept, decline, undo."""

from patternmind.domain.edits import Edit, EditAction, active_edits
from patternmind.edits.action import ThemeAction, ThemesToEdit
from patternmind.errors import UsageError


class Own(ThemeAction):
    """Make the author of the edit the owner of a theme."""

    action = EditAction.OWN
    verbs, phrase = ("become", "became"), "the owner of {theme}"
    summary = "look after {theme}"
    confirmation = "You are now the owner of this theme."


class Accept(ThemeAction):
    """Agree with a run's change of a theme. An accepted proposal is logged as the proposed edit itself."""

    action = EditAction.ACCEPT
    required_fields, optional_fields = (), ("theme_id", "run_id", "answers")
    verbs = ("accept", "accepted")

    def check(self, edit: Edit) -> None:
        if not (edit.answers or (edit.run_id and edit.theme_id)):
            raise UsageError("Name what to accept or decline: a run's change of a theme, or a decision by its number.")

    def wording(self, edit: Edit, *, is_done: bool) -> str:
        to_do = "decision {answers}" if edit.answers else "what {run} made of {theme}"
        done = "the change of {theme} in {run}" if edit.run_id else "proposal or conflict {answers}"
        return f"{self.verbs[is_done]} {done if is_done else to_do}"


class Decline(Accept):
    """Decline a proposal or a run's change of a theme, or keep a contradicted edit."""

    action = EditAction.DECLINE
    verbs = ("decline", "declined")


class Undo(ThemeAction):
    """Undo a decision. The themes become what they would be without it, at once."""

    action = EditAction.UNDO
    required_fields = ("undoes",)
    choice = ("undoes", "Choose the decision to undo.")
    verbs, phrase = ("undo", "undid"), "decision {undoes}"
    confirmation = "Undone. The themes are as they would be without that decision."

    def complete(self, edit: Edit, before: ThemesToEdit) -> Edit:
        undone = next(other for other in before.log if other.seq == edit.undoes)
        if undone.undoes is not None:
            raise UsageError(f"Decision {undone.seq} is itself an undo. Repeat the decision that it undid.")
        previous = next((other for other in before.log if other.undoes == undone.seq and not other.proposed), None)
        if previous is not None:
            raise UsageError(f"Decision {undone.seq} was undone already, by {self.cite(previous)}.")
        if undone not in active_edits(before.log):
            raise UsageError(f"Decision {undone.seq} was made for decision {undone.because}, which was undone.")
        return edit


LOG_ACTIONS = (Own(), Accept(), Decline(), Undo())
