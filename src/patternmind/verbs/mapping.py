"""The map of a lens: where the last run placed every case, as rows and as a picture."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from patternmind.errors import UsageError
from patternmind.model.themes import Assignment, Theme
from patternmind.ports import Store
from patternmind.publish.map import MapTheme, ThemeMap
from patternmind.publish.rights import outward


def map_rows(store: Store, lens: str | None = None) -> Iterator[dict[str, Any]]:
    """The table twin of the picture: a row a case, by case id; no place where the run that placed it made no map."""
    cases = {case.id: case for case in store.cases()}
    names = {theme.id: theme.name for theme in outward(store.themes(lens), cases)}
    for one in store.assignments(lens):
        yield {
            "case_id": one.case_id,
            "external_id": cases[one.case_id].external_id if one.case_id in cases else None,
            "x": one.x,
            "y": one.y,
            "theme_id": one.theme_id,
            "theme": names.get(one.theme_id) if one.theme_id else None,
        }


def collect_map(store: Store, lens: str | None = None, *, named: Sequence[Theme] | None = None) -> ThemeMap:
    """The cases that have a place, and the themes they lie in by falling size.

    Args:
        named: the themes as those may read them who will see the map; without it, as anybody may.

    Raises:
        UsageError: no run of this lens, or none that placed its cases.
    """
    placed = [one for one in store.assignments(lens) if one.x is not None and one.y is not None]
    if not placed:
        raise UsageError("There is no map yet. Make one with: patternmind run")
    if named is None:
        named = outward(store.themes(lens), {case.id: case for case in store.cases()})
    themes = _by_size(named, placed)
    number = {theme.id: position for position, theme in enumerate(themes)}
    return ThemeMap(
        title=_title(store, lens),
        themes=[MapTheme(theme.id, theme.name, theme.n_cases) for theme in themes],
        places=np.array([(one.x, one.y) for one in placed], np.float64),
        of_theme=np.array([number.get(one.theme_id or "", -1) for one in placed], np.int64),
        case_ids=[one.case_id for one in placed],
    )


def _by_size(themes: Sequence[Theme], placed: Sequence[Assignment]) -> list[Theme]:
    """The themes that have a case on the map, largest first, ties by id."""
    shown = {one.theme_id for one in placed}
    return sorted((theme for theme in themes if theme.id in shown), key=lambda theme: (-theme.n_cases, theme.id))


def _title(store: Store, lens: str | None) -> str:
    named = store.network.name
    title = f"Themes of {named}" if named else "Themes"
    return f"{title}, seen by {lens}" if lens not in (None, "all") else title
