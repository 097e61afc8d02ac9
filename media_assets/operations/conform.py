"""Brings clips of different sizes, rates and sounds to one form, so that they can be joined."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from media_assets.media.graph import Stream, generate
from media_assets.operations.clip import SOUND_RATE, Clip, Media, Picture, Sound, stereo

JOINED_SOUND = Sound(SOUND_RATE, 2)


def joined(clips: Sequence[Clip]) -> tuple[Picture | None, Sound | None]:
    """The form that a join of `clips` has: the first picture's size, the highest rate, stereo at 48 kHz."""
    pictures = [clip.picture for clip in clips if clip.picture is not None]
    sound = JOINED_SOUND if any(clip.sound for clip in clips) else None
    if not pictures:
        return None, sound
    width, height = pictures[0].square
    # A rate beyond 60 is a container's timebase more often than a camera's rate.
    rate = max((p.fps for p in pictures if p.fps <= 60), default=Fraction(30))
    return Picture(width, height, rate, alpha=all(p.alpha for p in pictures)), sound


def conform(
    media: Media, clip: Clip, picture: Picture | None, sound: Sound | None, *, wants_sound: bool
) -> Media:
    """`media` in the joined form: letterboxed, square pixels, constant rate; a silent clip gets silence.

    Both streams are exactly as long as planned, whatever the streams inside the file are.
    """
    seconds = frames_seconds(clip.duration or 0.0, picture)
    video = audio = None
    if picture is not None and media.video is not None:
        video = steady(fit(media.video, picture), picture.fps, seconds)
    if sound is not None and wants_sound:
        audio = media.audio or generate(f"anullsrc=r={sound.rate}:cl=stereo").audio()
        audio = lasting(stereo(audio, sound.rate), seconds)
    return Media(video, audio)


def steady(video: Stream, rate: Fraction, seconds: float) -> Stream:
    """The picture at a constant rate, exactly `seconds` long: the last one stands, or the end is cut."""
    video = video.filter("fps", _ratio(rate), start_time=0)
    video = video.filter("tpad", stop_mode="clone", stop_duration=_number(seconds))
    return video.filter("trim", end_frame=round(seconds * rate)).filter("setpts", "PTS-STARTPTS")


def lasting(audio: Stream, seconds: float) -> Stream:
    """The sound, without gaps, exactly `seconds` long: silence follows, or the end is cut."""
    audio = audio.filter("apad", whole_dur=_number(seconds)).filter("atrim", end=_number(seconds))
    return audio.filter("asetpts", "N/SR/TB")


def frames_seconds(seconds: float, picture: Picture | None) -> float:
    """Seconds rounded to whole pictures, so that sound and picture of a joined clip end together."""
    return float(max(1, round(seconds * picture.fps)) / picture.fps) if picture else seconds


def fit(video: Stream, into: Picture, *, flags: str = "bicubic", color: str | None = None) -> Stream:
    """The picture inside `into`'s square pixels, its shape kept; around it `color`, black or nothing."""
    width, height = into.width, into.height
    around = color or ("black@0" if into.alpha else "black")
    return (
        square(video)
        .filter(
            "scale",
            width,
            height,
            force_original_aspect_ratio="decrease",
            force_divisible_by=2,
            flags=flags,
        )
        .filter("format", into.pixel_format)
        .filter("pad", width, height, "(ow-iw)/2", "(oh-ih)/2", color=around)
        .filter("setsar", 1)
    )


def square(video: Stream) -> Stream:
    """The picture with square pixels: as wide as it is shown."""
    return video.filter("scale", "trunc(iw*sar/2+0.5)*2", "trunc(ih/2+0.5)*2").filter("setsar", 1)


def _ratio(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"


def _number(seconds: float) -> str:
    return f"{seconds:.6f}"
