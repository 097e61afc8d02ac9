"""Sends a segment's stream through its effects: each operation measures and builds its own filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from media_assets.kompositions.effects import Part, Step
from media_assets.kompositions.plan import SourceFacts
from media_assets.media.color import standard
from media_assets.media.graph import Stream, open_file
from media_assets.operations.clip import Media

Measured = Sequence[Mapping[str, Any]]
"""What measuring found, a mapping for each step."""


def applied(
    steps: Sequence[Step],
    part: Part,
    stream: Stream | None,
    sources: Mapping[str, SourceFacts],
    measured: Measured,
) -> Stream | None:
    """The segment's picture or sound with the effects that `measured` has an entry for.

    Args:
        steps: those that touch `part`.
        stream: the segment before them; None where it has no sound yet.
        sources: what is known of the sources in slots, by reference.
    """
    for step, found in zip(steps, measured, strict=False):
        made = step.operation.build(
            _inputs(step, part, stream, sources), step.clips, step.parameters, found
        )
        stream = made.video if part == "video" else made.audio
    return stream


def measure(
    steps: Sequence[Step],
    part: Part,
    opened: Callable[[], Stream | None],
    sources: Mapping[str, SourceFacts],
    run: Callable[[Stream], Sequence[str]],
    scratch: Path,
) -> list[Mapping[str, Any]]:
    """What each step has to know before it is built; nothing for those that do not measure.

    Args:
        opened: gives the segment before its effects, for a new graph each time.
        run: sends a stream through ffmpeg and returns the log.
        scratch: a folder for what filters write; it must stay until the result is rendered.
    """
    found: list[Mapping[str, Any]] = []
    for step in steps:
        operation, kept = step.operation, scratch / f"measured-{len(found)}"
        known: dict[str, Any] = {}
        if operation.measures is not None:

            def before(step: Step = step) -> Media:
                return _inputs(step, part, applied(steps, part, opened(), sources, found), sources)[0]

            log = run(operation.measuring(before(), step.clips, step.parameters, kept))
            known = operation.measured(log, kept)
            again = operation.measuring_again(before(), step.clips, step.parameters, known)
            while again is not None:
                known = operation.measured_again(run(again), step.parameters, known)
                again = operation.measuring_again(before(), step.clips, step.parameters, known)
        found.append(known)
    return found


def _inputs(
    step: Step, part: Part, stream: Stream | None, sources: Mapping[str, SourceFacts]
) -> list[Media]:
    """The segment's stream as far as the step takes it, and the sources in its slots."""
    video, audio = step.uses(0, part)
    segment = Media(stream if video else None, stream if audio else None)
    slots = [_opened(sources[name], step.uses(index, part)) for index, name in enumerate(step.sources, 1)]
    return [segment, *slots]


def _opened(source: SourceFacts, wanted: tuple[bool, bool]) -> Media:
    """A source in a slot: its streams as far as wanted, and its path."""
    info, (wants_video, wants_audio) = source.info, wanted
    video = audio = None
    if wants_video or wants_audio:
        opened = open_file(source.path, f=info.demuxer, threads=1)
        if wants_video and info.video is not None:
            video = standard(opened.stream(info.video.index), info.video)
        if wants_audio and info.audio is not None:
            audio = opened.stream(info.audio.index)
    return Media(video, audio, path=source.path)
