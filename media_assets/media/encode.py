"""Encoder profiles, as data: what an output is written with. Part of every fingerprint.

Bytes must be the same on every machine: thread counts are fixed (x264's automatic count follows the
machine and changes the picture) and nothing of the moment (dates, versions) is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from media_assets.errors import BadInput
from media_assets.media.graph import Option

_DETERMINISTIC: Mapping[str, Option] = MappingProxyType({"fflags": "+bitexact", "map_metadata": -1})
BT709: Mapping[str, Option] = MappingProxyType(
    {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "color_range": "tv"}
)


@dataclass(frozen=True)
class Profile:
    """How an output is encoded.

    Attributes:
        name: what documents call it.
        extension: of the file, without the dot.
        video: encoder options of the picture; None where the format has none.
        audio: encoder options of the sound; None where the format has none.
        container: muxer options.
    """

    name: str
    extension: str
    video: Mapping[str, Option] | None
    audio: Mapping[str, Option] | None
    container: Mapping[str, Option]

    def options(self, *, video: bool, audio: bool) -> dict[str, Option]:
        """Every output option for a file with those streams."""
        chosen: dict[str, Option] = {**_DETERMINISTIC, **self.container}
        if video and self.video is not None:
            chosen |= {**self.video, "flags:v": "+bitexact"}
        if audio and self.audio is not None:
            chosen |= {**self.audio, "flags:a": "+bitexact"}
        return chosen

    def to_json(self) -> dict[str, Any]:
        """The profile as JSON: what a fingerprint takes from it."""
        return {
            "extension": self.extension,
            "options": self.options(video=True, audio=True),
        }


_FAST_START: Mapping[str, Option] = {"f": "mp4", "movflags": "+faststart"}
_AAC: Mapping[str, Option] = {"c:a": "aac", "b:a": "192k", "ar": 48000, "threads:a": 1}


def _x264(preset: str, crf: int) -> dict[str, Option]:
    return {
        "c:v": "libx264",
        "preset": preset,
        "crf": crf,
        "pix_fmt": "yuv420p",
        "threads:v": 1,
        # Times as they leave the filters: on a grid of the frame rate, pictures at uneven distances would
        # be moved or dropped, and those of a part that starts between two would leave the sound.
        "enc_time_base:v": "filter",
        **BT709,
    }


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile("h264", "mp4", _x264("veryfast", 20), _AAC, _FAST_START),
            Profile("aac", "m4a", None, _AAC, {"f": "ipod", "movflags": "+faststart"}),
            Profile("mp3", "mp3", None, {"c:a": "libmp3lame", "q:a": 2, "threads:a": 1}, {"f": "mp3"}),
            Profile("opus", "opus", None, {"c:a": "libopus", "b:a": "128k", "ar": 48000}, {"f": "ogg"}),
            Profile("flac", "flac", None, {"c:a": "flac", "threads:a": 1}, {"f": "flac"}),
            Profile("wav", "wav", None, {"c:a": "pcm_s16le"}, {"f": "wav"}),
            # Never a final output: a timeline's mix, kept exact until it is encoded once.
            Profile("pcm", "wav", None, {"c:a": "pcm_f32le", "ar": 48000}, {"f": "wav", "rf64": "auto"}),
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
