"""Small tables as Dagster's UI shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

MOST_ROWS = 100


def table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, most: int = MOST_ROWS
) -> dg.MarkdownMetadataValue:
    """A table of the first rows, with how many more there are under it.

    Args:
        head: a name for each column; rows: a value for each column, told by `str`, None as nothing.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    lines = [list(head), ["---"] * len(head), *cells[:most]]
    rest = f"\n\n… and {len(cells) - most} more" if len(cells) > most else ""
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines) + rest)


def _cell(value: object) -> str:
    """A value that stays in its cell, whatever is in it."""
    text = "" if value is None else str(value)
    return text.replace("|", "\\|").replace("\r", "").replace("\n", "<br>")
