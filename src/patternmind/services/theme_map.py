"""The map of a lens: position and theme of every case of the last run, as rows and as a drawing."""

import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from patternmind.domain.themes import Assignment, Theme
from patternmind.errors import ErrorCode, UsageError
from patternmind.ports import Store
from patternmind.publishing.map_drawing import MapTheme, ThemeMap
from patternmind.publishing.publication_rules import redact_theme_name
from patternmind.services.confidential_cache import find_confidential_phrases

PAGE_ROWS = 1000


def map_rows(store: Store, lens: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield one row per case, by id; unmapped cases have no x and y."""
    names = {theme.id: theme.name for theme in _with_public_names(store, store.themes.list_all(lens))}
    for external_id, assignment in _iter_assignments(store, lens):
        yield {
            "case_id": assignment.case_id,
            "external_id": external_id,
            "x": assignment.x,
            "y": assignment.y,
            "theme_id": assignment.theme_id,
            "theme": names.get(assignment.theme_id) if assignment.theme_id else None,
        }


def _iter_assignments(store: Store, lens: str | None) -> Iterator[tuple[str | None, Assignment]]:
    """Yield assignments by case id, with external ids, reading a page at a time."""
    after: str | None = None
    while True:
        page = store.runs.assignment_page(lens, limit=PAGE_ROWS, cursor=after)
        yield from page.rows
        if page.next_cursor is None:
            return
        after = page.next_cursor


def build_theme_map(store: Store, lens: str | None = None, *, named_themes: Sequence[Theme] | None = None) -> ThemeMap:
    """Build the map from the cases with a position and their themes, largest first.

    Args:
        named_themes: Themes with the names that the map's readers may see; by default the public names.

    Raises:
        UsageError: The lens has no run, or no run with map positions.
    """
    case_ids: list[str] = []
    theme_ids: list[str] = []
    coordinates = array("d")
    for _, assignment in _iter_assignments(store, lens):
        if assignment.x is not None and assignment.y is not None:
            case_ids.append(assignment.case_id)
            theme_ids.append(sys.intern(assignment.theme_id or ""))
            coordinates.extend((assignment.x, assignment.y))
    if not case_ids:
        raise UsageError("There is still no map. Start a run to make one.", code=ErrorCode.NO_RUN)
    if named_themes is None:
        named_themes = _with_public_names(store, store.themes.list_all(lens))
    on_map = set(theme_ids)
    themes = sorted(
        (theme for theme in named_themes if theme.id in on_map), key=lambda theme: (-theme.n_cases, theme.id)
    )
    index_by_theme = {theme.id: index for index, theme in enumerate(themes)}
    return ThemeMap(
        title=_title(store, lens),
        themes=[MapTheme(theme.id, theme.name, theme.n_cases) for theme in themes],
        coordinates=np.array(coordinates, np.float64).reshape(-1, 2),
        theme_indices=np.array([index_by_theme.get(theme_id, -1) for theme_id in theme_ids], np.int64),
        case_ids=case_ids,
    )


def _with_public_names(store: Store, themes: Sequence[Theme]) -> list[Theme]:
    """Replace theme names that contain words of confidential cases only."""
    confidential = find_confidential_phrases(store, [theme.name for theme in themes])
    return [replace(theme, name=redact_theme_name(theme, confidential)) for theme in themes]


def _title(store: Store, lens: str | None) -> str:
    network_name = store.network.get().name
    title = f"Themes of {network_name}" if network_name else "Themes"
    return f"{title}, seen by {lens}" if lens not in (None, "all") else title
