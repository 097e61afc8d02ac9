"""What is seen in a file: cuts, and second by second how sharp, moving and bright it is, and where.

The centre of attention is where most moves and is sharp; a crop for another shape goes around it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media_assets.media.analysis.decoding import PICTURES_PER_SECOND, Grays, decode_pictures
from media_assets.media.analysis.scenes import (
    Colors,
    Scene,
    black_ranges,
    colors_of,
    dominant,
    frozen_ranges,
    scenes,
)
from media_assets.media.analysis.shots import FASTEST, check_installed, cuts_by_content
from media_assets.media.analysis.speech import Ranges
from media_assets.media.info import MediaInfo
from media_assets.settings import Settings

LONGEST_SECONDS = 1800.0
"""How much of a file is looked at; what comes after is not known."""
# Blocks of a picture on its longer side.
_BLOCKS = 16
# Of all blocks, those that decide whether a picture is sharp: a blurred background is no fault.
_SHARPEST_PART = 0.25
# Where nothing moves, what is sharp draws the eye; what moves draws it more.
_STILL_WEIGHT = 0.3
_CENTRE_WEIGHT = 0.5
_PEAK_POWER = 3.0
_SMOOTHED_SECONDS = 2
"""Before and after."""

Values = NDArray[np.float32]
_Spot = tuple[float, float, float]


@dataclass(frozen=True)
class PictureContent:
    """What looking gave; one value for each second begun, a single one for a still.

    Attributes:
        cuts: seconds into the file at which another scene begins, as the detector finds.
        sharpness: strength of fine detail where there is most of it; below 3 is blurred, above 10 crisp.
        motion: mean change within a quarter of a second, as a fraction of white, cuts left out.
        brightness: mean, 0 black to 1 white.
        focus: (x, y) of what draws the eye, as fractions of the frame, smoothed within a scene.
        seconds: how much was looked at.
        scenes: from cut to cut, or to the middle of black that lies between, with what each looks like.
        black: ranges of half a second or more that are black; to a quarter of a second.
        frozen: ranges of a second or more in which nothing moves; to a quarter of a second.
        colors: the dominant colours of all of it.
    """

    cuts: tuple[float, ...]
    sharpness: tuple[float, ...]
    motion: tuple[float, ...]
    brightness: tuple[float, ...]
    focus: tuple[tuple[float, float], ...]
    seconds: float
    scenes: tuple[Scene, ...] = ()
    black: Ranges = ()
    frozen: Ranges = ()
    colors: Colors = ()

    def to_json(self) -> dict[str, Any]:
        """As it is kept and printed."""
        lists = {name: list(getattr(self, name)) for name in ("cuts", "sharpness", "motion", "brightness")}
        pairs = {
            name: [list(p) for p in getattr(self, name)] for name in ("focus", "black", "frozen", "colors")
        }
        shots = [
            {**vars(scene), "colors": [list(color) for color in scene.colors]} for scene in self.scenes
        ]
        return {**lists, **pairs, "scenes": shots, "seconds": self.seconds}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> PictureContent:
        """Read what `to_json` gave.

        Raises:
            TypeError, KeyError, ValueError: a field is missing, unknown or of another form.
        """
        names = ("cuts", "sharpness", "motion", "brightness")
        values = {name: tuple(map(float, document[name])) for name in names}
        pairs = {
            name: tuple((float(x), float(y)) for x, y in document[name])
            for name in ("focus", "black", "frozen")
        }
        shots = tuple(Scene.from_json(scene) for scene in document["scenes"])
        colors = colors_of(document["colors"])
        return cls(**{**document, **values, **pairs, "scenes": shots, "colors": colors})


def analyse_picture(path: Path, info: MediaInfo, settings: Settings, scratch: Path) -> PictureContent:
    """Look at the first half hour of a file. It takes as long as decoding does.

    Raises:
        NotMedia: it has no picture; CorruptMedia: it cannot be decoded.
    """
    every = _rate(info) if settings.scenes == "pyscenedetect" and info.kind == "video" else None
    if every is not None:
        check_installed()
    found = decode_pictures(path, info, settings, scratch, seconds=LONGEST_SECONDS, every=every)
    cuts = found.cuts
    if every is not None and found.every is not None:
        cuts = cuts_by_content(found.every, every)
    return picture_content(found.grays, cuts, found.colors, info.duration)


def _rate(info: MediaInfo) -> Fraction:
    """Pictures a second that are looked at for cuts."""
    fps = info.video.fps if info.video is not None else None
    return min(fps or FASTEST, FASTEST)


def picture_content(
    pictures: Grays, cuts: tuple[float, ...], colors: Grays, duration: float | None = None
) -> PictureContent:
    """What is in gray pictures, four a second, with scene changes at `cuts` (seconds).

    Args:
        pictures: (pictures, height, width).
        cuts: seconds.
        colors: one picture a second, (pictures, height, width, 3): red, green, blue.
        duration: of the file, in seconds; no range goes beyond it.
    """
    changed = {round(cut * PICTURES_PER_SECOND) for cut in cuts}
    before: NDArray[np.float32] | None = None
    sharp, moving, bright, spots, changes = [], [], [], [], []
    for index, gray in enumerate(pictures):
        now = np.asarray(gray, np.float32)
        # The picture at a cut's own moment may be from before it or after it.
        joined = before is not None and not {index, index + 1, index - 1} & changed
        change = np.zeros_like(now) if before is None else np.abs(now - before)
        # Where most changes: a mouth that moves in a still face is no frozen picture.
        changes.append(float(_blocks(change).max()))
        difference = change if joined else np.zeros_like(now)
        detail = _blocks(np.abs(_laplacian(now)))
        sharp.append(_of_the_sharpest(detail))
        moving.append(float(difference.mean()) / 255 if joined else float("nan"))
        bright.append(float(now.mean()) / 255)
        spots.append(_spot(_blocks(difference), detail))
        before = now
    seconds = round(min(len(pictures) / PICTURES_PER_SECOND, duration or math.inf), 3)
    black = _within(black_ranges(pictures), seconds)
    return PictureContent(
        cuts=tuple(round(cut, 3) for cut in cuts),
        sharpness=_by_second(sharp),
        motion=_by_second(moving),
        brightness=_by_second(bright),
        focus=_focus(spots, cuts),
        seconds=seconds,
        scenes=scenes(pictures, colors, cuts, black, seconds),
        black=black,
        frozen=_within(frozen_ranges(changes[1:]), seconds),
        colors=dominant(colors),
    )


def _within(ranges: Ranges, seconds: float) -> Ranges:
    """Ranges of a file that ends at `seconds`: its last picture stands for less than a quarter of one."""
    return tuple((start, min(end, seconds)) for start, end in ranges if start < seconds)


def _laplacian(gray: Values) -> Values:
    """How much each inner pixel differs from those around it."""
    middle = 4 * gray[1:-1, 1:-1]
    around = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:]
    return np.asarray(middle - around, np.float32)


def _blocks(values: Values) -> Values:
    """Means over blocks, sixteen on the longer side."""
    high, wide = values.shape
    side = max(1, max(high, wide) // _BLOCKS)
    rows, columns = max(1, high // side), max(1, wide // side)
    if high < side or wide < side:
        return np.full((rows, columns), values.mean() if values.size else 0, np.float32)
    cut = values[: rows * side, : columns * side]
    return np.asarray(cut.reshape(rows, side, columns, side).mean(axis=(1, 3)), np.float32)


def _of_the_sharpest(detail: Values) -> float:
    ranked = np.sort(detail, axis=None)[::-1]
    return float(ranked[: max(1, round(len(ranked) * _SHARPEST_PART))].mean())


def _spot(motion: Values, detail: Values) -> _Spot:
    """Where the eye goes, (x, y), and how strongly it is drawn there."""
    rows, columns = min(motion.shape[0], detail.shape[0]), min(motion.shape[1], detail.shape[1])
    weight = motion[:rows, :columns] + _STILL_WEIGHT * detail[:rows, :columns]
    y, x = (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns
    # Between equals the one nearer to the middle wins.
    off = np.hypot((x[None, :] - 0.5), (y[:, None] - 0.5))
    weight = _spread(weight) * (1 - _CENTRE_WEIGHT * off)
    peaked = weight**_PEAK_POWER
    total = float(peaked.sum())
    if total <= 0:
        return 0.5, 0.5, 0.0
    return (
        float((peaked * x[None, :]).sum() / total),
        float((peaked * y[:, None]).sum() / total),
        float(weight.max()),
    )


def _spread(weight: Values) -> Values:
    """Each block with its neighbours, so that one bright speck is no subject."""
    padded = np.pad(weight, 1, mode="edge")
    rows, columns = weight.shape
    shifted = [padded[r : r + rows, c : c + columns] for r in range(3) for c in range(3)]
    return np.asarray(np.mean(shifted, axis=0), np.float32)


def _by_second(values: list[float]) -> tuple[float, ...]:
    """The mean of each second; 0 where nothing is known."""
    means = []
    for first in range(0, len(values), PICTURES_PER_SECOND):
        known = [v for v in values[first : first + PICTURES_PER_SECOND] if v == v]
        means.append(round(sum(known) / len(known), 5) if known else 0.0)
    return tuple(means)


def _focus(spots: list[_Spot], cuts: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
    """The centre of attention of each second, over the seconds around it that are of the same scene."""
    seconds = range(0, len(spots), PICTURES_PER_SECOND)
    scene = [sum(cut <= first / PICTURES_PER_SECOND + 0.5 for cut in cuts) for first in seconds]
    found = []
    for at in range(len(scene)):
        near = range(max(0, at - _SMOOTHED_SECONDS), min(len(scene), at + _SMOOTHED_SECONDS + 1))
        same = [second for second in near if scene[second] == scene[at]]
        first, last = same[0] * PICTURES_PER_SECOND, (same[-1] + 1) * PICTURES_PER_SECOND
        around = np.array(spots[first:last])
        weights = around[:, 2] + 1e-6
        x, y = (float(np.average(around[:, axis], weights=weights)) for axis in (0, 1))
        found.append((round(x, 4), round(y, 4)))
    return tuple(found)
