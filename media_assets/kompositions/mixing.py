"""Builds the filter graph of a soundtrack: voices cut to the sample, laid end to end, over music.

The timeline is cut where a voice begins or ends. Each slice is silence, one voice, or two that fade
into each other; concatenated they are one continuous sound. A voice is decoded and faded as a whole and
then cut, so no cut within it can be heard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from media_assets.kompositions.applying import Measured, applied, measure
from media_assets.kompositions.opening import open_at
from media_assets.kompositions.plan import SourceFacts
from media_assets.kompositions.soundtrack import SAMPLE_RATE, Music, Soundtrack, Voice
from media_assets.media.graph import Stream, concatenate, filter_streams, generate

# Seconds decoded before a cut: lossy codecs need the packet before, some several.
_RUN_UP = Fraction(1, 2)
# atempo's own limits; beyond them it is applied several times.
_SLOWEST, _FASTEST = 0.5, 2.0
_EVERYTHING = 2**31 - 1


@dataclass(frozen=True)
class Slice:
    """Samples `first` up to `end` of the timeline, in which the same voices are heard."""

    first: int
    end: int
    voices: tuple[Voice, ...]


def slices(track: Soundtrack) -> list[Slice]:
    """The timeline cut where a voice begins or ends, without gaps."""
    begins = {voice.first for voice in track.voices}
    ends = {voice.first + voice.samples for voice in track.voices}
    cuts = sorted({0, track.samples, *(cut for cut in begins | ends if cut < track.samples)})
    found: list[Slice] = []
    heard: list[Voice] = []
    waiting = sorted(track.voices, key=lambda voice: voice.first)[::-1]
    for first, end in pairwise(cuts):
        while waiting and waiting[-1].first <= first:
            heard.append(waiting.pop())
        heard = [voice for voice in heard if voice.first + voice.samples > first]
        found.append(Slice(first, end, tuple(heard)))
    return found


def spoken(
    parts: Sequence[Slice], sources: Mapping[str, SourceFacts], measured: Mapping[Voice, Measured]
) -> Stream:
    """The slices as one stream, float stereo at 48 kHz.

    Args:
        measured: what the effects of each voice have to know, from `measure_voice`.
    """
    uses: dict[Voice, list[Slice]] = {}
    for part in parts:
        for voice in part.voices:
            uses.setdefault(voice, []).append(part)
    pieces: dict[Slice, list[Stream]] = {part: [] for part in parts}
    for voice, where in uses.items():
        copies = _voice(voice, sources, measured).split(len(where), audio=True)
        for part, copy in zip(where, copies, strict=True):
            pieces[part].append(_cut(copy, part.first - voice.first, part.end - part.first))
    streams = [_together(pieces[part], part.end - part.first) for part in parts]
    return (
        streams[0] if len(streams) == 1 else concatenate([[s] for s in streams], video=False, audio=True)[0]
    )


def music_bed(music: Music, samples: int, sources: Mapping[str, SourceFacts]) -> Stream:
    """The music with its gain and fades, then silence up to `samples`."""
    bed = _opened(sources[music.source], music.start)
    if music.loop:
        bed = bed.filter("aloop", loop=-1, size=_EVERYTHING)
    bed = _faded(_exactly(bed, music.samples), music.samples, music.fade_in, music.fade_out, "tri")
    return _exactly(bed.filter("volume", f"{music.gain_db:.4f}dB"), samples)


def summed(streams: Sequence[Stream]) -> Stream:
    """Streams of equal length added up, none turned down for it."""
    if len(streams) == 1:
        return streams[0]
    return filter_streams(streams, "amix", inputs=len(streams), normalize=0)


def measure_voice(
    voice: Voice,
    sources: Mapping[str, SourceFacts],
    run: Callable[[Stream], Sequence[str]],
    scratch: Path,
) -> Measured:
    """What the effects of a voice have to know; `run` sends a stream through ffmpeg for its log."""
    return measure(voice.effects, "audio", lambda: _whole(voice, sources), sources, run, scratch)


def _voice(voice: Voice, sources: Mapping[str, SourceFacts], measured: Mapping[Voice, Measured]) -> Stream:
    """A voice from its first sample to its last, with its effects, gain and fades."""
    if voice.effects:
        changed = applied(voice.effects, "audio", _whole(voice, sources), sources, measured[voice])
        if changed is None:
            raise ValueError(f"the effects of {voice.source} left no sound")
        sound = changed
    else:
        sound = _played(voice, sources[voice.source])
    sound = _exactly(sound.filter("volume", f"{voice.gain_db:.4f}dB"), voice.samples)
    return _faded(sound, voice.samples, voice.fade_in, voice.fade_out, "qsin")


def _whole(voice: Voice, sources: Mapping[str, SourceFacts]) -> Stream | None:
    """A voice before its effects, exactly as long as its segment; None where its source has no sound."""
    source = sources[voice.source]
    return None if source.info.audio is None else _exactly(_played(voice, source), voice.samples)


def _played(voice: Voice, source: SourceFacts) -> Stream:
    """The source's sound from the voice's start on, its pitch kept where it is stretched."""
    sound = _opened(source, voice.start)
    for tempo in _tempos(float(voice.speed)):
        sound = sound.filter("atempo", f"{tempo:.12g}")
    return sound


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


def _faded(sound: Stream, samples: int, fade_in: int, fade_out: int, curve: str) -> Stream:
    if fade_in:
        sound = sound.filter("afade", type="in", start_sample=0, nb_samples=fade_in, curve=curve)
    if fade_out:
        first = samples - fade_out
        sound = sound.filter("afade", type="out", start_sample=first, nb_samples=fade_out, curve=curve)
    return sound


def _exactly(sound: Stream, samples: int) -> Stream:
    """Padded with silence or cut, to that many samples."""
    return sound.filter("apad", whole_len=samples).filter("atrim", end_sample=samples)


def _cut(sound: Stream, first: int, samples: int) -> Stream:
    return sound.filter("atrim", start_sample=first, end_sample=first + samples).filter(
        "asetpts", "N/SR/TB"
    )


def _together(streams: Sequence[Stream], samples: int) -> Stream:
    if streams:
        return summed(streams)
    silence = generate(f"anullsrc=r={SAMPLE_RATE}:cl=stereo").audio()
    return silence.filter("aformat", sample_fmts="fltp").filter("atrim", end_sample=samples)
