"""Sound and picture made as long as they are to be, and what operations on sound share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from media_assets.media.graph import Stream
from media_assets.operations.clip import SOUND_RATE, TOLERANCE, Clip, Picture, even_sides, stereo
from media_assets.operations.conform import lasting, steady

Gain = Annotated[float, Field(ge=-60, le=40, allow_inf_nan=False)]
"""Decibels by which sound becomes louder, or quieter where it is negative."""

_EVERYTHING = 2**31 - 1


def mono(audio: Stream, clip: Clip, rate: int) -> Stream:
    """The sound of `clip` in one channel: the mean of both sides; what has one already keeps its level."""
    if clip.sound is None or clip.sound.channels > 1:
        audio = stereo(audio, rate).filter("pan", "mono|c0=0.5*c0+0.5*c1")
    else:
        audio = audio.filter("aresample", rate, **{"async": 1, "first_pts": 0})
    return audio.filter("aformat", sample_fmts="fltp", sample_rates=rate, channel_layouts="mono")


def amplified(audio: Stream, gain: float) -> Stream:
    """The sound with a constant gain in decibels."""
    return audio.filter("volume", f"{gain:.4f}dB") if gain else audio


def fitted(
    audio: Stream, length: float, seconds: float, *, loop: bool = False, offset: float = 0
) -> Stream:
    """Stereo of exactly `seconds`, cut at the end, or filled up with silence.

    Args:
        length: how long the sound is (seconds).
        loop: start it over until the time is full, instead of silence.
        offset: silence before it (seconds).
    """
    audio = stereo(audio, SOUND_RATE)
    if loop and offset + length < seconds:
        audio = audio.filter("aloop", loop=-1, size=_EVERYTHING)
    if offset:
        audio = audio.filter("adelay", f"{round(offset * SOUND_RATE)}S", all=1)
    return lasting(audio, seconds)


def shown_for(video: Stream, picture: Picture, length: float, seconds: float) -> Stream:
    """The picture for `seconds`: cut at the end, or its last frame stays.

    Args:
        length: how long it is (seconds).
    """
    video = even_sides(video, picture)
    if seconds < length:
        return video.filter("trim", end=f"{seconds - TOLERANCE:.6f}")
    return steady(video, picture.fps, seconds) if seconds > length else video
