"""Renders a soundtrack: one continuous mix, measured as it is made, brought to its level and encoded.

The level is a constant gain, so nothing pumps; a limiter on the fourfold oversampled sound holds the
true peak. What was written is measured again, and corrected where the limiter took too much.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from media_assets.kompositions.applying import Measured
from media_assets.kompositions.ducking import gains
from media_assets.kompositions.mixing import (
    Part,
    lowered,
    measure_voice,
    mixed,
    summed,
    voice_stream,
    write_control,
)
from media_assets.kompositions.plan import KompositionPlan, SourceFacts
from media_assets.kompositions.soundtrack import ENCODING, SAMPLE_RATE, Soundtrack
from media_assets.kompositions.voices import Voice
from media_assets.media.encode import profile
from media_assets.media.graph import Stream, Target, arguments, open_file
from media_assets.media.loudness import Loudness, metered, metering_encoded, parse_ebur128
from media_assets.media.run import FfmpegResult, run_ffmpeg
from media_assets.media.verify import Expected, verify
from media_assets.settings import Settings
from media_assets.store.outputs import Made, OutputStore

# Voices in one command: each is a demuxer and a decoder thread.
_AT_ONCE = 24
# LU off the target, and dB over the ceiling, from which another try is worth its time.
_LOUDNESS_TOLERANCE = 0.3
_PEAK_TOLERANCE = 0.1
_TRIES = 4
# The limiter sees peaks at four times the rate, as a true-peak meter does; encoding adds a little.
_OVERSAMPLED = 4 * SAMPLE_RATE
_ENCODER_MARGIN_DB = 0.2
_MAX_LIMIT = 1.0
_MIN_LIMIT = 0.0625


@dataclass(frozen=True)
class _Level:
    """A constant gain, and the limiter's ceiling or None for no limiter; decibels."""

    gain: float
    limit: float | None


def render_sound(
    plan: KompositionPlan,
    sources: Mapping[str, SourceFacts],
    path: Path,
    settings: Settings,
    store: OutputStore,
    *,
    cancel: threading.Event | None = None,
) -> Made:
    """Write the sound of a whole komposition as AAC, exactly as long as its picture.

    Raises:
        FfmpegFailed, VerificationFailed, Cancelled, TimeLimitExceeded, DiskFull.
    """
    track, session = plan.soundtrack, Session(settings, cancel)
    with store.scratch() as scratch:
        mix = scratch / "mix.wav"
        loudness = write_mix(track, sources, mix, session)
        level: _Level | None = _first_level(track, loudness)
        for _ in range(_TRIES):
            if level is None:
                break
            used = level
            options = {**profile("aac").options(video=False, audio=True), **ENCODING}
            log = session.run(Target([_levelled(mix, level, track.samples)], path, options), encoded=True)
            reached = parse_ebur128(log)
            level = _corrected(track, level, loudness, reached)
    expected = Expected(False, True, duration=track.samples / SAMPLE_RATE, tolerance=0.03)
    properties = verify(path, expected, settings, decode_tail=False)
    notes = {
        "mix_lufs": loudness.integrated,
        "gain_db": round(used.gain, 2),
        "loudness_lufs": reached.integrated,
        "true_peak_db": reached.true_peak,
    }
    return Made.of(session.done, properties, plan.ffmpeg_version, notes)


class Session:
    """The commands that one soundtrack takes."""

    def __init__(self, settings: Settings, cancel: threading.Event | None) -> None:
        self.settings = settings
        self.cancel = cancel
        self.done: list[FfmpegResult] = []

    def run(self, target: Target, *, encoded: bool = False) -> Sequence[str]:
        """Run one command and return its log.

        Args:
            encoded: also decode what is encoded, and report its loudness.
        """
        done = run_ffmpeg(
            [
                *("-nostats", "-filter_complex_threads", "1"),
                *arguments([target]),
                *(metering_encoded() if encoded else ()),
            ],
            settings=self.settings,
            cancel=self.cancel,
            log_level="info",
        )
        self.done.append(done)
        return done.log

    def listen(self, sound: Stream) -> Sequence[str]:
        """Send a stream through a command that writes nothing, and return its log."""
        return self.run(Target([sound], None, {}))

    def write(self, sound: Stream, path: Path) -> Sequence[str]:
        """Write a stream as float samples, and return the log."""
        return self.run(Target([sound], path, profile("pcm").options(video=False, audio=True)))


def write_mix(
    track: Soundtrack, sources: Mapping[str, SourceFacts], path: Path, session: Session
) -> Loudness:
    """Write the mix as float samples and return its loudness.

    Args:
        path: of the WAV file; what else is needed on the way is written beside it.
    """
    buses: dict[float, list[Part]] = {}
    measured: dict[Voice, Measured] = {}
    for number, voice in enumerate(track.heard):
        if voice not in measured:
            measured[voice] = _known(voice, sources, path.parent / f"voice{number}", session)
        buses.setdefault(voice.duck_db, []).append(_part(voice, sources, measured[voice]))
    streams = []
    at_once = max(2, _AT_ONCE // max(1, len(buses)))
    for number, duck_db in enumerate(sorted(buses)):
        name = path.parent / f"bus{number}"
        sound = mixed(_few(buses[duck_db], at_once, name, session), 0, track.samples)
        if duck_db:
            control = gains(track.speech, track.samples, duck_db)
            sound = lowered(sound, write_control(control, name.with_suffix(".gain")))
        streams.append(sound)
    whole = summed(streams) if streams else mixed([], 0, track.samples)
    whole = whole.filter("atrim", end_sample=track.samples)
    return parse_ebur128(session.write(metered(whole), path))


def _known(voice: Voice, sources: Mapping[str, SourceFacts], folder: Path, session: Session) -> Measured:
    """What the effects of a voice have to know; `folder` is for what filters write."""
    if voice.effects:
        folder.mkdir()
    return measure_voice(voice, sources, session.listen, folder)


def _part(voice: Voice, sources: Mapping[str, SourceFacts], measured: Measured) -> Part:
    return Part(voice.first, voice.end, lambda: voice_stream(voice, sources, measured))


def _few(parts: Sequence[Part], at_once: int, name: Path, session: Session) -> Sequence[Part]:
    """At most `at_once` parts: neighbours are mixed into files, so that no command opens thousands."""
    level = 0
    while len(parts) > at_once:
        level += 1
        ordered = sorted(parts, key=lambda part: part.first)
        groups = [ordered[at : at + at_once] for at in range(0, len(ordered), at_once)]
        parts = [
            _written(group, name.with_name(f"{name.name}-{level}-{number}.wav"), session)
            for number, group in enumerate(groups)
        ]
    return parts


def _written(parts: Sequence[Part], path: Path, session: Session) -> Part:
    """Parts mixed into a file; samples join exactly."""
    first, end = parts[0].first, max(part.end for part in parts)
    session.write(mixed(parts, first, end), path)
    return Part(first, end, lambda: open_file(path).audio())


def _levelled(mix: Path, level: _Level, samples: int) -> Stream:
    sound = open_file(mix).audio().filter("volume", f"{level.gain:.4f}dB")
    if level.limit is not None:
        limit = min(_MAX_LIMIT, max(_MIN_LIMIT, 10 ** (level.limit / 20)))
        sound = sound.filter("aresample", _OVERSAMPLED)
        sound = sound.filter("alimiter", limit=f"{limit:.6f}", level="disabled", latency=1)
        sound = sound.filter("aresample", SAMPLE_RATE)
    return sound.filter("apad", whole_len=samples).filter("atrim", end_sample=samples)


def _first_level(track: Soundtrack, mix: Loudness) -> _Level:
    """The gain to the target (none for silence), and a limiter where the peak would be too high."""
    gain = 0.0
    if track.target_lufs is not None and mix.integrated is not None:
        gain = track.target_lufs - mix.integrated
    peak = None if mix.true_peak is None else mix.true_peak + gain
    ceiling = track.ceiling_db - _ENCODER_MARGIN_DB
    return _Level(gain, ceiling if peak is not None and peak > ceiling else None)


def _corrected(track: Soundtrack, level: _Level, mix: Loudness, reached: Loudness) -> _Level | None:
    """Another level to try, or None when what was reached will do."""
    gain, limit = level.gain, level.limit
    if track.target_lufs is not None and reached.integrated is not None and mix.integrated is not None:
        off = track.target_lufs - reached.integrated
        if abs(off) > _LOUDNESS_TOLERANCE:
            gain += off
    if reached.true_peak is not None and reached.true_peak > track.ceiling_db + _PEAK_TOLERANCE:
        over = reached.true_peak - track.ceiling_db
        limit = (track.ceiling_db if limit is None else limit) - over
    corrected = _Level(gain, limit)
    if gain != level.gain and limit is None:
        corrected = _Level(gain, track.ceiling_db - _ENCODER_MARGIN_DB)
    return None if (gain, limit) == (level.gain, level.limit) else corrected
