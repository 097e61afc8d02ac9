"""silence_remove: pauses are cut out, of sound and picture alike."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from media_assets.errors import BadInput
from media_assets.media.graph import Stream
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import (
    FINE,
    SOUND_RATE,
    TOLERANCE,
    Clip,
    Media,
    as_stereo,
    even_sides,
    stereo,
)
from media_assets.operations.conform import JOINED_SOUND, lasting
from media_assets.operations.parameters import Duration, Parameters

_START = re.compile(r"silence_start: (-?[\d.]+)")
_END = re.compile(r"silence_end: (-?[\d.]+)")
# Sound is cut between blocks of a millisecond; picture and sound are never further apart than half of one.
_BLOCK = SOUND_RATE // 1000
_BLOCK_SECONDS = _BLOCK / SOUND_RATE
# Each cut takes some hundred characters of one argument, and an argument has 128 KiB.
_MOST_CUTS = 800


class SilenceRemoveParameters(Parameters):
    """What is a pause, and how much of it stays.

    Sound below `threshold` (dB) for at least `min_silence` seconds is a pause; `padding` seconds of it stay
    before and after what is heard.
    """

    threshold: Annotated[
        float,
        Field(ge=-90, le=0, validation_alias=AliasChoices("threshold", "noise", "silence_threshold")),
    ] = -40.0
    min_silence: Duration = Field(
        default=0.5, validation_alias=AliasChoices("min_silence", "min_duration", "min_silence_duration")
    )
    padding: Duration = 0.1


@dataclass(frozen=True)
class _Cut:
    """What is taken out: seconds of the clip, from `start` up to `end`."""

    start: float
    end: float


class SilenceRemove(Operation[SilenceRemoveParameters]):
    """silencedetect finds the pauses; picture and sound lose the same seconds."""

    name = "silence_remove"
    aliases = ("remove_silence", "silenceremove")
    example = {"threshold": -40, "min_silence": "500ms", "padding": 0.1}
    summary = "Cut pauses out of a clip, picture and sound alike."
    parameters = SilenceRemoveParameters
    takes = InputRule(needs=frozenset({"audio"}))
    measures = "audio"
    megapixels_per_second = 2_000.0

    def expect(self, clips: Sequence[Clip], parameters: SilenceRemoveParameters) -> Clip:
        """The same streams, at most as long."""
        return replace(clips[0].delivered, sound=JOINED_SOUND)

    def measuring(
        self, media: Media, clips: Sequence[Clip], parameters: SilenceRemoveParameters, scratch: Path
    ) -> Stream:
        """The sound, as long as the clip, through silencedetect."""
        if media.audio is None:
            raise ValueError("silence_remove was given no sound to measure")
        noise = f"{10 ** (parameters.threshold / 20):.9f}"
        sound = lasting(stereo(media.audio, SOUND_RATE), clips[0].duration or 0.0)
        return sound.filter("silencedetect", noise=noise, duration=f"{parameters.min_silence:.6f}")

    def measured(self, log: Sequence[str], scratch: Path) -> dict[str, Any]:
        """Where each silence starts and ends (seconds)."""
        text = "\n".join(log)
        starts = [max(0.0, float(match[1])) for match in _START.finditer(text)]
        ends = [float(match[1]) for match in _END.finditer(text)]
        # What is silent up to the end may have no end in the report.
        return {"silences": [[start, end] for start, end in zip(starts, [*ends, 86_400.0], strict=False)]}

    def settled(
        self, result: Clip, parameters: SilenceRemoveParameters, measured: Mapping[str, Any]
    ) -> Clip:
        """As long as what is left."""
        cuts = _cuts(result, parameters, measured)
        kept = (result.duration or 0.0) - sum(cut.end - cut.start for cut in cuts)
        if kept < _least(result):
            raise BadInput(f"nothing is louder than {parameters.threshold:g} dB", hint="lower threshold")
        if len(cuts) > _MOST_CUTS:
            text = f"there are {len(cuts)} pauses, and at most {_MOST_CUTS} can be cut"
            raise BadInput(text, hint="raise min_silence")
        return replace(result, duration=kept)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: SilenceRemoveParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Drop pictures and blocks of sound that lie in a cut, and close the gaps."""
        source, clip = media[0], clips[0]
        video, audio = source.video, source.audio
        cuts = _cuts(clip, parameters, measured)
        if video is not None and clip.picture is not None:
            video = even_sides(video, clip.picture)
            video = _without(video, cuts) if cuts else video
        if audio is not None:
            audio = lasting(stereo(audio, SOUND_RATE), clip.duration or 0.0)
            audio = _silenced(audio, cuts) if cuts else audio
        return Media(video, audio, source.offset)


def _least(clip: Clip) -> float:
    """The shortest clip there can be: a picture, or a block of sound."""
    return float(1 / clip.picture.fps) - TOLERANCE if clip.picture else _BLOCK_SECONDS


def _cuts(clip: Clip, parameters: SilenceRemoveParameters, measured: Mapping[str, Any]) -> list[_Cut]:
    """What is taken out, from whole picture to whole picture, so that a constant rate stays constant."""
    length = clip.duration or 0.0
    step = float(1 / clip.picture.fps) if clip.picture else _BLOCK_SECONDS
    cuts = []
    for start, end in measured.get("silences", ()):
        first = 0.0 if start < step else math.ceil((start + parameters.padding) / step - 1e-6) * step
        last = math.floor((end - parameters.padding) / step + 1e-6) * step
        if end > length - step:
            last = length
        if last - first > step / 2:
            cuts.append(_Cut(first, last))
    return cuts


def _without(video: Stream, cuts: Sequence[_Cut]) -> Stream:
    """The picture without the cuts; the first one left is shown from the start.

    A picture in a cut loses its time, and then itself.
    """
    shifts = _shifts(cuts)
    moved = _choice(
        [cut - TOLERANCE for pair in cuts for cut in (pair.start, pair.end)],
        [text for shift in shifts for text in (f"round(PTS-{shift:.6f}/TB)", "NAN")][:-1],
        "T",
    )
    video = video.filter("settb", FINE).filter("setpts", moved).filter("select", "not(isnan(t))")
    return video.filter("setpts", "if(eq(N,0),0,PTS)")


def _silenced(audio: Stream, cuts: Sequence[_Cut]) -> Stream:
    """The sound without the cuts. What rounding to blocks adds at one cut is made up for at the next."""
    edges, wanted, taken = [], 0.0, 0
    for cut in cuts:
        wanted += cut.end - cut.start
        blocks = round(wanted / _BLOCK_SECONDS) - taken
        first = round(cut.start / _BLOCK_SECONDS)
        edges += [first - 0.5, first + blocks - 0.5]
        taken += blocks
    keep = _choice([edge * _BLOCK_SECONDS for edge in edges], ["1", "0"] * len(cuts) + ["1"], "t")
    audio = audio.filter("asetnsamples", _BLOCK, pad=0).filter("aselect", keep)
    return as_stereo(audio.filter("asetpts", "N/SR/TB").filter("asetnsamples", 1024, pad=0), SOUND_RATE)


def _shifts(cuts: Sequence[_Cut]) -> list[float]:
    """How much earlier things come before the first cut, after it, and after each next one."""
    shifts = [0.0]
    for cut in cuts:
        shifts.append(shifts[-1] + cut.end - cut.start)
    return shifts


def _choice(edges: Sequence[float], values: Sequence[str], variable: str) -> str:
    """ffmpeg's expression for the value between two edges; few of them are compared each time."""
    if not edges:
        return values[0]
    middle = len(edges) // 2
    early = _choice(edges[:middle], values[: middle + 1], variable)
    late = _choice(edges[middle + 1 :], values[middle + 1 :], variable)
    return f"if(lt({variable},{edges[middle]:.4f}),{early},{late})"
