"""Small pictures of numbers by quarter, drawn here; each says in words what it shows."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

SPARK_WIDTH, SPARK_HEIGHT, SPARK_ROOM = 96, 28, 4
BAR, GAP, BARS_HEIGHT = 30, 14, 120
MOST_BARS = 16
"""Quarters in one picture: four years. The table beside it has all."""


def quarters_of(*trends: Mapping[str, int]) -> list[str]:
    """Every quarter from the first to the last that any of them names, those without a case too."""
    named = sorted({quarter for trend in trends for quarter in trend})
    if not named:
        return []
    first, last = _number(named[0]), _number(named[-1])
    return [f"{number // 4}Q{number % 4 + 1}" for number in range(first, last + 1)]


def _number(quarter: str) -> int:
    year, _, part = quarter.partition("Q")
    return 4 * int(year) + int(part) - 1


def quarter_words(quarter: str) -> str:
    """As people write it: "Q3 2026"."""
    year, _, part = quarter.partition("Q")
    return f"Q{part} {year}"


def trend_words(trend: Mapping[str, int], quarters: Sequence[str]) -> str:
    """The numbers in a sentence, for who cannot see the picture."""
    if not quarters:
        return "Cases by quarter: none has a date."
    told = ", ".join(f"{trend.get(quarter, 0)} in {quarter_words(quarter)}" for quarter in quarters)
    return f"Cases by quarter: {told}."


def sparkline(trend: Mapping[str, int], quarters: Sequence[str]) -> Markup:
    """A line over the quarters, with a dot at the last; nothing where there are fewer than two."""
    shown = quarters[-MOST_BARS:]
    if len(shown) < 2:
        return Markup("")
    values = [trend.get(quarter, 0) for quarter in shown]
    most = max(*values, 1)
    across = (SPARK_WIDTH - 2 * SPARK_ROOM) / (len(values) - 1)
    down = SPARK_HEIGHT - 2 * SPARK_ROOM
    points = [
        (SPARK_ROOM + across * place, SPARK_HEIGHT - SPARK_ROOM - down * value / most)
        for place, value in enumerate(values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">'
        '<polyline points="{3}" fill="none"/><circle cx="{4}" cy="{5}" r="2.5"/></svg>'
    ).format(SPARK_WIDTH, SPARK_HEIGHT, trend_words(trend, shown), line, f"{x:.1f}", f"{y:.1f}")


def bars(trend: Mapping[str, int], quarters: Sequence[str]) -> Markup:
    """A bar a quarter with its number above and its name below; the last sixteen."""
    shown = quarters[-MOST_BARS:]
    if not shown:
        return Markup("")
    most = max(1, *(trend.get(quarter, 0) for quarter in shown))
    step = max(BAR + GAP, 64)
    width, base = step * len(shown), BARS_HEIGHT - 26
    parts = [Markup('<line class="axis" x1="0" y1="{0}" x2="{1}" y2="{0}"/>').format(base, width)]
    for place, quarter in enumerate(shown):
        value = trend.get(quarter, 0)
        height = (base - 22) * value / most
        middle = step * place + step / 2
        parts.append(
            Markup(
                '<rect class="bar" x="{}" y="{}" width="{}" height="{}" rx="2"/>'
                '<text x="{}" y="{}" text-anchor="middle">{}</text><text x="{}" y="{}" text-anchor="middle">{}</text>'
            ).format(
                f"{middle - BAR / 2:.1f}",
                f"{base - height:.1f}",
                BAR,
                f"{height:.1f}",
                f"{middle:.1f}",
                f"{base - height - 6:.1f}",
                value,
                f"{middle:.1f}",
                base + 19,
                quarter_words(quarter),
            )
        )
    return Markup(
        '<svg class="chart" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">{3}</svg>'
    ).format(width, BARS_HEIGHT, trend_words(trend, shown), Markup("").join(parts))
