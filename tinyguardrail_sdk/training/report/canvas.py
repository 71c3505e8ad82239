"""Colours, axes and labels that all pictures share; PNG for files, themed SVG for the page.

Every colour has a light and a dark value. Pictures are drawn in the light ones; in the page each
becomes a CSS variable, so that one drawing serves both themes. Hues are told apart by
colour-blind readers, and every line also carries its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.report.curves import ALL

# name: (light, dark). No two light values may be equal: they are told apart by value.
THEME = {
    "paper": ("#ffffff", "#14171b"),
    "ink": ("#1c2127", "#e8eaed"),
    "muted": ("#626b76", "#9aa4b0"),
    "grid": ("#dde1e6", "#2e343c"),
    "slate": ("#5b7083", "#9db2c5"),
    "vermilion": ("#cc5500", "#ff8f52"),
    "plum": ("#9b3f8c", "#e08fd2"),
    "green": ("#00805f", "#3fcaa4"),
    "amber": ("#b87a00", "#f0b43c"),
    "blue": ("#1f5fa8", "#7fb2f0"),
}
PAPER, INK, MUTED, GRID = (THEME[name][0] for name in ("paper", "ink", "muted", "grid"))
FILL = THEME["blue"][0]
# One colour a thing, in all pictures.
COLOURS = {
    str(Label.BENIGN): THEME["slate"][0],
    str(Label.INJECTION): THEME["vermilion"][0],
    str(Label.JAILBREAK): THEME["plum"][0],
    str(Label.OBFUSCATION): THEME["green"][0],
    "fast": THEME["amber"][0],
    "deep": THEME["blue"][0],
    "routed": INK,
    ALL: INK,
}

WIDTH, HEIGHT = 5.0, 3.2  # inches: on a phone's screen the letters keep about their size
_SMALL, _USUAL = 8.0, 9.0
_DPI = 200


@dataclass(frozen=True)
class Picture:
    """A drawing with its words.

    Attributes:
        name: Of the file, without extension.
        title: What it shows.
        caption: How to read it, and what it rests on.
        figure: The drawing.
    """

    name: str
    title: str
    caption: str
    figure: Figure

    def png(self) -> bytes:
        """The drawing on white paper."""
        buffer = BytesIO()
        self.figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
        return buffer.getvalue()

    def svg(self) -> str:
        """The drawing as an element of an HTML page that defines `THEME` as CSS variables."""
        buffer = StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        self.figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
        drawing = buffer.getvalue()
        tag, _, drawing = drawing[drawing.index("<svg") :].partition(">")
        view = re.search(r'viewBox="[^"]*"', tag)
        assert view is not None
        # Ids are those of the page: two drawings must not share one.
        drawing = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{self.name}-", drawing)
        for name, (light, _) in THEME.items():
            drawing = drawing.replace(light, f"var(--{name})")
        return f'<svg role="img" aria-hidden="true" {view.group()}>{drawing}'


def figure(width: float = WIDTH, height: float = HEIGHT) -> Figure:
    """An empty drawing on paper."""
    made = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    FigureCanvasAgg(made)
    return made


def axes(on: Figure, *place: Any, x: str = "", y: str = "", **options: Any) -> Axes:
    """Axes with a frame of two sides, a light grid across and named units."""
    made: Axes = on.add_subplot(*(place or (1, 1, 1)), facecolor="none", **options)
    made.spines[["top", "right"]].set_visible(False)
    made.spines[["left", "bottom"]].set_color(GRID)
    made.tick_params(colors=MUTED, labelsize=_SMALL, length=0, pad=4, which="both")
    made.grid(axis="y", color=GRID, linewidth=0.6)
    made.set_axisbelow(True)
    made.set_xlabel(x, color=MUTED, fontsize=_USUAL)
    made.set_ylabel(y, color=MUTED, fontsize=_USUAL)
    return made


def step_axes(on: Figure, y: str) -> Axes:
    """Axes over the steps of a run."""
    made = axes(on, x="optimiser step", y=y)
    made.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    made.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    return made


def percent_axis(axis: Any) -> None:
    """Write the shares of an axis as percentages."""
    axis.set_major_formatter(lambda value, _: f"{round(100 * value, 4):g} %")


def log_axis(on: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers on it."""
    on.set_yscale("log")
    on.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    on.yaxis.set_minor_locator(NullLocator())
    on.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def write(on: Axes, x: float, y: float, words: str, colour: str = INK, **options: Any) -> None:
    """Write words at data coordinates."""
    on.text(x, y, words, **{"color": colour, "fontsize": _USUAL, "va": "center", **options})


def name_ends(on: Axes, ends: Mapping[str, tuple[float, str]]) -> None:
    """Write names beside the right ends of lines, moved apart where they would overlap.

    Args:
        on: The axes, with their final limits.
        ends: Height in data coordinates and colour, by name.
    """
    apart = 1.25 * _USUAL / 72 / (0.72 * HEIGHT)  # the labels of the axes leave about so much
    to_axes = on.transData + on.transAxes.inverted()
    names = sorted(ends, key=lambda name: ends[name][0])
    heights = [to_axes.transform((on.get_xlim()[1], ends[name][0]))[1] for name in names]
    for name, height in zip(names, spread(heights, apart), strict=True):
        on.annotate(
            name,
            (1.0, height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            color=ends[name][1],
            fontsize=_USUAL,
            va="center",
        )


def spread(heights: Sequence[float], apart: float) -> list[float]:
    """Ascending heights in [0, 1], moved as little as keeps neighbours `apart`."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + apart) if placed else height)
    limit = max(0.98, (len(placed) - 1) * apart)
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - apart
    return placed


def cells(on: Axes, shares: np.ndarray[Any, Any], words: Sequence[Sequence[str]]) -> None:
    """Draw a table of shares as cells of growing strength, with words in them.

    Args:
        on: The axes.
        shares: (rows, columns) in [0, 1].
        words: What is written in each cell.
    """
    rows, columns = shares.shape
    on.grid(visible=False)
    on.spines[["left", "bottom"]].set_visible(False)
    for row in range(rows):
        for column in range(columns):
            share = float(shares[row, column])
            place = (column - 0.5 + 0.02, row - 0.5 + 0.02)
            on.add_patch(_cell(place, share))
            strong = share > 0.75
            write(on, column, row, words[row][column], PAPER if strong else INK,
                  ha="center", fontsize=_SMALL)  # fmt: skip
    on.set_xlim(-0.5, columns - 0.5)
    on.set_ylim(rows - 0.5, -0.5)


def _cell(place: tuple[float, float], share: float) -> Rectangle:
    # Strength is opacity, so that the paper of either theme shows through.
    return Rectangle(place, 0.96, 0.96, facecolor=FILL, alpha=0.04 + 0.96 * share, linewidth=0)
