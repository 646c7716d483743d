"""The map of themes as a picture: SVG of text and simple shapes that needs nothing from outside.

Every island stands apart, bears its name and differs from the islands beside it in both colour and shape of dot, so
that nothing hangs on colour alone. Outliers are small and grey. No text of a case is in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from patternmind.publishing.document import to_visible_line
from patternmind.publishing.map_labels import (
    COUNT_SIZE_RATIO,
    KEY_WIDTH_RATIO,
    LINE_HEIGHT_RATIO,
    MARGIN,
    Island,
    PlacedLabel,
    Rectangle,
    place_labels,
)

BACKGROUND_COLOUR, TEXT_COLOUR, MUTED_COLOUR, OUTLIER_COLOUR = "#fcfbf9", "#1e2327", "#565e66", "#a3a8ad"
COLOURS = ("#0072b2", "#c44e00", "#00805e", "#a8477f", "#8a6500", "#4a3f9f", "#3b4248")
"""After Okabe and Ito, darkened to at least 4.5:1 on the ground where theirs are too light for small dots."""

SHAPES = ("circle", "square", "triangle", "diamond")

FONTS = "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, Liberation Sans, DejaVu Sans, sans-serif"
WIDTH, HEIGHT = 1200.0, 920.0
FRAME = Rectangle(36, 92, 1164, 856)
MAX_LABELS = 30
MAX_DOTS = 20_000
INNER_SHARE = 0.94
"""Share of an island's dots that its box holds: one stray case should not push the name away."""

MAX_ASPECT_STRETCH = 1.4
"""How much wider than high the map may be drawn to fill the page: its distances mean little in any direction."""

MAX_TRIANGULATED_DOTS = 1_500
"""Dots of an island up to which there is land between them; more lie close enough to run together."""

MAX_LINK_RATIO, MIN_GAP = 5.0, 60.0
"""Links over so many times the middle one, and so many units, are left out: there an island has parts."""

MAX_TRIANGLE_RATIO = 1.5
"""Longest side of a piece of land, in longest links."""

MAX_CASE_LINKS = 1_200
"""Dots up to which each leads to its case on a page; more would make the page slow, and no dot can be hit any more."""

MIN_DOTS_PER_THEME = 3
"""Dots of a theme that are drawn however few of all cases are."""

CAPTION = "Cases that resemble each other lie side by side. Distance means little, and so does the width of a gap."


@dataclass(frozen=True, slots=True)
class MapTheme:
    id: str
    name: str
    n_cases: int


@dataclass(frozen=True, slots=True, eq=False)
class ThemeMap:
    """``places`` (n, 2) of every case; ``of_theme`` (n,) its theme's place in ``themes``, -1 for none.

    ``themes`` stand by falling size; ``case_ids`` are needed only where dots are to be links.
    """

    title: str
    themes: Sequence[MapTheme]
    coordinates: NDArray[np.float64]
    theme_indices: NDArray[np.int64]
    case_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """The picture, and what of the map is on it."""

    svg: str
    width: float
    height: float
    n_drawn: int
    n_named: int


def draw_map(theme_map: ThemeMap, *, max_dots: int = MAX_DOTS, with_links: bool = False) -> DrawnMap:
    """The same map gives the same text, byte for byte.

    Args:
        linked: for a page of ours: islands and names lead to their themes, dots to their cases while there are few.
    """
    every = -(-len(theme_map.coordinates) // max_dots) or 1
    rows = _sample_rows(theme_map.theme_indices, every)
    dots = _scale_to_page(theme_map.coordinates)[rows]
    of_theme = theme_map.theme_indices[rows]
    radius = float(np.clip(4.6 * (200 / max(1, len(dots))) ** 0.3, 1.2, 4.6))
    members = [dots[of_theme == position] for position in range(len(theme_map.themes))]
    boxes = [_island_box(island, _outline_width(radius) / 2) for island in members]
    looks = _assign_styles(boxes)
    labels = _place_labels(theme_map.themes, members, boxes, looks, dots)
    link = _with_link if with_links else _without_link
    few = with_links and len(rows) <= MAX_CASE_LINKS
    case_ids = [theme_map.case_ids[int(row)] for row in rows] if few else []
    parts = [
        *_header_elements(theme_map, role="group" if with_links else "img"),
        *(_outlier_elements(dots[of_theme < 0], radius) if not case_ids else ()),
        *(
            link(f"/themes/{theme.id}", _island_background(island, colour, radius), is_hidden=True)
            for theme, island, (colour, _) in zip(theme_map.themes, members, looks, strict=True)
        ),
        *(
            _case_links(dots, of_theme, case_ids, looks, radius)
            if case_ids
            else (_dot_markers(island, *look, radius) for island, look in zip(members, looks, strict=True))
        ),
        *(_leader_line(label) for label, _, _ in labels),
        *(link(f"/themes/{theme_id}", _label_elements(label, *look)) for label, look, theme_id in labels),
        *_footer_elements(theme_map, n_named=len(labels), step=every, with_links=with_links),
        "</svg>",
    ]
    return DrawnMap("\n".join(part for part in parts if part) + "\n", WIDTH, HEIGHT, len(dots), len(labels))


def _sample_rows(theme_indices: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """The rows that are drawn: one in so many, and a few of every theme, so that none is missing for being small."""
    taken = np.zeros(len(theme_indices), bool)
    taken[::step] = True
    if step > 1:
        for theme in np.unique(theme_indices[theme_indices >= 0]):
            rows = np.flatnonzero(theme_indices == theme)
            if taken[rows].sum() < MIN_DOTS_PER_THEME:
                taken[rows[:MIN_DOTS_PER_THEME]] = True
    return np.flatnonzero(taken)


def _without_link(address: str, svg: str, *, is_hidden: bool = False) -> str:
    del address, is_hidden
    return svg


def _with_link(address: str, svg: str, *, is_hidden: bool = False) -> str:
    """A quiet link is one for the mouse: the same place is reached by the name of the theme, or by the table."""
    hidden = ' tabindex="-1" aria-hidden="true"' if is_hidden else ""
    return f'<a href="{escape(quote(address))}"{hidden}>{svg}</a>' if svg else ""


def _case_links(
    dots: NDArray[np.float64],
    theme_indices: NDArray[np.int64],
    case_ids: Sequence[str],
    styles: Sequence[tuple[str, str]],
    radius: float,
) -> list[str]:
    drawn: list[str] = []
    for row, case_id in enumerate(case_ids):
        place = dots[row : row + 1]
        theme = int(theme_indices[row])
        dot = "".join(_outlier_elements(place, radius)) if theme < 0 else _dot_markers(place, *styles[theme], radius)
        drawn.append(_with_link(f"/cases/{case_id}", dot, is_hidden=True))
    return drawn


def _scale_to_page(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places in the units of the page: in the middle of the frame, y upward."""
    if not len(coordinates):
        return np.zeros((0, 2))
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    room = np.array([FRAME.right - FRAME.left, FRAME.bottom - FRAME.top]) - 40
    scale = room / np.maximum(high - low, 1e-9)
    scale = np.minimum(scale, MAX_ASPECT_STRETCH * scale[::-1])
    return (coordinates - (low + high) / 2) * scale * np.array([1, -1]) + np.array(FRAME.center)


def _island_box(dots: NDArray[np.float64], margin: float) -> Rectangle:
    if not len(dots):
        return Rectangle(*FRAME.center, *FRAME.center)
    outside = (1 - INNER_SHARE) / 2
    left, top = np.quantile(dots, outside, axis=0)
    right, bottom = np.quantile(dots, 1 - outside, axis=0)
    return Rectangle(float(left) - margin, float(top) - margin, float(right) + margin, float(bottom) + margin)


def _place_labels(
    themes: Sequence[MapTheme],
    members: Sequence[NDArray[np.float64]],
    boxes: Sequence[Rectangle],
    styles: Sequence[tuple[str, str]],
    dots: NDArray[np.float64],
) -> list[tuple[PlacedLabel, tuple[str, str], str]]:
    """The names of the largest themes that have a dot on the page and room beside it, with island's look and theme."""
    shown = [position for position, island in enumerate(members) if len(island)][:MAX_LABELS]
    islands = [
        Island(to_visible_line(themes[i].name), _count_text(themes[i].n_cases), boxes[i], members[i]) for i in shown
    ]
    placed = place_labels(islands, dots, FRAME)
    return [(label, styles[i], themes[i].id) for i, label in zip(shown, placed, strict=True) if label is not None]


def _count_text(n: int, noun: str = "case") -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _assign_styles(boxes: Sequence[Rectangle]) -> list[tuple[str, str]]:
    """Colour and shape of each island: of all pairs, the one whose nearest bearer of either is farthest away."""
    looks: list[tuple[str, str]] = []
    middles = np.array([box.center for box in boxes]).reshape(-1, 2)
    for position in range(len(boxes)):
        away = np.hypot(*(middles[:position] - middles[position]).T)
        colour = _most_distant_choice(COLOURS, [look[0] for look in looks], away)
        looks.append((colour, _most_distant_choice(SHAPES, [look[1] for look in looks], away)))
    return looks


def _most_distant_choice(choices: Sequence[str], used_choices: Sequence[str], distances: NDArray[np.float64]) -> str:
    def nearest(choice: str) -> float:
        return min((float(distances[i]) for i, look in enumerate(used_choices) if look == choice), default=float("inf"))

    return max(choices, key=nearest)


def _header_elements(theme_map: ThemeMap, *, role: str) -> list[str]:
    named = "; ".join(f"{to_visible_line(theme.name)}, {_count_text(theme.n_cases)}" for theme in theme_map.themes)
    n_alone = int((theme_map.theme_indices < 0).sum())
    told = f"{_count_text(len(theme_map.coordinates))}, {_count_text(len(theme_map.themes), 'theme')}, {_count_text(n_alone, 'outlier')}"
    page = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}" font-family="{FONTS}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {page} role="{role}" aria-labelledby="map-title map-told">',
        f'<title id="map-title">{escape(to_visible_line(theme_map.title))}</title>',
        f'<desc id="map-told">{escape(told)}. {escape(named)}. {CAPTION}</desc>',
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="{BACKGROUND_COLOUR}"/>',
        _text(to_visible_line(theme_map.title), 36, 46, 24, TEXT_COLOUR, weight=700),
        _text(told, 36, 72, 14, MUTED_COLOUR),
    ]


EXPORT_HINT = "As a table: patternmind export map"


def _footer_elements(theme_map: ThemeMap, *, n_named: int, step: int, with_links: bool) -> list[str]:
    """Where it is linked, the page below says in its own letters what the picture would say in small ones."""
    limits = [
        f"{n_named} of {len(theme_map.themes)} themes are named." if n_named < len(theme_map.themes) else "",
        f"One case in {step} is drawn." if step > 1 else "",
        "Small grey dots are outliers." if (theme_map.theme_indices < 0).any() else "",
    ]
    return [
        "" if with_links else _text(CAPTION, 36, HEIGHT - 34, 13, TEXT_COLOUR),
        _text(
            " ".join([*filter(None, limits), "" if with_links else EXPORT_HINT]).strip(),
            36,
            HEIGHT - 14,
            12,
            MUTED_COLOUR,
        ),
    ]


def _text(text: str, x: float, y: float, size: float, fill: str, *, weight: int = 400) -> str:
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{bold}>{escape(text)}</text>'


def _outlier_elements(dots: NDArray[np.float64], radius: float) -> list[str]:
    if not len(dots):
        return []
    return [_stroke_path(_dot_path(dots), OUTLIER_COLOUR, max(1.4, 1.1 * radius))]


def _outline_width(radius: float) -> float:
    return 6 * radius + 6


def _island_background(dots: NDArray[np.float64], colour: str, radius: float) -> str:
    """The island under the dots: the dots, wide and pale, with the land between those that lie close."""
    if not len(dots):
        return ""
    pale = _tint(colour)
    land = "".join(_polygon_path(dots[corners]) for corners in _island_polygons(dots))
    return _stroke_path(_dot_path(dots), pale, _outline_width(radius)) + (
        f'<path d="{land}" fill="{pale}" stroke="{pale}" stroke-width="{_outline_width(radius):.1f}" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
        if land
        else ""
    )


def _polygon_path(corners: NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in corners) + "z"


def _island_polygons(dots: NDArray[np.float64]) -> list[list[int]]:
    """Links and triangles between dots that lie close, as numbers of dots: all are joined but for strays."""
    if not 2 <= len(dots) <= MAX_TRIANGULATED_DOTS:
        return []
    from scipy import spatial  # 0.2 s
    from scipy.sparse import csgraph

    graphs: Any = csgraph
    space: Any = spatial
    apart = space.distance.squareform(space.distance.pdist(dots)) + 1e-6
    tree = graphs.minimum_spanning_tree(apart).tocoo()
    near = tree.data <= max(MAX_LINK_RATIO * float(np.median(tree.data)), MIN_GAP)
    links = [[int(a), int(b)] for a, b in zip(tree.row[near], tree.col[near], strict=True)]
    reach = MAX_TRIANGLE_RATIO * float(tree.data[near].max())
    try:
        triangles = space.Delaunay(dots).simplices.tolist()
    except space.QhullError:  # fewer than three dots, or all in a line
        return links
    return links + [[a, b, c] for a, b, c in triangles if max(apart[a, b], apart[b, c], apart[c, a]) <= reach]


def _tint(colour: str) -> str:
    """A tenth of the colour on the ground; not by opacity, which would show every dot's overlap."""
    mixed = (round(0.1 * int(colour[i : i + 2], 16) + 0.9 * int(BACKGROUND_COLOUR[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _stroke_path(path: str, colour: str, width: float) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:.1f}" '
        f'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _dot_path(dots: NDArray[np.float64]) -> str:
    return "".join(f"M{x:.1f} {y:.1f}h.01" for x, y in dots)


def _dot_markers(dots: NDArray[np.float64], colour: str, shape: str, radius: float) -> str:
    if not len(dots):
        return ""
    if shape == "circle":
        return _stroke_path(_dot_path(dots), colour, 2 * radius)
    across, down, outline = _MARKER_PATHS[shape](radius)
    path = "".join(f"M{x + across:.1f} {y + down:.1f}{outline}" for x, y in dots)
    return f'<path d="{path}" fill="{colour}"/>'


def _square_path(radius: float) -> tuple[float, float, str]:
    side = 1.75 * radius
    return -side / 2, -side / 2, f"h{side:.2f}v{side:.2f}h-{side:.2f}z"


def _triangle_path(radius: float) -> tuple[float, float, str]:
    return 0, -1.25 * radius, f"l{1.2 * radius:.2f} {2.05 * radius:.2f}h-{2.4 * radius:.2f}z"


def _diamond_path(radius: float) -> tuple[float, float, str]:
    half = f"{1.3 * radius:.2f}"
    return 0, -1.3 * radius, f"l{half} {half}l-{half} {half}l-{half} -{half}z"


_MARKER_PATHS = {"square": _square_path, "triangle": _triangle_path, "diamond": _diamond_path}


def _leader_line(label: PlacedLabel) -> str:
    if label.leader is None:
        return ""
    (x, y), (to_x, to_y) = label.leader
    return f'<path d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" stroke="{MUTED_COLOUR}" stroke-width="1" fill="none"/>'


def _label_elements(label: PlacedLabel, colour: str, shape: str) -> str:
    """Before the name stands a dot of its island, so that the two are matched where islands crowd."""
    size, line_height = label.size, LINE_HEIGHT_RATIO * label.size
    first = label.box.top + MARGIN + size
    left = label.box.left + MARGIN + KEY_WIDTH_RATIO * size
    key = _dot_markers(np.array([[left - 0.62 * size, first - 0.36 * size]]), colour, shape, size / 3.4)
    lines = [
        _text_with_halo(line, left, first + line_height * number, size, TEXT_COLOUR, weight=600)
        for number, line in enumerate(label.lines)
    ]
    count = _text_with_halo(
        label.count_text, left, first + line_height * len(lines), size * COUNT_SIZE_RATIO, MUTED_COLOUR, weight=400
    )
    return "\n".join([key, *lines, count])


def _text_with_halo(text: str, x: float, y: float, size: float, fill: str, *, weight: int) -> str:
    """The text on a rim of the ground's colour, drawn before it: ``paint-order`` is not known everywhere."""
    drawn = _text(text, x, y, size, fill, weight=weight)
    rim = f'fill="{BACKGROUND_COLOUR}" stroke="{BACKGROUND_COLOUR}" stroke-width="{size / 3:.1f}" stroke-linejoin="round" aria-hidden="true"'
    return drawn.replace(f'fill="{fill}"', rim, 1) + "\n" + drawn


def map_summary(theme_map: ThemeMap, drawn: DrawnMap) -> Mapping[str, int]:
    """What a program wants to know about a drawn map."""
    return {
        "cases": len(theme_map.coordinates),
        "themes": len(theme_map.themes),
        "outliers": int((theme_map.theme_indices < 0).sum()),
        "named": drawn.n_named,
        "drawn": drawn.n_drawn,
    }
