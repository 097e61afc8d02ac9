"""Plots have the same bytes for the same figures, say their units, and are small."""

from __future__ import annotations

import base64
from collections.abc import Callable
from xml.etree import ElementTree

import pandas as pd
import pytest

from media_assets.analytics import plots

DAYS = pd.date_range("2026-08-01", periods=400)


def bars() -> str:
    values = {"trim": 0.5, "encode <$x$>": 300.0, "none": float("nan")}
    return plots.bars(values, title="Time", unit="seconds", ranges={"trim": (0.4, 0.7)}, log=True)


def lines() -> str:
    series = {f"operation {n}": pd.Series(range(n, n + 400), index=DAYS, dtype=float) for n in range(20)}
    return plots.lines(series, title="Days", unit="seconds")


def heat() -> str:
    table = pd.DataFrame([[1.0, None], [3.0, 4.0]], index=["a", "b"], columns=["x", "y"])
    return plots.heat(table, title="Share", unit="seconds", across="format", down="operation")


DRAWINGS: list[Callable[[], str]] = [bars, lines, heat]


@pytest.mark.parametrize("draw", DRAWINGS, ids=lambda draw: draw.__name__)
def test_a_plot_is_the_same_each_time_small_and_says_its_unit(draw: Callable[[], str]) -> None:
    drawn = draw()
    assert drawn == draw()
    assert len(drawn) < 200_000
    texts = [node.text for node in ElementTree.fromstring(drawn).iter() if node.tag.endswith("}text")]  # noqa: S314
    assert "seconds" in texts


def test_labels_and_ticks_are_text_as_given() -> None:
    root = ElementTree.fromstring(bars())  # noqa: S314
    texts = {node.text for node in root.iter() if node.tag.endswith("}text")}
    assert {"Time", "encode <$x$>", "1", "10", "100"} <= texts


def test_nothing_to_draw_gives_empty_axes() -> None:
    for drawn in (
        plots.bars({}, title="t", unit="s"),
        plots.lines({}, title="t", unit="s"),
        plots.heat(pd.DataFrame(), title="t", unit="s", across="a", down="b"),
    ):
        assert drawn.startswith("<?xml")


def test_a_plot_stands_in_markdown_as_a_picture() -> None:
    given = plots.markdown(bars(), "Time")
    head = "![Time](data:image/svg+xml;base64,"
    assert given.startswith(head)
    assert base64.b64decode(given.removeprefix(head).removesuffix(")")).decode() == bars()
