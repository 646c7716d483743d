"""The picture of the map: what it shows, what it may not hold, and that names never lie on each other."""

import itertools
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from patternmind.publishing.map_drawing import (
    CAPTION,
    MAX_DOTS,
    MAX_LABELS,
    MapTheme,
    ThemeMap,
    draw_map,
    map_summary,
)
from patternmind.publishing.map_labels import (
    Island,
    Rectangle,
    place_labels,
    wrap_name,
)
from patternmind.publishing.png import to_png

SVG = "{http://www.w3.org/2000/svg}"
FRAME = Rectangle(0, 0, 1000, 700)


def themes_named(*names: str) -> list[MapTheme]:
    return [MapTheme(f"t-{number}", name, 5) for number, name in enumerate(names)]


def a_theme_map(*names: str, n: int = 60, seed: int = 0) -> ThemeMap:
    """n cases: one island a name round a circle, every tenth an outlier."""
    rng = np.random.default_rng(seed)
    of_theme = np.arange(n) % max(1, len(names))
    of_theme[::10] = -1
    if not names:
        of_theme[:] = -1
    angle = 2 * np.pi * of_theme / max(1, len(names))
    middles = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (of_theme >= 0)[:, None]
    return ThemeMap("Themes", themes_named(*names), middles + 0.08 * rng.standard_normal((n, 2)), of_theme)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own words


def texts_in(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter(f"{SVG}text")]


def test_the_picture_names_its_themes_counts_them_and_says_that_distance_means_little() -> None:
    drawn = draw_map(a_theme_map("pallets on hold", "badges left behind"))

    said = texts_in(drawn.svg)
    assert {"pallets on hold", "badges left behind", "5 cases", CAPTION, "60 cases, 2 themes, 6 outliers"} <= set(said)
    assert any("patternmind export map" in text for text in said)
    assert (drawn.n_drawn, drawn.n_named) == (60, 2)


def test_it_tells_the_same_to_who_cannot_see_it() -> None:
    root = parsed(draw_map(a_theme_map("pallets on hold", "badges left behind")).svg)

    told = root.findtext(f"{SVG}desc") or ""
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Themes"
    assert "pallets on hold, 5 cases; badges left behind, 5 cases" in told
    assert CAPTION in told


def test_the_same_map_is_the_same_text() -> None:
    assert draw_map(a_theme_map("a", "b", "c")) == draw_map(a_theme_map("a", "b", "c"))


def test_a_name_can_do_nothing_but_be_read() -> None:
    svg = draw_map(a_theme_map('<script>alert("1")</script>', "plain\u202ename", "&amp;")).svg

    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "&amp;" in texts_in(svg)
    assert [element.tag for element in parsed(svg).iter() if element.tag == f"{SVG}script"] == []
    assert "href" not in svg


def test_colour_is_never_the_only_difference() -> None:
    """Islands side by side differ in the shape of their dots too, and every name bears a dot of its island."""
    drawn = draw_map(a_theme_map("a", "b", "c", "d", n=80))

    fills = [path.get("fill") for path in parsed(drawn.svg).iter(f"{SVG}path")]
    outlines = {
        path.get("d", "").split("M")[1].lstrip("-0123456789. ")
        for path in parsed(drawn.svg).iter(f"{SVG}path")
        if path.get("d")
    }
    assert len({fill for fill in fills if fill and fill != "none"}) >= 4
    assert len(outlines) >= 4


def test_at_most_thirty_themes_are_named_and_the_picture_says_so() -> None:
    drawn = draw_map(a_theme_map(*(f"theme {number}" for number in range(40)), n=400))

    assert drawn.n_named <= MAX_LABELS
    assert any(f"{drawn.n_named} of 40 themes are named." in text for text in texts_in(drawn.svg))


def test_many_cases_are_drawn_in_part_and_the_picture_says_so() -> None:
    drawn = draw_map(a_theme_map("a", "b", n=2 * MAX_DOTS + 1))

    assert drawn.n_drawn <= MAX_DOTS
    of_theme = np.zeros(1000, np.int64)
    of_theme[[1, 2]] = 1
    small = ThemeMap("Themes", themes_named("large", "small"), np.random.default_rng(0).random((1000, 2)), of_theme)
    assert "small" in texts_in(draw_map(small, max_dots=100).svg)
    assert any("One case in 3 is drawn." in text for text in texts_in(drawn.svg))


def test_on_a_page_names_and_islands_lead_to_themes_and_dots_to_cases() -> None:
    found = a_theme_map("a", "b", n=40)
    linked = replace(found, case_ids=[f"c {number}" for number in range(40)])

    root = parsed(draw_map(linked, with_links=True).svg)
    to = Counter(link.get("href") for link in root.iter(f"{SVG}a"))
    spoken = [link.get("href") for link in root.iter(f"{SVG}a") if link.get("aria-hidden") is None]
    assert root.get("role") == "group"
    assert to == {"/themes/t-0": 2, "/themes/t-1": 2, **{f"/cases/c%20{number}": 1 for number in range(40)}}
    assert sorted(filter(None, spoken)) == ["/themes/t-0", "/themes/t-1"]
    assert not any("export map" in text for text in texts_in(draw_map(linked, with_links=True).svg))


def test_hardly_any_cases_and_no_themes_are_a_picture_too() -> None:
    for n in (1, 2, 5):
        drawn = draw_map(a_theme_map(n=n))
        assert (drawn.n_named, drawn.n_drawn) == (0, n)
        parsed(drawn.svg)
    same = ThemeMap("Themes", themes_named("a"), np.zeros((4, 2)), np.zeros(4, np.int64))
    assert map_summary(same, draw_map(same)) == {"cases": 4, "themes": 1, "outliers": 0, "named": 1, "drawn": 4}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 30))
def test_no_two_names_lie_on_each_other_and_none_leaves_the_frame(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    dots = rng.uniform((60, 60), (940, 640), (n, 2))
    islands = [
        Island(
            "handover notes " * int(rng.integers(1, 4)),
            "12 cases",
            Rectangle(x - 20, y - 20, x + 20, y + 20),
            np.array([[x, y]]),
        )
        for x, y in dots
    ]

    placed = [label for label in place_labels(islands, dots, FRAME) if label is not None]

    assert placed
    assert all(FRAME.contains(label.box) for label in placed)
    assert not any(one.box.overlaps(other.box) for one, other in itertools.combinations(placed, 2))


def test_a_long_name_is_folded_and_cut() -> None:
    assert wrap_name("badges left behind") == ("badges left behind",)
    assert wrap_name("handover notes that were never read by the next shift at all") == (
        "handover notes that were",
        "never read by the next…",
    )
    assert wrap_name("") == ("",)
    assert [len(line) <= 30 for line in wrap_name("x" * 80)] == [True]


def test_the_png_is_the_same_picture_with_twice_as_many_pixels() -> None:
    drawn = draw_map(a_theme_map("pallets on hold", "badges left behind"))

    png = to_png(drawn.svg, width=drawn.width, height=drawn.height)

    assert png.startswith(b"\x89PNG")
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == (2400, 1840)
    assert png == to_png(drawn.svg, width=drawn.width, height=drawn.height)
