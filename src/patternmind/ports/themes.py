"""Protocols of the repositories of themes and of people's edits."""

from typing import Protocol

from patternmind.domain.edits import Edit
from patternmind.domain.read_models import ThemeCard, ThemeDetail
from patternmind.domain.themes import Theme, ThemeChange
from patternmind.ports.runs import ThemeSnapshot


class ThemeRepository(Protocol):
    """Themes, areas and theme changes of runs."""

    def list_all(self, lens: str | None = None) -> list[Theme]:
        """Return the themes of the newest finished run, largest first, dormant themes last."""
        ...

    def all_ids(self) -> set[str]:
        """Return every theme id ever used in this network; no id is used twice."""
        ...

    def areas(self, lens: str | None = None) -> dict[str, str]: ...

    def cards(self, lens: str | None = None, *, include_dormant: bool = False) -> list[ThemeCard]:
        """Return the themes of the last run without their members.

        Themes without members are left out unless ``include_dormant`` is set.
        """
        ...

    def card(self, theme_id: str, lens: str | None = None) -> ThemeCard:
        """Return one theme without its members.

        Raises:
            NotFound: the last run has no such theme.
        """
        ...

    def detail(self, theme_id: str, lens: str | None = None) -> ThemeDetail:
        """Return all that a theme's page shows, except its members, which ``CaseRepository.page`` returns.

        Raises:
            NotFound: the last run has no such theme.
        """
        ...

    def case_ids(self, theme_id: str, lens: str | None = None) -> tuple[str, ...]:
        """Return the ids of a theme's cases by descending strength.

        Raises:
            NotFound: the last run has no such theme.
        """
        ...

    def names(self, lens: str | None = None) -> dict[str, str]: ...

    def encoder_id(self, lens: str | None = None) -> str | None:
        """Return the id of the encoder used for the themes; None without themes."""
        ...

    def changes(self, run_id: str) -> list[ThemeChange]: ...

    def snapshots(self, run_id: str) -> list[ThemeSnapshot]:
        """Return the non-empty themes of any finished run, largest first."""
        ...


class EditRepository(Protocol):
    """Log of people's edits of themes; ``Store.append_edits`` adds to it."""

    def list_all(self, lens: str | None = None) -> list[Edit]:
        """Return the log of edits in order, including undone edits and undos."""
        ...
