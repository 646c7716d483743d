"""Draw the theme map as a self-contained SVG of text and simple shapes.

Each theme is a separate island with its name. It differs from neighbouring islands in both colour and dot shape, so
that colour alone carries no information. Outliers are small and grey. The map contains no text of a case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from patternmind.domain.wording import pluralize
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
"""Colours after Okabe and Ito, darkened to a contrast of at least 4.5:1."""

SHAPES = ("circle", "square", "triangle", "diamond")

FONTS = "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, Liberation Sans, DejaVu Sans, sans-serif"
WIDTH, HEIGHT = 1200.0, 920.0
FRAME = Rectangle(36, 92, 1164, 856)
MAX_LABELS = 30
MAX_DOTS = 20_000
INNER_SHARE = 0.94
"""Share of an island's dots inside its box; a stray case does not move the name."""

MAX_ASPECT_STRETCH = 1.4
"""Maximum stretch of the map in one direction to fill the page."""

MAX_TRIANGULATED_DOTS = 1_500
"""Maximum number of dots for polygons between them; more dots touch anyway."""

MAX_LINK_RATIO, MIN_GAP = 5.0, 60.0
"""Limits for the links of an island. A link is omitted if it exceeds both the median times this ratio and this gap."""

MAX_TRIANGLE_RATIO = 1.5
"""Longest side of a triangle, as a multiple of the longest link."""

MAX_CASE_LINKS = 1_200
"""Maximum number of dots with links to their cases.

More links would make the page slow, and the dots are too small to click.
"""

MIN_DOTS_PER_THEME = 3
"""Minimum number of drawn dots per theme, at any sampling rate."""

CAPTION = "Similar cases are next to each other. Distances and the widths of gaps mean little."


@dataclass(frozen=True, slots=True)
class MapTheme:
    id: str
    name: str
    n_cases: int


@dataclass(frozen=True, slots=True, eq=False)
class ThemeMap:
    """Coordinates (n, 2) of all cases; ``theme_indices`` (n,) are indices into ``themes``, -1 for outliers.

    ``themes`` are sorted by descending size; ``case_ids`` are needed only for links.
    """

    title: str
    themes: Sequence[MapTheme]
    coordinates: NDArray[np.float64]
    theme_indices: NDArray[np.int64]
    case_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """The SVG, with the numbers of drawn dots and named themes."""

    svg: str
    width: float
    height: float
    n_drawn: int
    n_named: int


def draw_map(
    theme_map: ThemeMap, *, max_dots: int = MAX_DOTS, with_links: bool = False, footnote: str = ""
) -> DrawnMap:
    """Draw the map; equal maps give equal bytes.

    Args:
        with_links: For web pages: islands and names link to their themes, and dots to their cases if there are few.
        footnote: For pictures on their own: a last sentence below the map.
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

    def link(address: str, svg: str, *, is_hidden: bool = False) -> str:
        return _with_link(address, svg, is_hidden=is_hidden) if with_links else svg

    links_cases = with_links and len(rows) <= MAX_CASE_LINKS
    case_ids = [theme_map.case_ids[int(row)] for row in rows] if links_cases else []
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
        *_footer_elements(theme_map, n_named=len(labels), step=every, with_links=with_links, footnote=footnote),
        "</svg>",
    ]
    return DrawnMap("\n".join(part for part in parts if part) + "\n", WIDTH, HEIGHT, len(dots), len(labels))


def _sample_rows(theme_indices: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    """Return the rows to draw: every ``step``-th row, and a few of each small theme."""
    is_drawn = np.zeros(len(theme_indices), bool)
    is_drawn[::step] = True
    if step > 1:
        for theme in np.unique(theme_indices[theme_indices >= 0]):
            rows = np.flatnonzero(theme_indices == theme)
            if is_drawn[rows].sum() < MIN_DOTS_PER_THEME:
                is_drawn[rows[:MIN_DOTS_PER_THEME]] = True
    return np.flatnonzero(is_drawn)


def _with_link(address: str, svg: str, *, is_hidden: bool) -> str:
    """Wrap an SVG part in a link.

    A hidden link is for the mouse only, because the theme name or the table has the same link.
    """
    hidden = ' tabindex="-1" aria-hidden="true"' if is_hidden else ""
    return f'<a href="{escape(quote(address))}"{hidden}>{svg}</a>' if svg else ""


def _case_links(
    dots: NDArray[np.float64],
    theme_indices: NDArray[np.int64],
    case_ids: Sequence[str],
    styles: Sequence[tuple[str, str]],
    radius: float,
) -> list[str]:
    links: list[str] = []
    for row, case_id in enumerate(case_ids):
        dot = dots[row : row + 1]
        theme = int(theme_indices[row])
        marker = "".join(_outlier_elements(dot, radius)) if theme < 0 else _dot_markers(dot, *styles[theme], radius)
        links.append(_with_link(f"/cases/{case_id}", marker, is_hidden=True))
    return links


def _scale_to_page(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coordinates in page units, centred in the frame, with y upward."""
    if not len(coordinates):
        return np.zeros((0, 2))
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    available = np.array([FRAME.right - FRAME.left, FRAME.bottom - FRAME.top]) - 40
    scale = available / np.maximum(high - low, 1e-9)
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
    """Place the labels of the largest drawn themes; each comes with its style and theme id."""
    drawn = [position for position, island in enumerate(members) if len(island)][:MAX_LABELS]
    islands = [
        Island(to_visible_line(themes[i].name), _count_text(themes[i].n_cases), boxes[i], members[i]) for i in drawn
    ]
    placed = place_labels(islands, dots, FRAME)
    return [(label, styles[i], themes[i].id) for i, label in zip(drawn, placed, strict=True) if label is not None]


def _count_text(n: int, noun: str = "case") -> str:
    return pluralize(n, noun, is_grouped=True)


def _assign_styles(boxes: Sequence[Rectangle]) -> list[tuple[str, str]]:
    """Assign colour and shape to each island, far from their previous use."""
    styles: list[tuple[str, str]] = []
    centres = np.array([box.center for box in boxes]).reshape(-1, 2)
    for position in range(len(boxes)):
        distances = np.hypot(*(centres[:position] - centres[position]).T)
        colour = _most_distant_choice(COLOURS, [used_colour for used_colour, _ in styles], distances)
        styles.append((colour, _most_distant_choice(SHAPES, [shape for _, shape in styles], distances)))
    return styles


def _most_distant_choice(choices: Sequence[str], used_choices: Sequence[str], distances: NDArray[np.float64]) -> str:
    def nearest(choice: str) -> float:
        return min((float(distances[i]) for i, used in enumerate(used_choices) if used == choice), default=float("inf"))

    return max(choices, key=nearest)


def _header_elements(theme_map: ThemeMap, *, role: str) -> list[str]:
    theme_list = "; ".join(f"{to_visible_line(theme.name)}, {_count_text(theme.n_cases)}" for theme in theme_map.themes)
    n_outliers = int((theme_map.theme_indices < 0).sum())
    n_cases, n_themes = len(theme_map.coordinates), len(theme_map.themes)
    counts = f"{_count_text(n_cases)}, {_count_text(n_themes, 'theme')}, {_count_text(n_outliers, 'outlier')}"
    page = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}" font-family="{FONTS}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {page} role="{role}" aria-labelledby="map-title map-description">',
        f'<title id="map-title">{escape(to_visible_line(theme_map.title))}</title>',
        f'<desc id="map-description">{escape(counts)}. {escape(theme_list)}. {CAPTION}</desc>',
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="{BACKGROUND_COLOUR}"/>',
        _text(to_visible_line(theme_map.title), 36, 46, 24, TEXT_COLOUR, weight=700),
        _text(counts, 36, 72, 14, MUTED_COLOUR),
    ]


def _footer_elements(theme_map: ThemeMap, *, n_named: int, step: int, with_links: bool, footnote: str) -> list[str]:
    """Return the footer texts; a map with links leaves out the caption that its web page repeats."""
    limits = [
        f"{n_named} of {len(theme_map.themes)} themes are named." if n_named < len(theme_map.themes) else "",
        f"One case in {step} is drawn." if step > 1 else "",
        "Small grey dots are outliers." if (theme_map.theme_indices < 0).any() else "",
    ]
    return [
        "" if with_links else _text(CAPTION, 36, HEIGHT - 34, 13, TEXT_COLOUR),
        _text(" ".join(filter(None, [*limits, footnote])), 36, HEIGHT - 14, 12, MUTED_COLOUR),
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
    """Return the island under the dots: wide pale dots, and polygons between close ones."""
    if not len(dots):
        return ""
    tint = _tint(colour)
    polygons = "".join(_polygon_path(dots[corners]) for corners in _island_polygons(dots))
    return _stroke_path(_dot_path(dots), tint, _outline_width(radius)) + (
        f'<path d="{polygons}" fill="{tint}" stroke="{tint}" stroke-width="{_outline_width(radius):.1f}" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
        if polygons
        else ""
    )


def _polygon_path(corners: NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in corners) + "z"


def _island_polygons(dots: NDArray[np.float64]) -> list[list[int]]:
    """Return links and triangles between close dots, as dot indices; only stray dots stay unconnected."""
    if not 2 <= len(dots) <= MAX_TRIANGULATED_DOTS:
        return []
    from scipy import spatial  # 0.2 s
    from scipy.sparse import csgraph

    graphs: Any = csgraph
    space: Any = spatial
    distances = space.distance.squareform(space.distance.pdist(dots)) + 1e-6
    tree = graphs.minimum_spanning_tree(distances).tocoo()
    is_near = tree.data <= max(MAX_LINK_RATIO * float(np.median(tree.data)), MIN_GAP)
    links = [[int(a), int(b)] for a, b in zip(tree.row[is_near], tree.col[is_near], strict=True)]
    max_side = MAX_TRIANGLE_RATIO * float(tree.data[is_near].max())
    try:
        triangles = space.Delaunay(dots).simplices.tolist()
    except space.QhullError:  # fewer than three dots, or all in a line
        return links
    return links + [
        [a, b, c] for a, b, c in triangles if max(distances[a, b], distances[b, c], distances[c, a]) <= max_side
    ]


def _tint(colour: str) -> str:
    """Mix a tenth of the colour with the background; opacity would show the overlap of dots."""
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
    """Return the label, with a dot in its island's style before the name."""
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
    """Return the text on a halo in the background colour; not every viewer supports ``paint-order``."""
    drawn = _text(text, x, y, size, fill, weight=weight)
    stroke = f'stroke="{BACKGROUND_COLOUR}" stroke-width="{size / 3:.1f}" stroke-linejoin="round"'
    halo = f'fill="{BACKGROUND_COLOUR}" {stroke} aria-hidden="true"'
    return drawn.replace(f'fill="{fill}"', halo, 1) + "\n" + drawn


def map_summary(theme_map: ThemeMap, drawn: DrawnMap) -> Mapping[str, int]:
    """Return the numbers of a drawn map for JSON output."""
    return {
        "cases": len(theme_map.coordinates),
        "themes": len(theme_map.themes),
        "outliers": int((theme_map.theme_indices < 0).sum()),
        "named": drawn.n_named,
        "drawn": drawn.n_drawn,
    }
