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

from patternmind.publish.document import plain
from patternmind.publish.map_labels import COUNT_SHARE, KEY, LINE_SHARE, MARGIN, Box, Island, Label, place_labels

GROUND, INK, QUIET, FAINT = "#fcfbf9", "#1e2327", "#565e66", "#a3a8ad"
COLOURS = ("#0072b2", "#c44e00", "#00805e", "#a8477f", "#8a6500", "#4a3f9f", "#3b4248")
"""After Okabe and Ito, darkened to at least 4.5:1 on the ground where theirs are too light for small dots."""

SHAPES = ("circle", "square", "triangle", "diamond")

FONTS = "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, Liberation Sans, DejaVu Sans, sans-serif"
WIDTH, HEIGHT = 1200.0, 920.0
FRAME = Box(36, 92, 1164, 856)
MOST_NAMED = 30
MOST_DOTS = 20_000
INNER = 0.94
"""Share of an island's dots that its box holds: one stray case should not push the name away."""

MOST_STRETCHED = 1.4
"""How much wider than high the map may be drawn to fill the page: its distances mean little in any direction."""

MOST_LINKED = 1_500
"""Dots of an island up to which there is land between them; more lie close enough to run together."""

LONGEST_LINK, SHORTEST_GAP = 5.0, 60.0
"""Links over so many times the middle one, and so many units, are left out: there an island has parts."""

WIDEST_LAND = 1.5
"""Longest side of a piece of land, in longest links."""

MOST_CASE_LINKS = 1_200
"""Dots up to which each leads to its case on a page; more would make the page slow, and no dot can be hit any more."""

FEWEST_OF_THEME = 3
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
    places: NDArray[np.float64]
    of_theme: NDArray[np.int64]
    case_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """The picture, and what of the map is on it."""

    svg: str
    width: float
    height: float
    n_drawn: int
    n_named: int


def draw_map(found: ThemeMap, *, most_dots: int = MOST_DOTS, linked: bool = False) -> DrawnMap:
    """The same map gives the same text, byte for byte.

    Args:
        linked: for a page of ours: islands and names lead to their themes, dots to their cases while there are few.
    """
    every = -(-len(found.places) // most_dots) or 1
    rows = _chosen(found.of_theme, every)
    dots = _on_page(found.places)[rows]
    of_theme = found.of_theme[rows]
    radius = float(np.clip(4.6 * (200 / max(1, len(dots))) ** 0.3, 1.2, 4.6))
    members = [dots[of_theme == position] for position in range(len(found.themes))]
    boxes = [_island_box(island, _shore_width(radius) / 2) for island in members]
    looks = _looks(boxes)
    labels = _labels(found.themes, members, boxes, looks, dots)
    link = _link if linked else _unlinked
    few = linked and len(rows) <= MOST_CASE_LINKS
    case_ids = [found.case_ids[int(row)] for row in rows] if few else []
    parts = [
        *_head(found, role="group" if linked else "img"),
        *(_outliers(dots[of_theme < 0], radius) if not case_ids else ()),
        *(
            link(f"/themes/{theme.id}", _shore(island, colour, radius), quiet=True)
            for theme, island, (colour, _) in zip(found.themes, members, looks, strict=True)
        ),
        *(
            _case_links(dots, of_theme, case_ids, looks, radius)
            if case_ids
            else (_dots(island, *look, radius) for island, look in zip(members, looks, strict=True))
        ),
        *(_leader(label) for label, _, _ in labels),
        *(link(f"/themes/{theme_id}", _label(label, *look)) for label, look, theme_id in labels),
        *_foot(found, n_named=len(labels), every=every, linked=linked),
        "</svg>",
    ]
    return DrawnMap("\n".join(part for part in parts if part) + "\n", WIDTH, HEIGHT, len(dots), len(labels))


def _chosen(of_theme: NDArray[np.int64], every: int) -> NDArray[np.int64]:
    """The rows that are drawn: one in so many, and a few of every theme, so that none is missing for being small."""
    taken = np.zeros(len(of_theme), bool)
    taken[::every] = True
    if every > 1:
        for theme in np.unique(of_theme[of_theme >= 0]):
            rows = np.flatnonzero(of_theme == theme)
            if taken[rows].sum() < FEWEST_OF_THEME:
                taken[rows[:FEWEST_OF_THEME]] = True
    return np.flatnonzero(taken)


def _unlinked(address: str, drawn: str, *, quiet: bool = False) -> str:
    del address, quiet
    return drawn


def _link(address: str, drawn: str, *, quiet: bool = False) -> str:
    """A quiet link is one for the mouse: the same place is reached by the name of the theme, or by the table."""
    hidden = ' tabindex="-1" aria-hidden="true"' if quiet else ""
    return f'<a href="{escape(quote(address))}"{hidden}>{drawn}</a>' if drawn else ""


def _case_links(
    dots: NDArray[np.float64],
    of_theme: NDArray[np.int64],
    case_ids: Sequence[str],
    looks: Sequence[tuple[str, str]],
    radius: float,
) -> list[str]:
    drawn: list[str] = []
    for row, case_id in enumerate(case_ids):
        place = dots[row : row + 1]
        theme = int(of_theme[row])
        dot = "".join(_outliers(place, radius)) if theme < 0 else _dots(place, *looks[theme], radius)
        drawn.append(_link(f"/cases/{case_id}", dot, quiet=True))
    return drawn


def _on_page(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places in the units of the page: in the middle of the frame, y upward."""
    if not len(places):
        return np.zeros((0, 2))
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.array([FRAME.right - FRAME.left, FRAME.bottom - FRAME.top]) - 40
    scale = room / np.maximum(high - low, 1e-9)
    scale = np.minimum(scale, MOST_STRETCHED * scale[::-1])
    return (places - (low + high) / 2) * scale * np.array([1, -1]) + np.array(FRAME.middle)


def _island_box(dots: NDArray[np.float64], shore: float) -> Box:
    if not len(dots):
        return Box(*FRAME.middle, *FRAME.middle)
    outside = (1 - INNER) / 2
    left, top = np.quantile(dots, outside, axis=0)
    right, bottom = np.quantile(dots, 1 - outside, axis=0)
    return Box(float(left) - shore, float(top) - shore, float(right) + shore, float(bottom) + shore)


def _labels(
    themes: Sequence[MapTheme],
    members: Sequence[NDArray[np.float64]],
    boxes: Sequence[Box],
    looks: Sequence[tuple[str, str]],
    dots: NDArray[np.float64],
) -> list[tuple[Label, tuple[str, str], str]]:
    """The names of the largest themes that have a dot on the page and room beside it, with island's look and theme."""
    shown = [position for position, island in enumerate(members) if len(island)][:MOST_NAMED]
    islands = [Island(plain(themes[i].name), _counted(themes[i].n_cases), boxes[i], members[i]) for i in shown]
    placed = place_labels(islands, dots, FRAME)
    return [(label, looks[i], themes[i].id) for i, label in zip(shown, placed, strict=True) if label is not None]


def _counted(n: int, noun: str = "case") -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _looks(boxes: Sequence[Box]) -> list[tuple[str, str]]:
    """Colour and shape of each island: of all pairs, the one whose nearest bearer of either is farthest away."""
    looks: list[tuple[str, str]] = []
    middles = np.array([box.middle for box in boxes]).reshape(-1, 2)
    for position in range(len(boxes)):
        away = np.hypot(*(middles[:position] - middles[position]).T)
        colour = _farthest(COLOURS, [look[0] for look in looks], away)
        looks.append((colour, _farthest(SHAPES, [look[1] for look in looks], away)))
    return looks


def _farthest(choices: Sequence[str], borne: Sequence[str], away: NDArray[np.float64]) -> str:
    def nearest(choice: str) -> float:
        return min((float(away[i]) for i, look in enumerate(borne) if look == choice), default=float("inf"))

    return max(choices, key=nearest)


def _head(found: ThemeMap, *, role: str) -> list[str]:
    named = "; ".join(f"{plain(theme.name)}, {_counted(theme.n_cases)}" for theme in found.themes)
    n_alone = int((found.of_theme < 0).sum())
    told = f"{_counted(len(found.places))}, {_counted(len(found.themes), 'theme')}, {_counted(n_alone, 'outlier')}"
    page = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}" font-family="{FONTS}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {page} role="{role}" aria-labelledby="map-title map-told">',
        f'<title id="map-title">{escape(plain(found.title))}</title>',
        f'<desc id="map-told">{escape(told)}. {escape(named)}. {CAPTION}</desc>',
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="{GROUND}"/>',
        _text(plain(found.title), 36, 46, 24, INK, weight=700),
        _text(told, 36, 72, 14, QUIET),
    ]


EXPORT_HINT = "As a table: patternmind export map"


def _foot(found: ThemeMap, *, n_named: int, every: int, linked: bool) -> list[str]:
    """Where it is linked, the page below says in its own letters what the picture would say in small ones."""
    limits = [
        f"{n_named} of {len(found.themes)} themes are named." if n_named < len(found.themes) else "",
        f"One case in {every} is drawn." if every > 1 else "",
        "Small grey dots are outliers." if (found.of_theme < 0).any() else "",
    ]
    return [
        "" if linked else _text(CAPTION, 36, HEIGHT - 34, 13, INK),
        _text(" ".join([*filter(None, limits), "" if linked else EXPORT_HINT]).strip(), 36, HEIGHT - 14, 12, QUIET),
    ]


def _text(text: str, x: float, y: float, size: float, fill: str, *, weight: int = 400) -> str:
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{bold}>{escape(text)}</text>'


def _outliers(dots: NDArray[np.float64], radius: float) -> list[str]:
    if not len(dots):
        return []
    return [_stroke(_points(dots), FAINT, max(1.4, 1.1 * radius))]


def _shore_width(radius: float) -> float:
    return 6 * radius + 6


def _shore(dots: NDArray[np.float64], colour: str, radius: float) -> str:
    """The island under the dots: the dots, wide and pale, with the land between those that lie close."""
    if not len(dots):
        return ""
    pale = _paler(colour)
    land = "".join(_outline(dots[corners]) for corners in _land(dots))
    return _stroke(_points(dots), pale, _shore_width(radius)) + (
        f'<path d="{land}" fill="{pale}" stroke="{pale}" stroke-width="{_shore_width(radius):.1f}" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
        if land
        else ""
    )


def _outline(corners: NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in corners) + "z"


def _land(dots: NDArray[np.float64]) -> list[list[int]]:
    """Links and triangles between dots that lie close, as numbers of dots: all are joined but for strays."""
    if not 2 <= len(dots) <= MOST_LINKED:
        return []
    from scipy import spatial  # 0.2 s
    from scipy.sparse import csgraph

    graphs: Any = csgraph
    space: Any = spatial
    apart = space.distance.squareform(space.distance.pdist(dots)) + 1e-6
    tree = graphs.minimum_spanning_tree(apart).tocoo()
    near = tree.data <= max(LONGEST_LINK * float(np.median(tree.data)), SHORTEST_GAP)
    links = [[int(a), int(b)] for a, b in zip(tree.row[near], tree.col[near], strict=True)]
    reach = WIDEST_LAND * float(tree.data[near].max())
    try:
        triangles = space.Delaunay(dots).simplices.tolist()
    except space.QhullError:  # fewer than three dots, or all in a line
        return links
    return links + [[a, b, c] for a, b, c in triangles if max(apart[a, b], apart[b, c], apart[c, a]) <= reach]


def _paler(colour: str) -> str:
    """A tenth of the colour on the ground; not by opacity, which would show every dot's overlap."""
    mixed = (round(0.1 * int(colour[i : i + 2], 16) + 0.9 * int(GROUND[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _stroke(path: str, colour: str, width: float) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:.1f}" '
        f'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _points(dots: NDArray[np.float64]) -> str:
    return "".join(f"M{x:.1f} {y:.1f}h.01" for x, y in dots)


def _dots(dots: NDArray[np.float64], colour: str, shape: str, radius: float) -> str:
    if not len(dots):
        return ""
    if shape == "circle":
        return _stroke(_points(dots), colour, 2 * radius)
    across, down, outline = _OUTLINES[shape](radius)
    path = "".join(f"M{x + across:.1f} {y + down:.1f}{outline}" for x, y in dots)
    return f'<path d="{path}" fill="{colour}"/>'


def _square(radius: float) -> tuple[float, float, str]:
    side = 1.75 * radius
    return -side / 2, -side / 2, f"h{side:.2f}v{side:.2f}h-{side:.2f}z"


def _triangle(radius: float) -> tuple[float, float, str]:
    return 0, -1.25 * radius, f"l{1.2 * radius:.2f} {2.05 * radius:.2f}h-{2.4 * radius:.2f}z"


def _diamond(radius: float) -> tuple[float, float, str]:
    half = f"{1.3 * radius:.2f}"
    return 0, -1.3 * radius, f"l{half} {half}l-{half} {half}l-{half} -{half}z"


_OUTLINES = {"square": _square, "triangle": _triangle, "diamond": _diamond}


def _leader(label: Label) -> str:
    if label.leader is None:
        return ""
    (x, y), (to_x, to_y) = label.leader
    return f'<path d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" stroke="{QUIET}" stroke-width="1" fill="none"/>'


def _label(label: Label, colour: str, shape: str) -> str:
    """Before the name stands a dot of its island, so that the two are matched where islands crowd."""
    size, line_height = label.size, LINE_SHARE * label.size
    first = label.box.top + MARGIN + size
    left = label.box.left + MARGIN + KEY * size
    key = _dots(np.array([[left - 0.62 * size, first - 0.36 * size]]), colour, shape, size / 3.4)
    lines = [
        _haloed(line, left, first + line_height * number, size, INK, weight=600)
        for number, line in enumerate(label.lines)
    ]
    count = _haloed(label.count, left, first + line_height * len(lines), size * COUNT_SHARE, QUIET, weight=400)
    return "\n".join([key, *lines, count])


def _haloed(text: str, x: float, y: float, size: float, fill: str, *, weight: int) -> str:
    """The text on a rim of the ground's colour, drawn before it: ``paint-order`` is not known everywhere."""
    drawn = _text(text, x, y, size, fill, weight=weight)
    rim = f'fill="{GROUND}" stroke="{GROUND}" stroke-width="{size / 3:.1f}" stroke-linejoin="round" aria-hidden="true"'
    return drawn.replace(f'fill="{fill}"', rim, 1) + "\n" + drawn


def map_record(found: ThemeMap, drawn: DrawnMap) -> Mapping[str, int]:
    """What a program wants to know about a drawn map."""
    return {
        "cases": len(found.places),
        "themes": len(found.themes),
        "outliers": int((found.of_theme < 0).sum()),
        "named": drawn.n_named,
        "drawn": drawn.n_drawn,
    }
