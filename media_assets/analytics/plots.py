"""Plots of answers: small SVG drawings that look alike, with the same bytes for the same figures.

Matplotlib is imported where a plot is drawn: it takes a second, which no other command should.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_WIDTH = 7.2
_INK = "#334155"
_FAINT = "#cbd5e1"
# Okabe and Ito's colours, which colour-blind people tell apart.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "media-assets",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e2e8f0",
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
}
_DASHES = ("-", "--", ":")
_MOST_TICKS = 40
_FEW_DECADES = 100.0


def bars(
    values: Mapping[str, float],
    *,
    title: str,
    unit: str,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    log: bool = False,
) -> str:
    """Horizontal bars, the first on top, as SVG.

    Args:
        values: by label; what is no number has no bar.
        unit: what the axis says, such as `seconds`.
        ranges: from where to where a value may lie, by label.
        log: a logarithmic axis, for values that differ by orders of magnitude.
    """

    def draw(axes: Axes) -> None:
        labels, lengths = list(values), [float(value) for value in values.values()]
        axes.barh(range(len(labels)), lengths, color=_COLOURS[0], height=0.7)
        for place, label in enumerate(labels):
            if ranges and label in ranges:
                axes.plot(ranges[label], (place, place), color=_INK, linewidth=1.2)
        axes.set_yticks(range(len(labels)), labels)
        axes.margins(y=0.02)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        if log and any(value > 0 for value in lengths):
            axes.set_xscale("log")
            _in_decades(axes.xaxis)
        axes.set_xlabel(unit)

    return _drawn(draw, title, height=1.1 + 0.26 * max(len(values), 2))


def lines(
    series: Mapping[str, pd.Series[float]],
    *,
    title: str,
    unit: str,
    across: str = "day",
    log: bool = False,
) -> str:
    """Lines over what their indexes are (days, sizes, …), as SVG.

    Args:
        series: by label, each with the places along the axis as its index.
        unit: what the upright axis says.
        across: what the other says.
        log: a logarithmic upright axis.
    """

    def draw(axes: Axes) -> None:
        for number, (label, values) in enumerate(series.items()):
            axes.plot(
                values.index.to_numpy(),
                values.to_numpy(),
                label=label,
                color=_COLOURS[number % len(_COLOURS)],
                linestyle=_DASHES[number // len(_COLOURS) % len(_DASHES)],
                linewidth=1.4,
                marker="o" if len(values) == 1 else None,
            )
        dates = any(isinstance(values.index, pd.DatetimeIndex) for values in series.values())
        if dates:
            _in_dates(axes)
        if log and any((values > 0).any() for values in series.values()):
            axes.set_yscale("log")
            _in_decades(axes.yaxis)
        elif all((values >= 0).all() for values in series.values()):
            axes.set_ylim(bottom=0)
        axes.set_xlabel(across)
        axes.set_ylabel(unit)
        if len(series) > 1:
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))

    return _drawn(draw, title, height=3.2)


def heat(table: pd.DataFrame, *, title: str, unit: str, across: str, down: str) -> str:
    """A table of numbers as coloured cells, the first row on top, as SVG; what is missing stays white.

    Args:
        table: rows and columns with their labels as index and columns.
        unit: what the scale says; across, down: what columns and rows are.
    """

    def draw(axes: Axes) -> None:
        axes.grid(visible=False)
        if table.empty:
            return
        mesh = axes.pcolormesh(
            table.to_numpy(dtype=float), cmap="cividis", linewidth=0.4, edgecolor="white"
        )
        _labelled(table.columns, axes.set_xticks, rotation=90 if len(table.columns) > 8 else 0)
        _labelled(table.index, axes.set_yticks)
        axes.invert_yaxis()
        axes.set_xlabel(across)
        axes.set_ylabel(down)
        axes.get_figure(root=True).colorbar(mesh, ax=axes, label=unit, pad=0.02)  # type: ignore[union-attr]

    return _drawn(draw, title, height=1.6 + 0.24 * min(max(len(table), 4), _MOST_TICKS))


def markdown(svg: str, title: str) -> str:
    """The plot as an inline picture in Markdown, as Dagster's UI shows it."""
    return f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def _drawn(draw: Callable[[Axes], None], title: str, *, height: float) -> str:
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.set_title(title)
        draw(axes)
        drawn = io.StringIO()
        # Without a date and a program's version the bytes tell nothing but the figures.
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return drawn.getvalue()


def _in_decades(axis: Axis) -> None:
    """Plain numbers: 1, 10, 100, and where there is hardly one of these, 2 and 5 too."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_formatter("{x:g}")
    low, high = axis.get_view_interval()
    if high < low * _FEW_DECADES:
        axis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
        axis.set_minor_formatter("{x:g}")
    else:
        axis.set_minor_formatter(NullFormatter())


def _in_dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _labelled(labels: Sequence[object] | pd.Index, place: Callable[..., object], **how: object) -> None:
    """Labels in the middle of their cells; every so many of them where there are more than fit."""
    step = -(-len(labels) // _MOST_TICKS)
    chosen = range(0, len(labels), step)
    place([number + 0.5 for number in chosen], [str(labels[number]) for number in chosen], **how)
