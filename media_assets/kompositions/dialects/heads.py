"""What documents say of the whole: its name, its beats, its size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from media_assets.kompositions.dialects.drafts import SECONDS, Clock
from media_assets.kompositions.dialects.reading import Member, plain

_SIZE = re.compile(r"^\s*(\d{2,5})\s*[xX×*]\s*(\d{2,5})\s*(?:@\s*([\d./]+))?")  # noqa: RUF001
_RATIO = re.compile(r"^\s*(\d+)\s*[:/x]\s*(\d+)\s*$")
_WIDTH, _HEIGHT, _FPS = 1280, 720, 30
_NAMED = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160), "480p": (854, 480)}
_SLOWEST, _FASTEST = 20, 400
_CODECS = {
    "videoCodec": ("libx264", "h264", "avc"),
    "video_codec": ("libx264", "h264", "avc"),
    "audioCodec": ("aac",),
    "audio_codec": ("aac",),
    "extension": ("mp4",),
    "extensionType": ("mp4",),
    "format": ("mp4",),
}


def clock_of(bpm: Fraction | None) -> Clock:
    """Beats, where there are any; else seconds."""
    return Clock("beats", 60 / bpm) if bpm is not None and bpm > 0 else SECONDS


def read_names(head: dict[str, Any], holders: Sequence[Member]) -> None:
    """Title and description, and what only tells how the document came to be."""
    for holder in holders:
        title = holder.text("title", "name")
        if title:
            head.setdefault("title", title[:500])
        description = holder.text("description")
        if description:
            head.setdefault("description", description[:10_000])
        holder.describe("name", "creator", "created", "createdAt", "created_at", "created_by", "createdBy")
        holder.describe("generated_by", "generatedBy", "source_prompt", "generatedFromDescription", "tags")
        holder.describe(
            "contentAnalysisUsed", "enhancedGeneration", "author", "version", "updatedAt", "genre"
        )


def read_bpm(head: dict[str, Any], member: Member | None) -> Fraction | None:
    """Beats a minute, if what the document says are any."""
    bpm = member.as_number() if member else None
    if member is None or bpm is None or bpm <= 0:
        return None
    if not _SLOWEST <= bpm <= _FASTEST:
        member.fail(f"is {float(bpm):g} beats a minute; from {_SLOWEST} to {_FASTEST} are taken")
        return None
    head["bpm"] = plain(bpm)
    return bpm


def read_meter(head: dict[str, Any], member: Member | None) -> None:
    """Beats in a bar, as a number or as `4/4`."""
    if member is None:
        return
    text = str(member.value).split("/")[0].strip()
    if text.isdigit() and 1 <= int(text) <= 32:
        head["meter"] = int(text)
    else:
        member.warn("is no number of beats in a bar, 1 to 32: it is left out")


def read_output(head: dict[str, Any], holders: Sequence[Member], root: Member) -> None:
    """Width, height and rate from the first that says them; 1280 by 720 at 30 where none does."""
    size = next((sized for holder in holders if (sized := _size(holder)) is not None), None)
    rate: Any = None
    for holder in holders:
        found = holder.get("fps", "frameRate", "framerate", "frame_rate")
        if found is not None and rate is None:
            rate = found.value
            head_place = found.place
            root.reading.origins[("output", "fps")] = head_place
        elif found is not None and str(found.value) != str(rate):
            found.warn(f"{rate} is given, too, nearer to the size: that counts")
    width, height, given = size or (_WIDTH, _HEIGHT, None)
    if size is None:
        root.warn(f"no size is given: it is {_WIDTH}x{_HEIGHT}")
    rate = given if rate is None else rate
    output = {"width": _even(width, root), "height": _even(height, root), "fps": _rate(rate)}
    head["output"] = output
    for holder in holders:
        _codecs(holder)
        ratio = _RATIO.match(holder.text("aspectRatio", "aspect_ratio"))
        if ratio is not None and int(ratio[1]) * height != int(ratio[2]) * width:
            holder.warn(f"aspectRatio {ratio[0].strip()} is not that of {width}x{height}: the size decides")


def _rate(rate: Any) -> Any:
    if rate is None:
        return _FPS
    if isinstance(rate, str) and re.fullmatch(r"[\d.]+", rate.strip()):
        number = float(rate)
        return int(number) if number.is_integer() else number
    return rate


def _size(holder: Member) -> tuple[int, int, str | None] | None:
    found = holder.get("resolution", "size")
    if found is not None:
        text = str(found.value)
        match = _SIZE.match(text)
        if match is not None:
            return int(match[1]), int(match[2]), match[3]
        if text.lower() in _NAMED:
            return (*_NAMED[text.lower()], None)
        if isinstance(found.value, dict):
            return _size(found)
        found.warn("is no size such as 1920x1080: it is left out")
    width, height = holder.number("width"), holder.number("height")
    if width is None or height is None:
        return None
    return int(width), int(height), None


def _even(side: int, root: Member) -> int:
    if side % 2:
        root.warn(f"a side of {side} pixels cannot be encoded: it is {side + 1}")
    return side + side % 2


def _codecs(holder: Member) -> None:
    """How a file is written is the same for all; where a document asks for that, nothing is left out."""
    for name, same in _CODECS.items():
        if holder.has(name):
            found = holder.get(name)
            if found is not None and str(found.value).lower() not in same:
                found.warn("videos are MP4 with H.264 and AAC: it is left out")
