"""Tables in Dagster's UI keep their columns, whatever is in them, and say what they leave out."""

from __future__ import annotations

from media_assets.defs.tables import table


def test_cells_stay_cells_and_what_is_left_out_is_counted() -> None:
    rows = [("a|b", 1, None), ("two\r\nlines", 0.5, True), ("never", "shown", "")]
    assert table(("name", "n", ""), rows, most=2).value == (
        "| name | n |  |\n| --- | --- | --- |\n"
        "| a\\|b | 1 |  |\n| two<br>lines | 0.5 | True |\n\n… and 1 more"
    )
    assert table(("empty",), []).value == "| empty |\n| --- |"
