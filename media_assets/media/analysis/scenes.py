"""What pictures have in common: scenes, black and frozen ranges, dominant colours, perceptual hashes.

All of it is told from the small pictures that are decoded once, four a second: pure functions on arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media_assets.media.analysis.decoding import PICTURES_PER_SECOND, Grays
from media_assets.media.analysis.speech import Ranges

# As ffmpeg's blackdetect: 98 % of the pixels below a tenth of the range. Frozen is what changes by less
# than one level of 255 even where most changes, which finds what its freezedetect finds. These filters
# would take two thirds of the decoding of 1080p on top.
_BLACK_LEVEL = 0.10 * 255
_BLACK_PART = 0.98
_FROZEN_CHANGE = 1.0
_SHORTEST_BLACK = 0.5
_SHORTEST_FROZEN = 1.0
# A flash is no scene; nor is what the detector makes of the picture after a cut.
_SHORTEST_SCENE = 0.2
MOST_COLORS = 5
_BINS = 16
_LEAST_SHARE = 0.03
_HASH_SIDE = 8
_HASHED_SIDE = 32

Values = NDArray[np.float64]
Colors = tuple[tuple[str, float], ...]
"""Dominant colours, the most frequent first: (`#rrggbb`, its part of the picture from 0 to 1)."""


@dataclass(frozen=True)
class Scene:
    """From one cut to the next, in seconds into the file.

    Attributes:
        hash: perceptual hash of the picture in the middle, 16 hex digits; few bits differ between
            pictures that look alike (`distance`).
        colors: dominant colours.
    """

    start: float
    end: float
    hash: str
    colors: Colors

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Scene:
        """Read what `vars` gave.

        Raises:
            TypeError, KeyError, ValueError: a field is missing or of another form.
        """
        colors = colors_of(document["colors"])
        return cls(float(document["start"]), float(document["end"]), str(document["hash"]), colors)


def scenes(
    pictures: Grays, colors: Grays, cuts: Sequence[float], black: Ranges, seconds: float
) -> tuple[Scene, ...]:
    """The scenes between `cuts`, of gray pictures four a second and coloured ones one a second.

    Args:
        black: ranges; one between pictures parts them in its middle, as a fade out and in does.
        seconds: where the last scene ends.
    """
    found = []
    for start, end in pairwise(_edges(cuts, black, seconds)):
        middle = pictures[min(len(pictures) - 1, int((start + end) / 2 * PICTURES_PER_SECOND))]
        first = min(len(colors) - 1, int(np.ceil(start)))
        last = max(first + 1, int(np.ceil(end)))
        found.append(Scene(start, end, perceptual_hash(middle), dominant(colors[first:last])))
    return tuple(found)


def _edges(cuts: Sequence[float], black: Ranges, seconds: float) -> list[float]:
    """Where scenes begin, and where the last ends; none is shorter than a fifth of a second."""
    margin = 1 / PICTURES_PER_SECOND
    faded = [
        (start + end) / 2
        for start, end in black
        if start > 0 and end < seconds and not any(start - margin <= cut <= end + margin for cut in cuts)
    ]
    edges = [0.0]
    for cut in sorted([*cuts, *faded]):
        if edges[-1] + _SHORTEST_SCENE <= cut <= seconds - _SHORTEST_SCENE:
            edges.append(round(cut, 3))
    return [*edges, seconds]


def black_ranges(pictures: Grays) -> Ranges:
    """Seconds from and to which there is nothing but black, for half a second or more."""
    black = [float(np.mean(picture <= _BLACK_LEVEL)) >= _BLACK_PART for picture in pictures]
    return _ranges(black, 0, _SHORTEST_BLACK)


def frozen_ranges(changes: Sequence[float]) -> Ranges:
    """Seconds from and to which nothing moves, for a second or more.

    Args:
        changes: from each picture to the next, the mean change where most changes, 0 to 255.
    """
    return _ranges([change <= _FROZEN_CHANGE for change in changes], 1, _SHORTEST_FROZEN)


def dominant(pictures: Grays) -> Colors:
    """The colours that most of the pictures have, at most five, each with three percent or more.

    Pixels are counted in cubes of sixteen levels; a colour is the mean of a cube and those around it.
    """
    pixels = np.asarray(pictures).reshape(-1, 3)
    cubes = (pixels // (256 // _BINS)).astype(np.int64)
    place = (cubes[:, 0] * _BINS + cubes[:, 1]) * _BINS + cubes[:, 2]
    shape = (_BINS, _BINS, _BINS)
    count = np.bincount(place, minlength=_BINS**3).reshape(shape)
    sums = [np.bincount(place, pixels[:, axis], _BINS**3).reshape(shape) for axis in range(3)]
    found = []
    for _ in range(MOST_COLORS):
        at = np.unravel_index(int(np.argmax(count)), shape)
        near = tuple(slice(max(0, int(middle) - 1), int(middle) + 2) for middle in at)
        many = int(count[near].sum())
        if many < max(1.0, _LEAST_SHARE * len(pixels)):
            break
        red, green, blue = (round(float(part[near].sum()) / many) for part in sums)
        found.append((f"#{red:02x}{green:02x}{blue:02x}", round(many / len(pixels), 3)))
        count[near] = 0
        for part in sums:
            part[near] = 0
    return tuple(sorted(found, key=lambda color: -color[1]))


def perceptual_hash(gray: NDArray[np.uint8]) -> str:
    """64 bits as hex (pHash): which of the lowest frequencies of a picture are above their median."""
    small = _averaging(gray.shape[0]) @ np.asarray(gray, np.float64) @ _averaging(gray.shape[1]).T
    wave = _cosines()
    low = np.round(wave @ small @ wave.T, 6)[:_HASH_SIDE, :_HASH_SIDE]
    bits = (low > np.median(low)).ravel()
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def distance(one: str, other: str) -> int:
    """How many of the 64 bits of two hashes differ; below about 10 the pictures look alike."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def colors_of(values: Sequence[Sequence[Any]]) -> Colors:
    """Colours as JSON has them."""
    return tuple((str(color), float(share)) for color, share in values)


def _ranges(flags: Sequence[bool], more: int, shortest: float) -> Ranges:
    """Where flags are set, in seconds: from the first of a run to `more` pictures after its last."""
    edges = np.flatnonzero(np.diff(np.array([False, *flags, False], np.int8)))
    runs = zip(edges[::2].tolist(), (edges[1::2] + more).tolist(), strict=True)
    seconds = [(first / PICTURES_PER_SECOND, last / PICTURES_PER_SECOND) for first, last in runs]
    return tuple((start, end) for start, end in seconds if end - start >= shortest)


@cache
def _averaging(size: int) -> Values:
    """The matrix that makes `size` values into 32 means, parts of values counting as parts."""
    edges = np.linspace(0, size, _HASHED_SIDE + 1)
    cells = np.arange(size)
    starts, ends = edges[:-1, None], edges[1:, None]
    overlap = np.clip(np.minimum(ends, cells + 1) - np.maximum(starts, cells), 0, None)
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True), np.float64)


@cache
def _cosines() -> Values:
    """The matrix of the discrete cosine transform."""
    places = np.arange(_HASHED_SIDE)
    return np.asarray(np.cos(np.pi * places[:, None] * (2 * places + 1) / (2 * _HASHED_SIDE)), np.float64)
