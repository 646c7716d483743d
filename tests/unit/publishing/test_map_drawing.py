"""Tests of the map drawing: its content, its safety, and the placement of names without overlap."""

import itertools
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from patternmind.publishing.map_drawing import CAPTION, MAX_DOTS, MAX_LABELS, MapTheme, ThemeMap, draw_map, map_summary
from patternmind.publishing.map_labels import Island, Rectangle, place_labels, wrap_name
from patternmind.publishing.png import to_png

SVG = "{http://www.w3.org/2000/svg}"
FRAME = Rectangle(0, 0, 1000, 700)


def themes_named(*names: str) -> list[MapTheme]:
    return [MapTheme(f"t-{number}", name, 5) for number, name in enumerate(names)]


def build_map(*names: str, n: int = 60, seed: int = 0) -> ThemeMap:
    """Return a map of n cases: one island per name on a circle, and every tenth case an outlier."""
    rng = np.random.default_rng(seed)
    theme_of_case = np.arange(n) % max(1, len(names))
    theme_of_case[::10] = -1
    if not names:
        theme_of_case[:] = -1
    angle = 2 * np.pi * theme_of_case / max(1, len(names))
    centres = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (theme_of_case >= 0)[:, None]
    return ThemeMap("Themes", themes_named(*names), centres + 0.08 * rng.standard_normal((n, 2)), theme_of_case)


def parse_svg(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own SVG


def texts_in(svg: str) -> list[str]:
    return [element.text or "" for element in parse_svg(svg).iter(f"{SVG}text")]


def test_map_names_and_counts_its_themes_and_explains_distance() -> None:
    drawn = draw_map(build_map("pallets on hold", "badges left behind"), footnote="As a table: export map")

    texts = texts_in(drawn.svg)
    assert {"pallets on hold", "badges left behind", "5 cases", CAPTION, "60 cases, 2 themes, 6 outliers"} <= set(texts)
    assert any(text.endswith("As a table: export map") for text in texts)
    assert (drawn.n_drawn, drawn.n_named) == (60, 2)


def test_map_description_has_the_same_content_for_screen_readers() -> None:
    root = parse_svg(draw_map(build_map("pallets on hold", "badges left behind")).svg)

    description = root.findtext(f"{SVG}desc") or ""
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Themes"
    assert "pallets on hold, 5 cases; badges left behind, 5 cases" in description
    assert CAPTION in description


def test_map_drawing_is_reproducible() -> None:
    assert draw_map(build_map("a", "b", "c")) == draw_map(build_map("a", "b", "c"))


def test_map_escapes_markup_in_names() -> None:
    svg = draw_map(build_map('<script>alert("1")</script>', "plain\u202ename", "&amp;")).svg

    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "&amp;" in texts_in(svg)
    assert [element.tag for element in parse_svg(svg).iter() if element.tag == f"{SVG}script"] == []
    assert "href" not in svg


def test_map_islands_differ_in_more_than_colour() -> None:
    """Check that islands also differ in the shape of their dots."""
    drawn = draw_map(build_map("a", "b", "c", "d", n=80))

    fills = [path.get("fill") for path in parse_svg(drawn.svg).iter(f"{SVG}path")]
    outlines = {
        path.get("d", "").split("M")[1].lstrip("-0123456789. ")
        for path in parse_svg(drawn.svg).iter(f"{SVG}path")
        if path.get("d")
    }
    assert len({fill for fill in fills if fill and fill != "none"}) >= 4
    assert len(outlines) >= 4


def test_map_names_at_most_thirty_themes_and_says_so() -> None:
    drawn = draw_map(build_map(*(f"theme {number}" for number in range(40)), n=400))

    assert drawn.n_named <= MAX_LABELS
    assert any(f"{drawn.n_named} of 40 themes are named." in text for text in texts_in(drawn.svg))


def test_map_draws_a_part_of_many_cases_and_says_so() -> None:
    drawn = draw_map(build_map("a", "b", n=2 * MAX_DOTS + 1))

    assert drawn.n_drawn <= MAX_DOTS
    theme_of_case = np.zeros(1000, np.int64)
    theme_of_case[[1, 2]] = 1
    small = ThemeMap(
        "Themes", themes_named("large", "small"), np.random.default_rng(0).random((1000, 2)), theme_of_case
    )
    assert "small" in texts_in(draw_map(small, max_dots=100).svg)
    assert any("One case in 3 is drawn." in text for text in texts_in(drawn.svg))


def test_map_on_a_page_links_names_and_islands_to_themes_and_dots_to_cases() -> None:
    plain = build_map("a", "b", n=40)
    linked = replace(plain, case_ids=[f"c {number}" for number in range(40)])

    root = parse_svg(draw_map(linked, with_links=True).svg)
    targets = Counter(link.get("href") for link in root.iter(f"{SVG}a"))
    accessible = [link.get("href") for link in root.iter(f"{SVG}a") if link.get("aria-hidden") is None]
    assert root.get("role") == "group"
    assert targets == {"/themes/t-0": 2, "/themes/t-1": 2, **{f"/cases/c%20{number}": 1 for number in range(40)}}
    assert sorted(filter(None, accessible)) == ["/themes/t-0", "/themes/t-1"]
    assert not any("export map" in text for text in texts_in(draw_map(linked, with_links=True).svg))


def test_map_is_drawn_for_few_cases_and_without_themes() -> None:
    for n in (1, 2, 5):
        drawn = draw_map(build_map(n=n))
        assert (drawn.n_named, drawn.n_drawn) == (0, n)
        parse_svg(drawn.svg)
    same_point = ThemeMap("Themes", themes_named("a"), np.zeros((4, 2)), np.zeros(4, np.int64))
    assert map_summary(same_point, draw_map(same_point)) == {
        "cases": 4,
        "themes": 1,
        "outliers": 0,
        "named": 1,
        "drawn": 4,
    }


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 30))
def test_map_labels_do_not_overlap_and_stay_within_the_frame(seed: int, n: int) -> None:
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
    assert not any(first.box.overlaps(second.box) for first, second in itertools.combinations(placed, 2))


def test_map_label_wraps_and_truncates_a_long_name() -> None:
    assert wrap_name("badges left behind") == ("badges left behind",)
    assert wrap_name("handover notes that were never read by the next shift at all") == (
        "handover notes that were",
        "never read by the next…",
    )
    assert wrap_name("") == ("",)
    assert [len(line) <= 30 for line in wrap_name("x" * 80)] == [True]


def test_png_is_the_same_drawing_at_twice_the_resolution() -> None:
    drawn = draw_map(build_map("pallets on hold", "badges left behind"))

    png = to_png(drawn.svg, width=drawn.width, height=drawn.height)

    assert png.startswith(b"\x89PNG")
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == (2400, 1840)
    assert png == to_png(drawn.svg, width=drawn.width, height=drawn.height)
