"""Codecs and containers, as data: how each is asked for, and which go together."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from media_assets.errors import BadInput
from media_assets.media.graph import Option

SPEEDS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)
"""How much time an encoder takes, in x264's words, from least to most."""

BT709: Mapping[str, Option] = MappingProxyType(
    {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "color_range": "tv"}
)
# x264's AVX-512 code gives other bytes from run to run (it reads what was never written), the more threads
# the oftener. Up to SSE 4, which every x86-64 machine has, it is as fast and always the same.
X264_CPU: Mapping[str, Option] = MappingProxyType(
    {"x264-params": "asm=sse4"} if platform.machine().lower() in ("x86_64", "amd64") else {}
)
_X265 = "log-level=error:frame-threads=1"
_BASE: Mapping[str, Option] = MappingProxyType(
    {
        # Times as they leave the filters: on a grid of the frame rate, pictures at uneven distances would
        # be moved or dropped, and those of a part that starts between two would leave the sound.
        "enc_time_base:v": "filter",
        **BT709,
    }
)


@dataclass(frozen=True)
class VideoCodec:
    """A picture codec as this project writes it.

    Attributes:
        encoder: ffmpeg's name of the software encoder.
        options: what it is always given. Thread counts are fixed wherever they change the picture.
        quality: the option for constant quality, its default, and the largest value.
        speed: the option that each of `SPEEDS` becomes; `default_speed` where none is asked for.
        alpha: options that carry transparency; None where the format has none.
        hardware: prefix of hardware encoders' names (`h264` of `h264_nvenc`); empty for none.
    """

    name: str
    encoder: str
    options: Mapping[str, Option]
    aliases: tuple[str, ...] = ()
    quality: tuple[str, int, int] | None = None
    speed: tuple[str, Mapping[str, Option]] | None = None
    default_speed: str = "veryfast"
    alpha: Mapping[str, Option] | None = None
    hardware: str = ""

    def encoding(
        self, *, quality: int | None = None, speed: str | None = None, bitrate: str | None = None
    ) -> dict[str, Option]:
        """Encoder options for a constant quality, or for a bit rate where one is given.

        Raises:
            BadInput: the codec knows no such quality or bit rate.
        """
        chosen: dict[str, Option] = {"c:v": self.encoder}
        if self.speed is not None:
            option, values = self.speed
            chosen[option] = values[speed or self.default_speed]
        if self.quality is None:
            if quality is not None or bitrate is not None:
                raise BadInput(f"{self.name} has a quality of its own: leave crf and bitrate out")
        elif bitrate is not None:
            chosen["b:v"] = bitrate
        else:
            option, default, largest = self.quality
            value = default if quality is None else quality
            if value > largest:
                raise BadInput(f"crf is at most {largest} with {self.name}, not {value}")
            chosen[option] = value
            if self.encoder in ("libvpx-vp9", "libaom-av1"):
                chosen["b:v"] = 0
        return {**chosen, **self.options, **_BASE}


@dataclass(frozen=True)
class AudioCodec:
    """A sound codec; `bitrate` is what a lossy one takes where it is given none."""

    name: str
    encoder: str
    options: Mapping[str, Option] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    bitrate: str | None = None

    def encoding(self, bitrate: str | None = None) -> dict[str, Option]:
        """Encoder options.

        Raises:
            BadInput: a bit rate is asked of a lossless codec.
        """
        if bitrate is not None and self.bitrate is None:
            raise BadInput(f"{self.name} is lossless and has no bit rate")
        rate: dict[str, Option] = {"b:a": bitrate or self.bitrate} if self.bitrate else {}
        return {"c:a": self.encoder, **rate, "ar": 48_000, "threads:a": 1, **self.options}


@dataclass(frozen=True)
class Container:
    """A file format: its extension, muxer options, and the codecs it takes; the first are the defaults."""

    name: str
    options: Mapping[str, Option]
    video: tuple[str, ...]
    audio: tuple[str, ...]
    extension: str = ""


def _x264_names() -> dict[str, Option]:
    return {name: name for name in SPEEDS}


def _numbers(*values: int) -> dict[str, Option]:
    return dict(zip(SPEEDS, values, strict=True))


VIDEO_CODECS: Mapping[str, VideoCodec] = MappingProxyType(
    {
        codec.name: codec
        for codec in (
            VideoCodec(
                name="h264",
                encoder="libx264",
                options={"pix_fmt": "yuv420p", "threads:v": 4, **X264_CPU},
                aliases=("libx264", "x264", "avc"),
                quality=("crf", 20, 51),
                speed=("preset", _x264_names()),
                hardware="h264",
            ),
            VideoCodec(
                name="hevc",
                encoder="libx265",
                # hvc1 is the tag that Apple's players take; the log level keeps its banner away.
                options={
                    "pix_fmt": "yuv420p",
                    "tag:v": "hvc1",
                    "x265-params": "log-level=error:frame-threads=1",
                },
                aliases=("libx265", "x265", "h265"),
                quality=("crf", 24, 51),
                speed=("preset", _x264_names()),
                default_speed="veryfast",
                hardware="hevc",
            ),
            VideoCodec(
                name="av1",
                encoder="libsvtav1",
                options={"pix_fmt": "yuv420p", "svtav1-params": "lp=2"},
                aliases=("libsvtav1", "svtav1"),
                quality=("crf", 32, 63),
                speed=("preset", _numbers(12, 11, 10, 9, 8, 7, 6, 5, 4)),
                hardware="av1",
            ),
            VideoCodec(
                name="vp9",
                encoder="libvpx-vp9",
                options={"pix_fmt": "yuv420p", "threads:v": 1, "row-mt": 0, "deadline": "good"},
                aliases=("libvpx-vp9", "vpx-vp9"),
                quality=("crf", 32, 63),
                speed=("cpu-used", _numbers(8, 7, 6, 5, 5, 4, 3, 2, 1)),
                alpha={"pix_fmt": "yuva420p", "auto-alt-ref": 0},
                hardware="vp9",
            ),
            VideoCodec(
                name="prores",
                encoder="prores_ks",
                options={"profile:v": 3, "pix_fmt": "yuv422p10le", "vendor": "apl0", "threads:v": 1},
                aliases=("prores_ks",),
                alpha={"profile:v": 4, "pix_fmt": "yuva444p10le", "alpha_bits": 8},
            ),
            VideoCodec(
                name="ffv1",
                encoder="ffv1",
                options={"pix_fmt": "yuv420p", "level": 3, "threads:v": 1, "slices": 4},
                alpha={"pix_fmt": "yuva420p"},
            ),
        )
    }
)
AUDIO_CODECS: Mapping[str, AudioCodec] = MappingProxyType(
    {
        codec.name: codec
        for codec in (
            AudioCodec("aac", "aac", bitrate="192k"),
            AudioCodec("mp3", "libmp3lame", aliases=("libmp3lame",), bitrate="192k"),
            AudioCodec("opus", "libopus", aliases=("libopus",), bitrate="128k"),
            AudioCodec("flac", "flac"),
            AudioCodec("pcm", "pcm_s16le", aliases=("pcm_s16le", "wav")),
        )
    }
)
_IN_MP4 = ("h264", "hevc", "av1", "vp9")
_FAST_START: Mapping[str, Option] = MappingProxyType({"movflags": "+faststart"})
CONTAINERS: Mapping[str, Container] = MappingProxyType(
    {
        container.name: container
        for container in (
            Container(
                "mp4",
                {"f": "mp4", **_FAST_START},
                ("h264", "hevc", "av1", "vp9"),
                ("aac", "mp3", "opus", "flac"),
            ),
            Container("mov", {"f": "mov", **_FAST_START}, ("h264", "hevc", "prores"), ("aac", "pcm")),
            Container("mkv", {"f": "matroska"}, tuple(VIDEO_CODECS), tuple(AUDIO_CODECS)),
            Container("webm", {"f": "webm"}, ("vp9", "av1"), ("opus",)),
            Container("m4a", {"f": "ipod", **_FAST_START}, (), ("aac",)),
            Container("mp3", {"f": "mp3"}, (), ("mp3",)),
            Container("opus", {"f": "ogg"}, (), ("opus",)),
            Container("ogg", {"f": "ogg"}, (), ("opus", "flac")),
            Container("flac", {"f": "flac"}, (), ("flac",)),
            Container("wav", {"f": "wav", "rf64": "auto"}, (), ("pcm",)),
        )
    }
)


def video_codec(name: str) -> VideoCodec:
    """The picture codec that a document calls `name` (h264, libx264, avc…).

    Raises:
        BadInput: there is none; the names there are follow.
    """
    return VIDEO_CODECS[_key(name, VIDEO_CODECS, "video codec")]


def audio_codec(name: str) -> AudioCodec:
    """The sound codec that a document calls `name`.

    Raises:
        BadInput: there is none; the names there are follow.
    """
    return AUDIO_CODECS[_key(name, AUDIO_CODECS, "audio codec")]


def container(name: str) -> Container:
    """The container of that name or file extension.

    Raises:
        BadInput: there is none; the names there are follow.
    """
    wanted = name.lower().removeprefix(".")
    if wanted not in CONTAINERS:
        raise BadInput(f"there is no container {name!r}", hint="known: " + ", ".join(CONTAINERS))
    return CONTAINERS[wanted]


def _key(name: str, known: Mapping[str, VideoCodec] | Mapping[str, AudioCodec], what: str) -> str:
    for codec in known.values():
        if name.lower() in (codec.name, *codec.aliases):
            return codec.name
    raise BadInput(f"there is no {what} {name!r}", hint="known: " + ", ".join(known))
