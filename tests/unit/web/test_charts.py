"""Charts of numbers by quarter, and their text alternatives."""

import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from patternmind.web.charts import MAX_BARS, bar_chart, describe_trend, quarter_range, sparkline

QUARTERS = st.tuples(st.integers(1995, 2030), st.integers(1, 4)).map(lambda quarter: f"{quarter[0]}Q{quarter[1]}")
TRENDS = st.dictionaries(QUARTERS, st.integers(0, 10_000), max_size=12)


def test_quarter_range_includes_quarters_without_cases() -> None:
    assert quarter_range({"2025Q4": 2}, {"2026Q2": 1}) == ["2025Q4", "2026Q1", "2026Q2"]
    assert quarter_range({}) == []


def test_chart_label_describes_its_numbers() -> None:
    trend, quarters = {"2025Q4": 2, "2026Q2": 1}, ["2025Q4", "2026Q1", "2026Q2"]
    label = "Cases by quarter: 2 in Q4 2025, 0 in Q1 2026, 1 in Q2 2026."
    assert describe_trend(trend, quarters) == label
    assert f'aria-label="{label}"' in sparkline(trend, quarters)
    assert re.findall(r">(\d+)<", bar_chart(trend, quarters)) == ["2", "0", "1"]


def test_charts_are_empty_without_enough_quarters() -> None:
    assert sparkline({"2026Q1": 3}, ["2026Q1"]) == ""
    assert bar_chart({}, []) == ""
    assert describe_trend({}, []) == "Cases by quarter: no case has a date."


@given(TRENDS)
def test_charts_stay_inside_their_viewbox(trend: dict[str, int]) -> None:
    quarters = quarter_range(trend)
    for drawn in filter(None, (sparkline(trend, quarters), bar_chart(trend, quarters))):
        root = ET.fromstring(drawn)  # noqa: S314 - our own words
        height = float(root.attrib["height"])
        tops = [float(rect.attrib["y"]) for rect in root.iter("rect")]
        points = [float(pair.split(",")[1]) for line in root.iter("polyline") for pair in line.attrib["points"].split()]
        assert all(0 <= y <= height for y in (*tops, *points))
        assert max(len(tops), len(points)) <= MAX_BARS
