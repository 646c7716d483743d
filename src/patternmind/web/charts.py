"""SVG charts of cases per quarter, each with a text alternative."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

SPARKLINE_WIDTH, SPARKLINE_HEIGHT, SPARKLINE_PADDING = 96, 28, 4
BAR_WIDTH, BAR_GAP, BAR_CHART_HEIGHT = 30, 14, 120
MAX_BARS = 16
"""Quarters in a chart: four years. The table next to it lists all."""


def quarter_range(*trends: Mapping[str, int]) -> list[str]:
    """Return all quarters from the first to the last, including those without cases."""
    with_cases = sorted({quarter for trend in trends for quarter in trend})
    if not with_cases:
        return []
    first, last = _quarter_number(with_cases[0]), _quarter_number(with_cases[-1])
    return [f"{number // 4}Q{number % 4 + 1}" for number in range(first, last + 1)]


def _quarter_number(quarter: str) -> int:
    year, _, part = quarter.partition("Q")
    return 4 * int(year) + int(part) - 1


def quarter_label(quarter: str) -> str:
    """Format "2026Q3" as "Q3 2026"."""
    year, _, part = quarter.partition("Q")
    return f"Q{part} {year}"


def describe_trend(trend: Mapping[str, int], quarters: Sequence[str]) -> str:
    """Return the numbers as a sentence, for screen readers."""
    if not quarters:
        return "Cases by quarter: no case has a date."
    numbers = ", ".join(f"{trend.get(quarter, 0)} in {quarter_label(quarter)}" for quarter in quarters)
    return f"Cases by quarter: {numbers}."


def sparkline(trend: Mapping[str, int], quarters: Sequence[str]) -> Markup:
    """Draw a line over the quarters with a dot at the last; empty for fewer than two quarters."""
    recent = quarters[-MAX_BARS:]
    if len(recent) < 2:
        return Markup("")
    values = [trend.get(quarter, 0) for quarter in recent]
    most = max(*values, 1)
    across = (SPARKLINE_WIDTH - 2 * SPARKLINE_PADDING) / (len(values) - 1)
    down = SPARKLINE_HEIGHT - 2 * SPARKLINE_PADDING
    points = [
        (SPARKLINE_PADDING + across * index, SPARKLINE_HEIGHT - SPARKLINE_PADDING - down * value / most)
        for index, value in enumerate(values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">'
        '<polyline points="{3}" fill="none"/><circle cx="{4}" cy="{5}" r="2.5"/></svg>'
    ).format(SPARKLINE_WIDTH, SPARKLINE_HEIGHT, describe_trend(trend, recent), line, f"{x:.1f}", f"{y:.1f}")


def bar_chart(trend: Mapping[str, int], quarters: Sequence[str]) -> Markup:
    """Draw the last ``MAX_BARS`` quarters as bars with numbers and labels."""
    recent = quarters[-MAX_BARS:]
    if not recent:
        return Markup("")
    most = max(1, *(trend.get(quarter, 0) for quarter in recent))
    step = max(BAR_WIDTH + BAR_GAP, 64)
    width, base = step * len(recent), BAR_CHART_HEIGHT - 26
    parts = [Markup('<line class="axis" x1="0" y1="{0}" x2="{1}" y2="{0}"/>').format(base, width)]
    for index, quarter in enumerate(recent):
        value = trend.get(quarter, 0)
        height = (base - 22) * value / most
        middle = step * index + step / 2
        parts.append(
            Markup(
                '<rect class="bar" x="{}" y="{}" width="{}" height="{}" rx="2"/>'
                '<text x="{}" y="{}" text-anchor="middle">{}</text><text x="{}" y="{}" text-anchor="middle">{}</text>'
            ).format(
                f"{middle - BAR_WIDTH / 2:.1f}",
                f"{base - height:.1f}",
                BAR_WIDTH,
                f"{height:.1f}",
                f"{middle:.1f}",
                f"{base - height - 6:.1f}",
                value,
                f"{middle:.1f}",
                base + 19,
                quarter_label(quarter),
            )
        )
    return Markup(
        '<svg class="chart" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">{3}</svg>'
    ).format(width, BAR_CHART_HEIGHT, describe_trend(trend, recent), Markup("").join(parts))
