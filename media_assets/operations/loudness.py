"""normalize_audio: loudness to a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from media_assets.media.graph import Stream
from media_assets.media.loudness import limited, metered, parse_ebur128
from media_assets.operations.base import SoundOperation
from media_assets.operations.clip import SOUND_RATE, Clip, Media, stereo
from media_assets.operations.fitting import amplified
from media_assets.operations.parameters import Parameters

# LU off the target, and dB over the ceiling, from which another try is worth its time.
_TOLERANCE = 0.2
_PEAK_TOLERANCE = 0.05
_TRIES = 6
# Encoding adds to the peaks that the limiter lets through: 0.4 dB in most of what was measured.
_ENCODER_MARGIN_DB = 0.5
# How much louder the result becomes by one decibel of gain, at least: more of it goes into the limiter.
_LEAST_SLOPE = 0.15
# acompressor's own limits.
_LOWEST_THRESHOLD_DB = -60.0
_HIGHEST_RATIO = 20.0


class NormalizeAudioParameters(Parameters):
    """EBU R 128 targets.

    Integrated loudness (LUFS); the ceiling of the true peak (dBTP); and the largest loudness range (LU):
    wider sound is compressed. Without one the gain is the same throughout, and only peaks are held.
    """

    target_lufs: Annotated[
        float,
        Field(ge=-70, le=-5, validation_alias=AliasChoices("target_lufs", "target_i", "integrated")),
    ] = -16.0
    true_peak: Annotated[
        float,
        Field(ge=-9, le=0, validation_alias=AliasChoices("true_peak", "target_tp")),
    ] = -1.5
    loudness_range: Annotated[
        float | None,
        Field(ge=1, le=50, validation_alias=AliasChoices("loudness_range", "target_lra")),
    ] = None


class NormalizeAudio(SoundOperation[NormalizeAudioParameters]):
    """A constant gain, and a limiter where peaks would pass the ceiling.

    What the limiter takes from the loudness is found by measuring it: the passes decode only sound.
    """

    name = "normalize_audio"
    aliases = ("loudnorm",)
    version = "2"
    example = {"target_lufs": -16}
    summary = "Bring the sound to a loudness target (EBU R 128), its true peak under a ceiling."
    parameters = NormalizeAudioParameters
    measures = "audio"
    megapixels_per_second = 10_000.0

    def apply(
        self, audio: Stream, clip: Clip, parameters: NormalizeAudioParameters, measured: Mapping[str, Any]
    ) -> Stream:
        """Apply what was measured; silence is passed on as it is."""
        if not measured:
            return audio
        if _is_compressed(parameters, measured):
            audio = audio.filter("acompressor", **_compression(parameters, measured))
        gain, limit = _level(parameters, measured)
        audio = amplified(audio, gain)
        return audio if limit is None else limited(audio, limit, SOUND_RATE)

    def measuring(
        self, media: Media, clips: Sequence[Clip], parameters: NormalizeAudioParameters, scratch: Path
    ) -> Stream:
        """The sound through the meter."""
        if media.audio is None:
            raise ValueError("normalize_audio was given no sound to measure")
        return metered(stereo(media.audio, SOUND_RATE))

    def measured(self, log: Sequence[str], scratch: Path) -> dict[str, Any]:
        """What the meter says, or nothing for silence."""
        found = parse_ebur128(log)
        if found.integrated is None or found.true_peak is None:
            return {}
        return {
            "integrated": found.integrated,
            "true_peak": found.true_peak,
            "loudness_range": found.range or 0.0,
        }

    def measuring_again(
        self,
        media: Media,
        clips: Sequence[Clip],
        parameters: NormalizeAudioParameters,
        measured: Mapping[str, Any],
    ) -> Stream | None:
        """The sound as it would be written, through the meter, until it is what was asked for."""
        if media.audio is None or not measured or measured.get("tries", 0) >= _TRIES:
            return None
        if "reached" in measured:
            if _is_reached(parameters, measured):
                return None
        elif _level(parameters, measured)[1] is None and not _is_compressed(parameters, measured):
            return None
        audio = stereo(media.audio, SOUND_RATE)
        return metered(self.apply(audio, clips[0], parameters, measured))

    def measured_again(
        self, log: Sequence[str], parameters: NormalizeAudioParameters, measured: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The level that was tried and what it gave; the next one, unless that will do."""
        found = parse_ebur128(log)
        if found.integrated is None or found.true_peak is None:
            return {**measured, "tries": _TRIES}
        gain, limit = _level(parameters, measured)
        reached = {"gain": gain, "reached": found.integrated, "reached_peak": found.true_peak}
        tried = {**measured, **reached, "limit": limit, "tries": measured.get("tries", 0) + 1}
        if _is_reached(parameters, tried):
            return tried
        return tried | _next_level(parameters, measured, tried)


def _level(parameters: NormalizeAudioParameters, measured: Mapping[str, Any]) -> tuple[float, float | None]:
    """Decibels of gain, and the limiter's ceiling or None for no limiter."""
    if "gain" in measured:
        return measured["gain"], measured["limit"]
    ceiling = parameters.true_peak - _ENCODER_MARGIN_DB
    if _is_compressed(parameters, measured):
        return 0.0, ceiling
    gain = parameters.target_lufs - measured["integrated"]
    return gain, ceiling if measured["true_peak"] + gain > ceiling else None


def _next_level(
    parameters: NormalizeAudioParameters, before: Mapping[str, Any], tried: Mapping[str, Any]
) -> dict[str, Any]:
    """Another gain along the line through what was tried, and a lower ceiling where peaks came through."""
    gain, limit = tried["gain"], tried["limit"]
    # Up to where its peaks touch the ceiling, sound becomes louder by its gain.
    unlimited = parameters.true_peak - _ENCODER_MARGIN_DB - tried["true_peak"]
    known = (before["gain_tried"], before["reached"]) if "reached" in before else None
    if known is None and not _is_compressed(parameters, tried):
        known = (unlimited, tried["integrated"] + unlimited)
    slope = 1.0
    if known is not None and abs(gain - known[0]) > _TOLERANCE:
        slope = (tried["reached"] - known[1]) / (gain - known[0])
    missing = parameters.target_lufs - tried["reached"]
    over = tried["reached_peak"] - (parameters.true_peak - _ENCODER_MARGIN_DB)
    if limit is not None and over > _PEAK_TOLERANCE:
        limit -= over
    step = missing / min(1.0, max(_LEAST_SLOPE, slope))
    return {"gain": gain + step, "gain_tried": gain, "limit": limit}


def _is_reached(parameters: NormalizeAudioParameters, measured: Mapping[str, Any]) -> bool:
    over = measured["reached_peak"] - (parameters.true_peak - _ENCODER_MARGIN_DB)
    off = parameters.target_lufs - measured["reached"]
    return bool(abs(off) <= _TOLERANCE and over <= _PEAK_TOLERANCE)


def _is_compressed(parameters: NormalizeAudioParameters, measured: Mapping[str, Any]) -> bool:
    return parameters.loudness_range is not None and measured["loudness_range"] > parameters.loudness_range


def _compression(parameters: NormalizeAudioParameters, measured: Mapping[str, Any]) -> dict[str, Any]:
    """A compressor so slow that it follows passages, not syllables, over the whole loudness range."""
    wide = measured["loudness_range"]
    ratio = wide / (parameters.loudness_range or wide)
    lowest = max(_LOWEST_THRESHOLD_DB, min(0.0, measured["integrated"] - wide))
    return {
        "threshold": f"{10 ** (lowest / 20):.6f}",
        "ratio": f"{min(_HIGHEST_RATIO, ratio):.4f}",
        "attack": 200,
        "release": 1000,
        "detection": "rms",
    }
