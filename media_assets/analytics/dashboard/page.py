"""The page as HTML: everything in one file, with no script, and nothing that comes from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from media_assets.analytics.dashboard.parts import Figure, Section, Table, Tile

_STYLE = Path(__file__).with_name("page.css")
# Whatever is in the page, a browser loads and runs nothing for it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_SERVER = "http://127.0.0.1:3000/assets/"
"""Where `make dev` shows assets: links for people to follow; nothing is loaded from there."""
_NOTHING = '<p class="none">Nothing to show yet.</p>'
# What a plot is drawn in that has to follow the page: paper, ink, lines.
_INKS = (
    ("fill: #ffffff", "fill: none"),
    ("#334155", "currentColor"),
    ("#000000", "currentColor"),
    ("#0072b2", "var(--first)"),
    ("#cbd5e1", "var(--line)"),
    ("#e2e8f0", "var(--line)"),
)


def body(tiles: Sequence[Tile], window: str, sections: Sequence[Section]) -> str:
    """What the events say: the same for the same answers, whenever it is made."""
    named = [(f"s{number}", section) for number, section in enumerate(sections, start=1)]
    links = "".join(f'<a href="#{anchor}">{escape(section.title)}</a>' for anchor, section in named)
    parts = [f"<nav>{links}</nav>"]
    if tiles:
        parts.append(f'<p class="note">{escape(window[0].upper() + window[1:])}.</p>')
        parts.append(f'<div class="tiles">{"".join(map(_tile, tiles))}</div>')
    parts += [_section(anchor, section) for anchor, section in named]
    return "\n".join(parts)


def nothing_yet(steps: Sequence[tuple[str, str]]) -> str:
    """What to do where there are no events: words and a command for each step."""
    items = "".join(
        f"<li>{escape(words)}<br><code>{escape(command)}</code></li>" for words, command in steps
    )
    return (
        "<section><h2>Nothing was done yet</h2>"
        "<p>This page is made from what is done to media. To see something here:</p>"
        f"<ol>{items}</ol></section>"
    )


def page(title: str, facts: str, content: str) -> str:
    """The whole document.

    Args:
        facts: a line under the title: when it was made, and from what.
        content: HTML, as the functions above give it.
    """
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE.read_text(encoding='utf-8')}</style></head>\n"
        f'<body><header><h1>{escape(title)}</h1><p class="note">{escape(facts)}</p></header>\n'
        f"<main>\n{content}\n</main></body></html>\n"
    )


def inlined(svg: str, prefix: str) -> str:
    """A plot as part of a page: colours that follow the page's, and ids that no other plot has."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    for drawn, shown in _INKS:
        svg = svg.replace(drawn, shown)
    title = re.search(r"<!-- (.*?) -->", svg)
    label = f' role="img" aria-label="{escape(title.group(1))}"' if title else ' role="img"'
    return re.sub(r"<svg", f"<svg{label}", svg, count=1)


def _text(words: str) -> str:
    """Escaped, and no unit by itself on a line."""
    return escape(words).replace(" %", "&nbsp;%")


def _tile(tile: Tile) -> str:
    before = f'<span class="before">{_text(tile.before)}</span>' if tile.before else ""
    return (
        f'<div class="tile"><span class="name">{_text(tile.name)}</span>'
        f'<span class="value">{_text(tile.value)}</span>{before}</div>'
    )


def _section(anchor: str, section: Section) -> str:
    figures = "".join(
        _figure(f"{anchor}-{number}", figure) for number, figure in enumerate(section.figures, start=1)
    )
    asset = escape(section.asset)
    return (
        f'<section id="{anchor}"><h2>{escape(section.title)}</h2><p>{escape(section.says)}</p>'
        f"{figures or _NOTHING}"
        f'<p class="note">Asset <a href="{_SERVER}{asset}"><code>{asset}</code></a>; '
        f"in a terminal: <code>{escape(section.command)}</code></p></section>"
    )


def _figure(prefix: str, figure: Figure) -> str:
    plot = f'<div class="plot">{inlined(figure.plot, prefix)}</div>' if figure.plot else ""
    return f"<figure>{plot}{_table(figure.table)}</figure>"


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    heads = "".join(
        f'<th class="{side}">{_text(head)}</th>'
        for head, side in zip(table.heads, table.sides, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td class="{side}">{escape(cell)}</td>' for cell, side in zip(row, table.sides, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    more = f'<p class="note">… and {table.more:,} more.</p>' if table.more else ""
    inner = f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>"
    return f'<div class="scroll"><table>{inner}</table></div>{more}'
