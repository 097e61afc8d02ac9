"""Draws trees with lines, for plans, effects and lineage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def tree_lines(
    root: Item, text: Callable[[Item], str], children: Callable[[Item], Sequence[Item]]
) -> list[str]:
    """A line for `root` and for all that is below it, each under the one it belongs to.

    Args:
        text: what the line of an item says.
        children: what is below an item; called once for each line, so it may end what repeats.

    >>> tree_lines(2, str, lambda n: [n - 1] * n)
    ['2', '├─ 1', '│  └─ 0', '└─ 1', '   └─ 0']
    """
    lines = [text(root)]
    # A stack, no recursion: a chain may be longer than Python's frames are deep.
    open_levels = [("", list(children(root)))]
    while open_levels:
        before, waiting = open_levels[-1]
        if not waiting:
            open_levels.pop()
            continue
        item = waiting.pop(0)
        last = not waiting
        lines.append(f"{before}{'└─ ' if last else '├─ '}{text(item)}")
        open_levels.append((before + ("   " if last else "│  "), list(children(item))))
    return lines
