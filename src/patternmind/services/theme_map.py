"""The map of a lens: where the last run placed every case, as rows and as a picture."""

import sys
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from patternmind.domain.themes import Assignment, Theme
from patternmind.errors import UsageError
from patternmind.ports import Store
from patternmind.publishing.map_drawing import MapTheme, ThemeMap
from patternmind.publishing.publication_rules import redact_theme_name
from patternmind.services.confidential_cache import find_confidential_phrases

PAGE_ROWS = 1000


def map_rows(store: Store, lens: str | None = None) -> Iterator[dict[str, Any]]:
    """The table twin of the picture: a row a case, by case id; no place where the run that placed it made no map."""
    names = {theme.id: theme.name for theme in _with_public_names(store, store.themes(lens))}
    for external_id, one in _iter_assignments(store, lens):
        yield {
            "case_id": one.case_id,
            "external_id": external_id,
            "x": one.x,
            "y": one.y,
            "theme_id": one.theme_id,
            "theme": names.get(one.theme_id) if one.theme_id else None,
        }


def _iter_assignments(store: Store, lens: str | None) -> Iterator[tuple[str | None, Assignment]]:
    """Each with the external id of its case, by case id; a part at a time, for a large network has many."""
    after: str | None = None
    while True:
        page = store.list_assignments(lens, limit=PAGE_ROWS, cursor=after)
        yield from page.rows
        if page.next_cursor is None:
            return
        after = page.next_cursor


def build_theme_map(store: Store, lens: str | None = None, *, named_themes: Sequence[Theme] | None = None) -> ThemeMap:
    """The cases that have a place, and the themes they lie in by falling size.

    Args:
        named: the themes as those may read them who will see the map; without it, as anybody may.

    Raises:
        UsageError: no run of this lens, or none that placed its cases.
    """
    case_ids: list[str] = []
    in_theme: list[str] = []
    at = array("d")
    for _, one in _iter_assignments(store, lens):
        if one.x is not None and one.y is not None:
            case_ids.append(one.case_id)
            in_theme.append(sys.intern(one.theme_id or ""))
            at.extend((one.x, one.y))
    if not case_ids:
        raise UsageError("There is no map yet. Make one with: patternmind run")
    if named_themes is None:
        named_themes = _with_public_names(store, store.themes(lens))
    themes = _sort_by_size(named_themes, set(in_theme))
    number = {theme.id: position for position, theme in enumerate(themes)}
    return ThemeMap(
        title=_title(store, lens),
        themes=[MapTheme(theme.id, theme.name, theme.n_cases) for theme in themes],
        coordinates=np.array(at, np.float64).reshape(-1, 2),
        theme_indices=np.array([number.get(theme_id, -1) for theme_id in in_theme], np.int64),
        case_ids=case_ids,
    )


def _with_public_names(store: Store, themes: Sequence[Theme]) -> list[Theme]:
    """The themes by names that anybody may read."""
    closed = find_confidential_phrases(store, [theme.name for theme in themes])
    return [replace(theme, name=redact_theme_name(theme, closed)) for theme in themes]


def _sort_by_size(themes: Sequence[Theme], theme_ids: Collection[str]) -> list[Theme]:
    """The themes that have a case on the map, largest first, ties by id."""
    return sorted((theme for theme in themes if theme.id in theme_ids), key=lambda theme: (-theme.n_cases, theme.id))


def _title(store: Store, lens: str | None) -> str:
    named = store.network.name
    title = f"Themes of {named}" if named else "Themes"
    return f"{title}, seen by {lens}" if lens not in (None, "all") else title
