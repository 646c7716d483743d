"""Plot of quality against time, one panel per labelled corpus; the same results give the same bytes."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.cells import CellResult
from bench.corpora import LABELLED_CORPORA
from bench.methods import METHODS

COLOURS = ("#0072B2", "#56B4E9", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#666666")
"""Palette of Okabe and Ito, distinguishable with any colour vision; the marks differ too."""

MARKS = "osD^vPX"


def draw_quality_against_time(results: Sequence[CellResult], out: Path) -> None:
    """Draw AMI filled over warm seconds; the upper left is better."""
    library: Any = import_module("matplotlib")
    library.use("svg")
    library.rcParams.update(
        {"svg.hashsalt": "bench", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}
    )
    plots: Any = import_module("matplotlib.pyplot")
    figure, panels = plots.subplots(2, 2, figsize=(9, 6.4), layout="constrained")
    for panel, corpus in zip(panels.flat, LABELLED_CORPORA, strict=True):
        _draw_panel(panel, corpus, results)
    handles = [
        plots.Line2D([], [], color=colour, marker=mark, linestyle="", label=name)
        for name, colour, mark in zip(METHODS, COLOURS, MARKS, strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(out, metadata={"Date": None, "Title": "Quality against time"})
    plots.close(figure)


def _draw_panel(panel: Any, corpus: str, results: Sequence[CellResult]) -> None:
    panel.set_title(corpus if corpus != "arxiv" else "arXiv, 20,000 rows", loc="left", fontweight="bold")
    panel.set_xscale("log")
    panel.set_xlabel("seconds, warm")
    ticks: Any = import_module("matplotlib.ticker")
    panel.xaxis.set_major_formatter(ticks.FormatStrFormatter("%g"))
    panel.xaxis.set_minor_formatter(ticks.LogFormatter(labelOnlyBase=False, minor_thresholds=(1.2, 0.4)))
    panel.set_ylabel("AMI, outliers filled")
    panel.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
    style = dict(zip(METHODS, zip(COLOURS, MARKS, strict=True), strict=True))
    for result in results:
        cell, values = result["cell"], result["values"]
        if cell["part"] == "peers" and cell["corpus"] == corpus and "AMI filled" in values:
            colour, mark = style[cell["method"]]
            size = 70 if METHODS[cell["method"]].is_own else 45
            panel.scatter(values["warm_seconds"], values["AMI filled"], color=colour, marker=mark, s=size, zorder=3)
