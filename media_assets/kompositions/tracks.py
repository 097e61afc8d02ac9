"""Places the music and the clips of audio tracks on a timeline, to the sample."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from media_assets.kompositions.audio import AudioClip, AudioTrack, Music
from media_assets.kompositions.footage import sound_end
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.values import exact
from media_assets.kompositions.voices import JOIN, SAMPLE_RATE, Voice, nearest_sample
from media_assets.media.info import MediaInfo


@dataclass(frozen=True)
class Room:
    """What clips are placed in.

    Attributes:
        samples: how long the timeline is.
        tempo: where its positions lie.
        media: what each source is, by reference.
        warnings: (place, text), added to.
    """

    samples: int
    tempo: Tempo
    media: Mapping[str, MediaInfo]
    warnings: list[tuple[str, str]] = field(default_factory=list)


def music_voice(music: Music, room: Room) -> Voice:
    """The music under the whole timeline; silence follows where it ends sooner."""
    there = _there(music, room)
    is_short = there is not None and there < room.samples
    if there is not None and is_short and not music.loop:
        text = f"the music ends {_seconds(room.samples - there)} s before the timeline"
        room.warnings.append(("$.music", text))
    length = there if there is not None and is_short and not music.loop else room.samples
    return Voice(
        source=music.source,
        start=exact(music.in_point),
        speed=Fraction(1),
        gain_db=music.gain_db,
        first=0,
        samples=length,
        fade_in=_fade(music.fade_in, length),
        fade_out=_fade(music.fade_out, length) or min(JOIN, length),
        curve_in="tri",
        curve_out="tri",
        loop=there if there is not None and is_short and music.loop else 0,
        duck_db=music.duck_db,
    )


def track_voices(track: AudioTrack, place: str, room: Room) -> list[Voice]:
    """The clips of a track, those left out that lie behind the end of the timeline."""
    voices = [_clip(clip, track, f"{place}.clips[{at}]", room) for at, clip in enumerate(track.clips)]
    return [voice for voice in voices if voice is not None]


def _clip(clip: AudioClip, track: AudioTrack, place: str, room: Room) -> Voice | None:
    first = nearest_sample(room.tempo.seconds(exact(clip.start)))
    if first >= room.samples:
        room.warnings.append((place, "starts after the end of the timeline: it is left out"))
        return None
    there = _there(clip, room)
    length = _length(clip, first, there, place, room)
    # Without a fade of its own it takes over as segments do: what is just before it fades in.
    lead = 0 if clip.fade_in else min(JOIN, first, math.floor(exact(clip.in_point) * SAMPLE_RATE))
    return Voice(
        source=clip.source,
        start=exact(clip.in_point) - Fraction(lead, SAMPLE_RATE),
        speed=Fraction(1),
        gain_db=clip.gain_db + track.gain_db,
        first=first - lead,
        samples=lead + length,
        fade_in=_fade(clip.fade_in, length) or lead,
        fade_out=max(_fade(clip.fade_out, length), min(JOIN, length)),
        curve_in="tri",
        curve_out="tri",
        lead=lead if there is not None and clip.loop and there < length else 0,
        loop=there if there is not None and clip.loop and there < length else 0,
        duck_db=track.duck_db if track.role == "music" else 0.0,
    )


def _length(clip: AudioClip, first: int, there: int | None, place: str, room: Room) -> int:
    """How many samples of the timeline a clip fills from `first` on."""
    left = room.samples - first
    longest = left if there is None or clip.loop else there
    if clip.duration is None:
        return min(left, longest)
    end = nearest_sample(room.tempo.seconds(exact(clip.start) + exact(clip.duration)))
    wanted = max(1, end - first)
    if wanted > left:
        text = f"goes on for {_seconds(wanted - left)} s after the end of the timeline: it is cut there"
        room.warnings.append((place, text))
    wanted = min(wanted, left)
    if wanted > longest:
        room.warnings.append((place, f"its source ends {_seconds(wanted - longest)} s before it does"))
    return min(wanted, longest)


def _there(part: Music | AudioClip, room: Room) -> int | None:
    """How many samples there are from the in point on; None when nobody knows."""
    end = sound_end(room.media[part.source])
    return None if end is None else max(1, round((end - exact(part.in_point)) * SAMPLE_RATE))


def _fade(seconds: float, length: int) -> int:
    return min(length, round(exact(seconds) * SAMPLE_RATE))


def _seconds(samples: int) -> str:
    return f"{samples / SAMPLE_RATE:.2f}"
