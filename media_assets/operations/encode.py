"""encode: the same picture and sound, written as another format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, field_validator, model_validator

from media_assets.errors import BadInput
from media_assets.media.codecs import (
    CONTAINERS,
    AudioCodec,
    Container,
    VideoCodec,
    audio_codec,
    container,
    video_codec,
)
from media_assets.media.encode import PROFILES, Profile, compose, profile
from media_assets.media.hardware import variants
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import SOUND_RATE, Clip, Media, Picture, even_sides, stereo
from media_assets.operations.parameters import Parameters, PictureCodec, SoundCodec
from media_assets.operations.resize import ResizeParameters, rescaled, scaled

Speed = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
BitRate = Annotated[str, Field(pattern=r"^[1-9]\d{0,8}(\.\d+)?[kM]?$")]
_STEREO_ONLY = ("mp3", "opus")


@dataclass(frozen=True)
class Preset:
    """What a place that shows videos asks for: a profile with some choices, and a size."""

    profile: str
    choices: Mapping[str, Any]
    size: ResizeParameters | None = None
    most_fps: int | None = None


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "youtube_1080p": Preset(
            "h264",
            {"crf": 18, "speed": "fast", "audio_bitrate": "256k"},
            ResizeParameters(width=1920, height=1080),
            60,
        ),
        "shorts_9x16": Preset(
            "h264",
            {"crf": 19, "speed": "fast"},
            ResizeParameters(width=1080, height=1920, fit="crop"),
            60,
        ),
        "square_1x1": Preset(
            "h264",
            {"crf": 19, "speed": "fast"},
            ResizeParameters(width=1080, height=1080, fit="crop"),
            60,
        ),
        "preview_360p": Preset(
            "h264", {"crf": 28, "audio_bitrate": "96k"}, ResizeParameters(height=360), 30
        ),
        "podcast_mp3": Preset("mp3", {"audio_bitrate": "128k"}),
    }
)
_NAMES = tuple(name for name in PROFILES if name not in ("pcm", "preview")) + tuple(PRESETS)


class EncodeParameters(Parameters):
    """A profile or preset, and what is to differ from it.

    That is the container, codecs, a quality (crf, lower is better) or bit rates, and the encoder's speed.
    `hardware` asks for the machine's encoder; where none works, software is used and the plan says so.
    """

    profile: str | None = Field(default=None, json_schema_extra={"enum": [*_NAMES, None]})
    container: str | None = Field(
        default=None,
        validation_alias=AliasChoices("container", "format"),
        json_schema_extra={"enum": [*CONTAINERS, None]},
    )
    video_codec: PictureCodec | None = None
    crf: Annotated[int, Field(ge=0, le=63)] | None = None
    speed: Speed | None = None
    video_bitrate: BitRate | None = None
    audio_codec: SoundCodec | None = None
    audio_bitrate: BitRate | None = None
    hardware: bool = False

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, value: str | None) -> str | None:
        if value is not None and value not in _NAMES:
            raise ValueError(f"there is no profile {value!r}; known: {', '.join(_NAMES)}")
        return value

    @field_validator("container")
    @classmethod
    def _known_container(cls, value: str | None) -> str | None:
        if value is not None and value.lower().removeprefix(".") not in CONTAINERS:
            raise ValueError(f"there is no container {value!r}; known: {', '.join(CONTAINERS)}")
        return value.lower().removeprefix(".") if value else value

    @model_validator(mode="after")
    def _one_way(self) -> EncodeParameters:
        if self.crf is not None and self.video_bitrate is not None:
            raise ValueError("give crf or video_bitrate, not both")
        still = (
            self.profile is not None and self.profile in PROFILES and PROFILES[self.profile].audio is None
        )
        if still and self.model_fields_set - {"profile"}:
            raise ValueError(f"{self.profile} is a picture: it takes no container, codec or bit rate")
        return self


class Encode(Operation[EncodeParameters]):
    """Leaves the media as they are, but for the size that a preset asks for."""

    name = "encode"
    aliases = ("convert", "export")
    example = {"audio_bitrate": "128k"}
    summary = "Write as another format: a profile, a preset for a platform, or codecs of one's own."
    parameters = EncodeParameters
    takes = InputRule(kinds=frozenset({"video", "audio", "image"}))

    def expect(self, clips: Sequence[Clip], parameters: EncodeParameters) -> Clip:
        """The same, as far as the format holds it."""
        (clip,) = clips
        chosen = _profile(clip, parameters)
        picture, sound = clip.delivered.picture, clip.sound
        if chosen.video is None:
            picture = None
        elif picture is None:
            raise BadInput(f"{chosen.name} needs a picture, and there is none")
        if chosen.audio is None or sound is None:
            sound = None
        elif sound is not None:
            stereo_only = any(chosen.audio.get("c:a") == audio_codec(c).encoder for c in _STEREO_ONLY)
            sound = replace(sound, rate=SOUND_RATE, channels=2 if stereo_only else sound.channels)
        if picture is None and sound is None:
            raise BadInput(f"{chosen.name} needs sound, and there is none")
        preset = PRESETS.get(parameters.profile or "")
        if preset is not None and picture is not None and clip.picture is not None:
            picture = _fitted(clip.picture, picture, preset)
        kind = clip.kind if clip.kind == "image" else "video" if picture else "audio"
        return Clip(kind, clip.duration, picture, sound)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: EncodeParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Scale for a preset, and mix down where the format needs it."""
        (source,), (clip,) = media, clips
        result = self.expect(clips, parameters)
        video, audio = source.video, source.audio
        if video is not None and clip.picture is not None and result.picture is not None:
            preset = PRESETS.get(parameters.profile or "")
            if preset is not None and preset.size is not None:
                video = rescaled(video, clip, preset.size)
                if result.picture.fps != clip.picture.fps:
                    video = video.filter("fps", str(result.picture.fps), start_time=0)
            else:
                video = even_sides(video, clip.picture)
        if audio is not None and result.sound is not None and result.sound.channels == 2:
            audio = stereo(audio, SOUND_RATE)
        return Media(video, audio, source.offset)

    def encoding(self, result: Clip, parameters: EncodeParameters) -> Profile:
        """As the parameters say."""
        return _profile(result, parameters)


def _profile(clip: Clip, parameters: EncodeParameters) -> Profile:
    """The profile that is asked for, for such a clip.

    Raises:
        BadInput: codecs and container do not go together, or do not fit the clip.
    """
    default = {"image": "png", "audio": "aac"}.get(clip.kind, parameters.video_codec or "h264")
    preset = PRESETS.get(parameters.profile or "")
    base = profile(preset.profile if preset else parameters.profile or default)
    stills = base.audio is None
    if stills != (clip.kind == "image"):
        raise BadInput(f"{base.name} is {'for stills' if stills else 'not for a still'}")
    changes = parameters.model_dump(exclude_unset=True, exclude={"profile"})
    changes = {**(preset.choices if preset else {}), **changes}
    if not changes or stills:
        return base
    return _composed(base, clip, changes)


def _composed(base: Profile, clip: Clip, changes: Mapping[str, Any]) -> Profile:
    into, video, audio = _parts(base, changes, clip.picture is not None)
    picture = {
        "quality": changes.get("crf"),
        "speed": changes.get("speed"),
        "bitrate": changes.get("video_bitrate"),
    }
    if video is None and any(value is not None for value in picture.values()):
        raise BadInput(f"{into.name} has no picture: leave crf, speed and video_bitrate out")
    made = compose(
        base.name,
        video,
        audio,
        into,
        audio_bitrate=changes.get("audio_bitrate"),
        **(picture if video else {}),
    )
    if changes.get("hardware"):
        if video is None or not video.hardware:
            raise BadInput(f"no hardware encodes {video.name if video else into.name}")
        default = video.quality[1] if video.quality else 23
        made = replace(made, hardware=variants(video, changes.get("crf") or default))
    return made


def _parts(
    base: Profile, changes: Mapping[str, Any], shown: bool
) -> tuple[Container, VideoCodec | None, AudioCodec | None]:
    """Container and codecs: what is asked for, then what the profile has, then what goes with the rest."""
    own_video = video_codec(str(base.video["c:v"])) if base.video else None
    own_audio = audio_codec(str(base.audio["c:a"])) if base.audio else None
    own_into = next(c for c in CONTAINERS.values() if c.name == base.extension)
    video = video_codec(changes["video_codec"]) if changes.get("video_codec") else None
    audio = audio_codec(changes["audio_codec"]) if changes.get("audio_codec") else None
    if changes.get("container"):
        into = container(changes["container"])
    else:
        wanted = [*CONTAINERS.values()]
        into = next(
            (
                c
                for c in (own_into, *wanted)
                if (video is None or video.name in c.video) and (audio is None or audio.name in c.audio)
            ),
            own_into,
        )
    if video is None and into.video and shown:
        fits = own_video is not None and own_video.name in into.video
        video = own_video if fits else video_codec(into.video[0])
    if audio is None:
        fits = own_audio is not None and own_audio.name in into.audio
        audio = own_audio if fits else audio_codec(into.audio[0])
    return into, video if shown else None, audio


def _fitted(source: Picture, delivered: Picture, preset: Preset) -> Picture:
    picture = delivered
    if preset.size is not None:
        picture = scaled(source, preset.size)
    if preset.most_fps is not None and picture.fps > preset.most_fps:
        picture = replace(picture, fps=Fraction(preset.most_fps))
    return picture
