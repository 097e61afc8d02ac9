"""What a page is made of: sections of figures, each a plot over its table; cells as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

MOST_ROWS = 8
_LEAST_MONEY = 0.0001
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Table:
    """Rows of text under their heads; `more` rows are not shown.

    `sides` is how each column stands: `t` for text, `d` for days, `n` for numbers.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sides: tuple[str, ...]
    more: int = 0


@dataclass(frozen=True)
class Figure:
    """A table, and the plot above it (SVG) where there is one."""

    table: Table
    plot: str = ""


@dataclass(frozen=True)
class Section:
    """A question on the page.

    Attributes:
        title: what it is about.
        says: how to read it, in a sentence or two.
        asset: the asset that answers it.
        command: what shows all of it in a terminal.
        figures: none where there is nothing to show yet.
    """

    title: str
    says: str
    asset: str
    command: str
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class Tile:
    """A key figure at the top of the page: its name, its value, what it was before."""

    name: str
    value: str
    before: str


def tabled(frame: pd.DataFrame, columns: Mapping[str, tuple[str, str]], *, most: int = MOST_ROWS) -> Table:
    """The first rows of a frame.

    Args:
        columns: by column: its head, and what it holds: `text`, `day`, `count`, `share`, `seconds`,
            `hours`, `bytes`, `number`, `money`, or a currency.
    """
    kinds = [kind for _, kind in columns.values()]
    rows = tuple(
        tuple(cell(value, kind) for value, kind in zip(row, kinds, strict=True))
        for row in frame[list(columns)].head(most).itertuples(index=False)
    )
    heads = tuple(head for head, _ in columns.values())
    sides = tuple({"text": "t", "day": "d"}.get(kind, "n") for kind in kinds)
    return Table(heads, rows, sides, max(0, len(frame) - most))


def cell(value: object, kind: str) -> str:
    """A value as text; nothing where there is nothing.

    >>> cell(0.0123, "share"), cell(4012, "count"), cell(95.0, "seconds"), cell(1.5e9, "bytes")
    ('1.2 %', '4,012', '1 min 35 s', '1.5 GB')
    """
    if value is None or value != value:  # NaN is the one value unlike itself
        return ""
    if kind == "day":
        return str(value)[:10]
    if kind == "text" or not isinstance(value, int | float):
        return str(value)
    return _number(float(value), kind)


def _number(value: float, kind: str) -> str:
    if kind == "count":
        return f"{value:,.0f}"
    if kind == "share":
        return f"{100 * value:.1f} %"
    if kind == "seconds":
        return _time(value)
    if kind == "bytes":
        power = min(int(math.log10(max(value, 1)) // 3), len(_UNITS) - 1)
        return f"{_digits(value / 1000**power)} {_UNITS[power]}"
    if kind == "number":
        return _digits(value)
    return (
        f"{_digits(value)} h" if kind == "hours" else _money(value, "" if kind == "money" else f" {kind}")
    )


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{_digits(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _money(value: float, currency: str) -> str:
    if 0 < value < _LEAST_MONEY:
        return f"< {_LEAST_MONEY}{currency}"
    return f"{value:,.{2 if value >= 1 or value == 0 else 4}f}{currency}"


def _digits(value: float) -> str:
    """Three of them, and all of whole thousands; never as a power of ten."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(places, 8)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
