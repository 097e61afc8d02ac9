"""Fonts: the one that comes with the project, and how wide its letters are.

Source Sans Pro (SIL Open Font License 1.1) has the Latin, Greek and Cyrillic letters. What it has no
glyph for (Chinese, Arabic, emoji) is drawn as an empty box: name a font that has it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import font_source_sans_pro

from media_assets.errors import BadInput

SUBTITLE_FONT = "SourceSansPro-Semibold"
"""The PostScript name of `default_font`. Only one file of the folder answers to it: the OpenType one."""

# Platform and encoding of the tables of characters that hold Unicode, the fullest first.
_UNICODE = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0))


def default_font() -> Path:
    """The font of text and subtitles where none is named."""
    return Path(font_source_sans_pro.SourceSansProSemibold)


def fonts_folder() -> Path:
    """The folder that `default_font` lies in, for libass."""
    return default_font().parent


@dataclass(frozen=True)
class Font:
    """A TrueType or OpenType file, or the first font of a collection.

    Raises (all that read it):
        BadInput: the file does not hold what a font must.
    """

    path: Path

    def width(self, text: str) -> float:
        """How wide one line is, in ems, kerning left out of account."""
        glyphs, widths = self._glyphs, self._widths
        last = len(widths) - 1
        return float(sum(widths[min(glyphs.get(ord(letter), 0), last)] for letter in text))

    def has(self, letter: str) -> bool:
        """Whether there is a glyph for it."""
        return ord(letter) in self._glyphs

    @property
    def line(self) -> float:
        """From one line to the next, in ems."""
        ascent, descent, gap = self._read("hhea", ">hhh", 4)
        return float(ascent - descent + gap) / self._units

    @cached_property
    def _bytes(self) -> bytes:
        return self.path.read_bytes()

    @cached_property
    def _tables(self) -> dict[str, int]:
        start = self._unpack(">I", 12)[0] if self._bytes[:4] == b"ttcf" else 0
        (count,) = self._unpack(">H", start + 4)
        rows = [self._unpack(">4sIII", start + 12 + 16 * row) for row in range(count)]
        return {row[0].decode("latin-1"): row[2] for row in rows}

    @cached_property
    def _units(self) -> int:
        return int(self._read("head", ">H", 18)[0]) or 1

    @cached_property
    def _widths(self) -> list[float]:
        (count,) = self._read("hhea", ">H", 34)
        return [width / self._units for width in self._read("hmtx", ">" + "H2x" * max(1, count), 0)]

    @cached_property
    def _glyphs(self) -> dict[int, int]:
        (count,) = self._read("cmap", ">H", 2)
        rows = [self._read("cmap", ">HHI", 4 + 8 * row) for row in range(count)]
        tables = {(platform, encoding): offset for platform, encoding, offset in rows}
        for key in _UNICODE:
            if key in tables:
                (form,) = self._read("cmap", ">H", tables[key])
                if form in (4, 12):
                    return (self._ranges if form == 4 else self._groups)(tables[key])
        raise BadInput(f"the font {self.path.name} has no table of Unicode characters")

    def _ranges(self, at: int) -> dict[int, int]:
        """Table format 4 of the OpenType specification."""
        count = self._read("cmap", ">H", at + 6)[0] // 2
        places = (at + 14, at + 16 + 2 * count, at + 16 + 4 * count, at + 16 + 6 * count)
        ends, starts, deltas, offsets = (self._read("cmap", f">{count}H", place) for place in places)
        glyphs = {}
        for row in range(count):
            for code in range(starts[row], min(ends[row], 0xFFFE) + 1):
                glyph = code
                if offsets[row]:
                    step = offsets[row] + 2 * (code - starts[row])
                    (glyph,) = self._read("cmap", ">H", places[3] + 2 * row + step)
                if glyph and (glyph + deltas[row]) % 65_536:
                    glyphs[code] = (glyph + deltas[row]) % 65_536
        return glyphs

    def _groups(self, at: int) -> dict[int, int]:
        """Table format 12."""
        (count,) = self._read("cmap", ">I", at + 12)
        glyphs: dict[int, int] = {}
        for row in range(count):
            first, last, glyph = self._read("cmap", ">III", at + 16 + 12 * row)
            if last > 0x10FFFF or last < first:
                raise BadInput(f"the font {self.path.name} is damaged")
            glyphs |= {code: glyph + code - first for code in range(first, last + 1)}
        return glyphs

    def _read(self, table: str, form: str, at: int) -> tuple[int, ...]:
        if table not in self._tables:
            raise BadInput(f"the font {self.path.name} has no {table} table")
        return self._unpack(form, self._tables[table] + at)

    def _unpack(self, form: str, at: int) -> tuple[Any, ...]:
        try:
            return struct.unpack_from(form, self._bytes, at)
        except struct.error:
            raise BadInput(f"the font {self.path.name} is damaged: it ends too early") from None
