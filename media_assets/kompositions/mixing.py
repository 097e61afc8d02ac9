"""Builds the filter graph of a soundtrack: voices laid into lanes, lanes added up, music lowered.

Voices that do not touch each other share a lane, one behind the other with silence between; those that fade
into each other stand in two. Each voice is decoded, faded and cut by itself, to the sample.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from media_assets.kompositions.applying import Measured, applied, measure
from media_assets.kompositions.ducking import GRID
from media_assets.kompositions.opening import open_at
from media_assets.kompositions.plan import SourceFacts
from media_assets.kompositions.voices import JOIN, SAMPLE_RATE, Voice
from media_assets.media.graph import Stream, concatenate, filter_streams, generate, open_file

# Seconds decoded before a cut: lossy codecs need the packet before, some several.
_RUN_UP = Fraction(1, 2)
# atempo's own limits; beyond them it is applied several times.
_SLOWEST, _FASTEST = 0.5, 2.0


@dataclass(frozen=True)
class Part:
    """Sound from sample `first` of the timeline up to `end`; `open` gives it for a new graph, that long."""

    first: int
    end: int
    open: Callable[[], Stream]


def lanes(parts: Sequence[Part]) -> list[list[Part]]:
    """Parts in as few lanes as they need, so that those in one lane do not touch."""
    found: list[list[Part]] = []
    for part in sorted(parts, key=lambda part: part.first):
        lane = next((lane for lane in found if lane[-1].end <= part.first), None)
        if lane is None:
            found.append([part])
        else:
            lane.append(part)
    return found


def mixed(parts: Sequence[Part], first: int, end: int) -> Stream:
    """All parts together as samples `first` up to `end` of the timeline, float stereo at 48 kHz."""
    if not parts:
        return _silence(end - first)
    return summed([_lane(lane, first, end) for lane in lanes(parts)])


def summed(streams: Sequence[Stream]) -> Stream:
    """Streams of equal length added up, none turned down for it."""
    if len(streams) == 1:
        return streams[0]
    return filter_streams(streams, "amix", inputs=len(streams), normalize=0)


def lowered(sound: Stream, control: Path) -> Stream:
    """The sound times the gain in a file that `write_control` wrote."""
    native = "f32le" if sys.byteorder == "little" else "f32be"
    gain = open_file(control, f=native, ar=SAMPLE_RATE // GRID, ac=1).audio()
    gain = gain.filter("aresample", SAMPLE_RATE).filter("aformat", sample_fmts="fltp")
    return filter_streams([sound, gain.filter("pan", "stereo|c0=c0|c1=c0")], "amultiply")


def write_control(gains: array[float], path: Path) -> Path:
    """Write the gain of every `GRID` samples, and return where."""
    with path.open("wb") as file:
        gains.tofile(file)
    return path


def measure_voice(
    voice: Voice,
    sources: Mapping[str, SourceFacts],
    run: Callable[[Stream], Sequence[str]],
    scratch: Path,
) -> Measured:
    """What the effects of a voice have to know; `run` sends a stream through ffmpeg for its log."""
    return measure(voice.effects, "audio", lambda: _whole(voice, sources), sources, run, scratch)


def voice_stream(voice: Voice, sources: Mapping[str, SourceFacts], measured: Measured) -> Stream:
    """A voice from its first sample to its last, with its effects, gain and fades.

    Args:
        measured: what its effects have to know, from `measure_voice`.
    """
    if voice.effects:
        changed = applied(voice.effects, "audio", _whole(voice, sources), sources, measured)
        if changed is None:
            raise ValueError(f"the effects of {voice.source} left no sound")
        sound = changed
    else:
        sound = _played(voice, sources)
    if voice.gain_db:
        sound = sound.filter("volume", f"{voice.gain_db:.4f}dB")
    return _faded(_exactly(sound, voice.samples), voice)


def _lane(parts: Sequence[Part], first: int, end: int) -> Stream:
    """Parts that do not touch as one stream, silence around them."""
    starts = [first, *(part.first for part in parts[1:]), end]
    streams = []
    for part, (start, stop) in zip(parts, pairwise(starts), strict=True):
        sound = part.open()
        if part.first > start:
            sound = _delayed(sound, part.first - start)
        if part.end < stop:
            sound = sound.filter("apad", whole_len=stop - start)
        elif part.end > stop:
            sound = sound.filter("atrim", end_sample=stop - start)
        streams.append([sound])
    return streams[0][0] if len(streams) == 1 else concatenate(streams, video=False, audio=True)[0]


def _whole(voice: Voice, sources: Mapping[str, SourceFacts]) -> Stream | None:
    """A voice before its effects, exactly as long as its segment; None where its source has no sound."""
    if voice.source is None or sources[voice.source].info.audio is None:
        return None
    return _exactly(_played(voice, sources), voice.samples)


def _played(voice: Voice, sources: Mapping[str, SourceFacts]) -> Stream:
    """The source's sound from the voice's start on, filled up by its rule; its pitch stays."""
    if voice.source is None:
        raise ValueError("a colour has no sound of its own")
    source = sources[voice.source]
    if voice.loop:
        sound = _looped(voice, source)
    else:
        sound = _opened(source, max(Fraction(0), voice.start))
        for tempo in _tempos(float(voice.speed)):
            sound = sound.filter("atempo", f"{tempo:.12g}")
    before = round(-voice.start * SAMPLE_RATE / voice.speed)
    if before > 0:
        sound = _delayed(sound, min(before, voice.samples))
    if voice.heard is not None:
        fade = min(JOIN, voice.heard)
        sound = _exactly(sound, voice.heard)
        sound = sound.filter("afade", type="out", start_sample=voice.heard - fade, nb_samples=fade)
    return sound


def _looped(voice: Voice, source: SourceFacts) -> Stream:
    """A stretch again and again; in the end of each turn what is just before the stretch fades in.

    So a turn is heard as it is from its first sample on, and none begins with a jump.
    """
    in_point = voice.start + Fraction(voice.lead, SAMPLE_RATE)
    there = round(in_point * SAMPLE_RATE)
    lead = min(voice.lead, there)
    seam = min(JOIN, voice.loop // 2)
    joined = min(seam, there)
    opened = max(lead, joined)
    sound = _opened(source, max(Fraction(0), in_point - Fraction(opened, SAMPLE_RATE)))
    copies = sound.split(1 + (joined > 0) + (lead > 0), audio=True)
    turn = _exactly(_cut(copies[0], opened, voice.loop), voice.loop)
    turn = turn.filter("afade", type="out", start_sample=voice.loop - seam, nb_samples=seam, curve="tri")
    if joined:
        into = _cut(copies[1], opened - joined, joined)
        into = into.filter("afade", type="in", start_sample=0, nb_samples=joined, curve="tri")
        turn = summed([turn, _delayed(into, voice.loop - joined)])
    turns = turn.filter("aloop", loop=-1, size=voice.loop)
    if not lead:
        return turns
    before = _exactly(_cut(copies[-1], opened - lead, lead), lead)
    return concatenate([[before], [turns]], video=False, audio=True)[0]


def _opened(source: SourceFacts, start: Fraction) -> Stream:
    """The sound of a source from `start` seconds on; gaps in its time stamps become silence."""
    audio = source.info.audio
    if audio is None:
        raise ValueError(f"{source.id} has no sound")
    opened, zero = open_at(source, start, _RUN_UP, vn=None, threads=1)
    sound = opened.stream(audio.index).filter("aresample", SAMPLE_RATE, **{"async": 1, "first_pts": 0})
    sound = sound.filter("aformat", sample_fmts="fltp", channel_layouts="stereo")
    skipped = round((start - zero) * SAMPLE_RATE)
    return sound.filter("atrim", start_sample=skipped).filter("asetpts", "N/SR/TB")


def _tempos(speed: float) -> list[float]:
    """Factors within atempo's limits whose product is `speed`."""
    factors = []
    while speed > _FASTEST:
        factors.append(_FASTEST)
        speed /= _FASTEST
    while speed < _SLOWEST:
        factors.append(_SLOWEST)
        speed /= _SLOWEST
    return factors if speed == 1 else [*factors, speed]


def _faded(sound: Stream, voice: Voice) -> Stream:
    if voice.fade_in:
        sound = sound.filter(
            "afade", type="in", start_sample=0, nb_samples=voice.fade_in, curve=voice.curve_in
        )
    if voice.fade_out:
        first = voice.samples - voice.fade_out
        sound = sound.filter(
            "afade", type="out", start_sample=first, nb_samples=voice.fade_out, curve=voice.curve_out
        )
    return sound


def _exactly(sound: Stream, samples: int) -> Stream:
    """Padded with silence or cut, to that many samples."""
    return sound.filter("apad", whole_len=samples).filter("atrim", end_sample=samples)


def _delayed(sound: Stream, samples: int) -> Stream:
    """The sound after that many samples of silence."""
    return sound.filter("adelay", delays=f"{samples}S", all=1)


def _cut(sound: Stream, first: int, samples: int) -> Stream:
    return sound.filter("atrim", start_sample=first, end_sample=first + samples).filter(
        "asetpts", "N/SR/TB"
    )


def _silence(samples: int) -> Stream:
    silence = generate(f"anullsrc=r={SAMPLE_RATE}:cl=stereo").audio()
    return silence.filter("aformat", sample_fmts="fltp").filter("atrim", end_sample=samples)
