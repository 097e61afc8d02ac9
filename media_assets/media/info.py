"""What a media file holds: plain values, with a JSON form that reads back equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, Literal

from pydantic import TypeAdapter

Kind = Literal["video", "audio", "image", "subtitle", "lut", "font"]
Hdr = Literal["hlg", "pq"]


@dataclass(frozen=True)
class VideoStream:
    """A picture stream.

    Attributes:
        index: its number in the file, as ffprobe counts.
        width, height: pixels as stored, before the shape of the samples and the rotation.
        sar: width of a sample over its height; 1 where the file does not say.
        rotation: degrees clockwise (0, 90, 180, 270) that make the picture upright.
        mirrored: the picture is flipped upside down before that rotation. ffmpeg does both by itself.
        bit_depth: bits of one colour component.
        fps: pictures per second; nominal where the rate is constant, average where `vfr`.
        vfr: pictures do not come at equal distances.
        frames: number of pictures where the container tells it or they were counted.
        duration, start_time: seconds.
        hdr: the transfer curve that needs tone mapping for an ordinary screen.
        interlaced: stored as two fields.
    """

    index: int
    codec: str
    width: int
    height: int
    profile: str | None = None
    sar: Fraction = Fraction(1)
    rotation: int = 0
    mirrored: bool = False
    pixel_format: str | None = None
    bit_depth: int = 8
    fps: Fraction | None = None
    vfr: bool = False
    frames: int | None = None
    duration: float | None = None
    start_time: float = 0.0
    color_range: str | None = None
    color_space: str | None = None
    color_transfer: str | None = None
    color_primaries: str | None = None
    hdr: Hdr | None = None
    has_alpha: bool = False
    interlaced: bool = False

    @property
    def display_width(self) -> int:
        """Pixels across as a person sees it: square samples, upright."""
        return self._display_size[0]

    @property
    def display_height(self) -> int:
        """Pixels down as a person sees it: square samples, upright."""
        return self._display_size[1]

    @property
    def _display_size(self) -> tuple[int, int]:
        wide = max(1, round(self.width * self.sar))
        return (self.height, wide) if self.rotation in (90, 270) else (wide, self.height)


@dataclass(frozen=True)
class AudioStream:
    """A sound stream: `sample_rate` in Hz, `duration` and `start_time` in seconds, `language` as tagged."""

    index: int
    codec: str
    sample_rate: int
    channels: int
    layout: str | None = None
    duration: float | None = None
    start_time: float = 0.0
    language: str | None = None


@dataclass(frozen=True)
class SubtitleStream:
    """A subtitle stream, its `language` as tagged."""

    index: int
    codec: str
    language: str | None = None


@dataclass(frozen=True)
class MediaInfo:
    """What a media file is, as far as pipelines need to know.

    Attributes:
        kind: a moving picture is `video` (with or without sound; an animated GIF too), a file without
            pictures other than a cover is `audio`, a single picture is `image`; what operations take beside
            media is `subtitle`, `lut` (a table of colours) or `font`.
        container: ffmpeg's name of the format (`mov,mp4,m4a,3gp,3g2,mj2`, `png_pipe`).
        size: bytes.
        duration: seconds from the first picture or sound to the end of the last; None for an image.
        bit_rate: bits per second over the whole file; None for an image.
        videos, audios, subtitles: streams that can be used, in the order of the file.
        attached_pictures: covers and thumbnails; never a video.
        chapters: how many there are.
        title, creation_time: from the tags; the time is ISO 8601.
        warnings: what was found odd, and what was decided, a sentence each.
    """

    kind: Kind
    container: str
    size: int
    duration: float | None = None
    bit_rate: int | None = None
    videos: tuple[VideoStream, ...] = ()
    audios: tuple[AudioStream, ...] = ()
    subtitles: tuple[SubtitleStream, ...] = ()
    attached_pictures: tuple[VideoStream, ...] = ()
    chapters: int = 0
    title: str | None = None
    creation_time: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def demuxer(self) -> str:
        """What to give to ffmpeg's `-f` before `-i`, so that it reads the file as it was probed.

        It also keeps `%d` in the name of an image from being taken for a numbered sequence.
        """
        return self.container.split(",")[0]

    @property
    def video(self) -> VideoStream | None:
        """The first picture stream, or None."""
        return self.videos[0] if self.videos else None

    @property
    def audio(self) -> AudioStream | None:
        """The first sound stream, or None."""
        return self.audios[0] if self.audios else None

    def warn(self, *sentences: str) -> MediaInfo:
        """The same with more warnings."""
        return replace(self, warnings=(*self.warnings, *sentences))

    def to_json(self) -> dict[str, Any]:
        """JSON values; fractions as `"30000/1001"`."""
        return _to_json(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> MediaInfo:
        """Read what `to_json` gave.

        Raises:
            ValueError: a field is missing, or of another type.
        """
        return _INFO.validate_python(document)


_INFO = TypeAdapter(MediaInfo)


def _to_json(value: MediaInfo | VideoStream | AudioStream | SubtitleStream) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for field in fields(value):
        item = getattr(value, field.name)
        if isinstance(item, Fraction):
            item = f"{item.numerator}/{item.denominator}"
        elif isinstance(item, tuple):
            item = [part if isinstance(part, str) else _to_json(part) for part in item]
        document[field.name] = item
    return document
