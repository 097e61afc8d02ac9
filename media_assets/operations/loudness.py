"""normalize_audio: loudness to a target, in two passes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from media_assets.errors import FfmpegFailed
from media_assets.media.graph import Stream
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import SOUND_RATE, Clip, Media, even_sides, stereo
from media_assets.operations.parameters import Parameters


class NormalizeAudioParameters(Parameters):
    """EBU R 128 targets: integrated loudness (LUFS), true peak (dBTP), loudness range (LU)."""

    target_lufs: Annotated[float, Field(ge=-70, le=-5)] = -16.0
    true_peak: Annotated[float, Field(ge=-9, le=0)] = -1.5
    loudness_range: Annotated[float, Field(ge=1, le=50)] = 11.0


class NormalizeAudio(Operation[NormalizeAudioParameters]):
    """ffmpeg's loudnorm: one pass measures, the next applies what was measured, linearly if it can."""

    name = "normalize_audio"
    aliases = ("loudnorm",)
    example = {"target_lufs": -16}
    summary = "Bring the sound to a loudness target (EBU R 128), in two passes."
    parameters = NormalizeAudioParameters
    takes = InputRule(kinds=frozenset({"video", "audio"}), needs=frozenset({"audio"}))
    measures = "audio"

    def expect(self, clips: Sequence[Clip], parameters: NormalizeAudioParameters) -> Clip:
        """The same streams, the sound in stereo at 48 kHz."""
        (clip,) = clips
        sound = replace(clip.sound, rate=SOUND_RATE, channels=2) if clip.sound else None
        return replace(clip.delivered, sound=sound)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: NormalizeAudioParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Apply the measured values; silence is passed on as it is."""
        (source,) = media
        video, audio, picture = source.video, source.audio, clips[0].picture
        if video is not None and picture is not None:
            video = even_sides(video, picture)
        if audio is not None:
            audio = stereo(audio, SOUND_RATE)
            if measured:
                audio = audio.filter("loudnorm", **_targets(parameters), **measured, linear="true")
                # loudnorm works at 192 kHz; without this the file would too.
                audio = audio.filter("aresample", SOUND_RATE)
        return Media(video, audio, source.offset)

    def measuring(
        self, media: Media, clips: Sequence[Clip], parameters: NormalizeAudioParameters, scratch: Path
    ) -> Stream:
        """The sound through loudnorm's analysis."""
        if media.audio is None:
            raise ValueError("normalize_audio was given no sound to measure")
        return stereo(media.audio, SOUND_RATE).filter(
            "loudnorm", **_targets(parameters), print_format="json"
        )

    def measured(self, log: Sequence[str], scratch: Path) -> dict[str, Any]:
        """loudnorm's report, or nothing for silence."""
        text = "\n".join(log)
        start, end = text.rfind("{"), text.rfind("}")
        try:
            report = json.loads(text[start : end + 1])
            values = {
                "measured_I": float(report["input_i"]),
                "measured_TP": float(report["input_tp"]),
                "measured_LRA": float(report["input_lra"]),
                "measured_thresh": float(report["input_thresh"]),
                "offset": float(report["target_offset"]),
            }
        except (ValueError, KeyError) as error:
            raise FfmpegFailed(
                f"loudnorm gave no report: {text[-500:]}", command=[], returncode=0
            ) from error
        return values if all(math.isfinite(value) for value in values.values()) else {}


def _targets(parameters: NormalizeAudioParameters) -> dict[str, float]:
    return {
        "I": parameters.target_lufs,
        "TP": parameters.true_peak,
        "LRA": parameters.loudness_range,
    }
