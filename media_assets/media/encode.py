"""Encoder profiles, as data: what an output is written with. Part of every fingerprint.

Bytes must be the same on every machine: thread counts are fixed (x264's automatic count follows the
machine and changes the picture) and nothing of the moment (dates, versions) is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from media_assets.errors import BadInput
from media_assets.media.codecs import (
    AudioCodec,
    Container,
    VideoCodec,
    audio_codec,
    container,
    video_codec,
)
from media_assets.media.graph import Option

_DETERMINISTIC: Mapping[str, Option] = MappingProxyType({"fflags": "+bitexact", "map_metadata": -1})


@dataclass(frozen=True)
class Profile:
    """How an output is encoded.

    Attributes:
        name: what documents call it.
        extension: of the file, without the dot.
        video: encoder options of the picture; None where the format has none.
        audio: encoder options of the sound; None where the format has none.
        container: muxer options.
        alpha: what replaces picture options where the picture is transparent; None where the format
            carries no transparency, and the picture is laid over black.
        hardware: picture options to use instead where this machine's encoder of that name works.
        palette: for a format of 256 colours, how pictures are brought to them (options of `paletteuse`).
    """

    name: str
    extension: str
    video: Mapping[str, Option] | None
    audio: Mapping[str, Option] | None
    container: Mapping[str, Option]
    alpha: Mapping[str, Option] | None = None
    hardware: tuple[Mapping[str, Option], ...] = ()
    palette: Mapping[str, Option] | None = None

    def options(self, *, video: bool, audio: bool, alpha: bool = False) -> dict[str, Option]:
        """Every output option for a file with those streams."""
        chosen: dict[str, Option] = {**_DETERMINISTIC, **self.container}
        if video and self.video is not None:
            transparent = self.alpha if alpha and self.alpha else {}
            chosen |= {**self.video, **transparent, "flags:v": "+bitexact"}
        if audio and self.audio is not None:
            chosen |= {**self.audio, "flags:a": "+bitexact"}
        return chosen

    def to_json(self) -> dict[str, Any]:
        """The profile as JSON: what a fingerprint takes from it."""
        document: dict[str, Any] = {
            "extension": self.extension,
            "options": self.options(video=True, audio=True),
        }
        further = {"alpha": self.alpha, "palette": self.palette}
        return document | {name: dict(value) for name, value in further.items() if value is not None}


def compose(
    name: str,
    video: VideoCodec | None,
    audio: AudioCodec | None,
    into: Container,
    **picture: Any,
) -> Profile:
    """A profile of two codecs in a container; `picture` and `bitrate_audio` are the encoders' choices.

    Raises:
        BadInput: the container does not take a codec, or the codec not a choice.
    """
    sound_rate = picture.pop("audio_bitrate", None)
    for codec, taken in ((video, into.video), (audio, into.audio)):
        if codec is not None and codec.name not in taken:
            holds = ", ".join((*into.video, *into.audio))
            raise BadInput(f"{into.name} holds no {codec.name}", hint=f"it holds {holds}")
    return Profile(
        name=name,
        extension=into.extension or into.name,
        video=video.encoding(**picture) if video else None,
        audio=audio.encoding(sound_rate) if audio else None,
        container=into.options,
        alpha=video.alpha if video else None,
    )


def _still(name: str, extension: str, options: Mapping[str, Option]) -> Profile:
    alpha = {"pix_fmt": "rgba"} if name == "png" else {"pix_fmt": "yuva420p"} if name == "webp" else None
    # Without `update` a `%d` in a file's name would be taken for a number.
    muxer: dict[str, Option] = {"f": "image2", "update": 1, "frames:v": 1}
    return Profile(name, extension, {**options, "threads:v": 1}, None, muxer, alpha)


def _sound(name: str, codec: str, into: str) -> Profile:
    return compose(name, None, audio_codec(codec), container(into))


_H264 = compose("h264", video_codec("h264"), audio_codec("aac"), container("mp4"))
_MP3: Mapping[str, Option] = {"c:a": "libmp3lame", "q:a": 2, "ar": 48_000, "threads:a": 1}

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            _H264,
            # For a first look: a third of the time, twice the size.
            replace(_H264, name="preview", video={**(_H264.video or {}), "preset": "ultrafast", "crf": 26}),
            compose("hevc", video_codec("hevc"), audio_codec("aac"), container("mp4")),
            compose("av1", video_codec("av1"), audio_codec("opus"), container("mp4")),
            compose("vp9", video_codec("vp9"), audio_codec("opus"), container("webm")),
            compose("prores", video_codec("prores"), audio_codec("pcm"), container("mov")),
            compose("ffv1", video_codec("ffv1"), audio_codec("flac"), container("mkv")),
            _sound("aac", "aac", "m4a"),
            replace(_sound("mp3", "mp3", "mp3"), audio=_MP3),
            _sound("opus", "opus", "opus"),
            _sound("flac", "flac", "flac"),
            _sound("wav", "pcm", "wav"),
            # Never a final output: a timeline's mix, kept exact until it is encoded once.
            Profile("pcm", "wav", None, {"c:a": "pcm_f32le", "ar": 48000}, {"f": "wav", "rf64": "auto"}),
            _still("png", "png", {"c:v": "png", "pix_fmt": "rgb24"}),
            _still("jpeg", "jpg", {"c:v": "mjpeg", "q:v": 2, "pix_fmt": "yuvj420p"}),
            # Dots that stay where they are: other dithering shimmers from picture to picture.
            Profile(
                "gif",
                "gif",
                {"c:v": "gif", "threads:v": 1},
                None,
                {"f": "gif", "loop": 0},
                alpha={},
                palette={"dither": "bayer", "bayer_scale": 3, "diff_mode": "rectangle"},
            ),
            Profile(
                "webp_anim",
                "webp",
                {"c:v": "libwebp_anim", "quality": 75, "pix_fmt": "yuv420p", "threads:v": 1},
                None,
                {"f": "webp", "loop": 0},
                alpha={"pix_fmt": "yuva420p"},
            ),
            _still("webp", "webp", {"c:v": "libwebp", "quality": 85, "pix_fmt": "yuv420p"}),
        )
    }
)


def profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        BadInput: there is none; the names there are follow.
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise BadInput(
            f"there is no encoder profile {name!r}", hint="known: " + ", ".join(PROFILES)
        ) from None
