"""What is wrong with the sources that a document names, once it is known what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from media_assets.kompositions.footage import picture_end, sound_end
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.segments import Segment
from media_assets.kompositions.values import exact
from media_assets.media.info import MediaInfo


def source_findings(komposition: Komposition, media: Mapping[str, MediaInfo]) -> list[tuple[str, str]]:
    """(place, text) of each source that is missing, has not what is wanted, or ends before it."""
    findings: list[tuple[str, str]] = []
    for place, segment in komposition.all_segments:
        findings += _pictures(place, segment, media)
    if komposition.music is not None:
        findings += _sound("$.music", komposition.music.source, komposition.music.in_point, media)
    for at, track in enumerate(komposition.audio):
        for index, clip in enumerate(track.clips):
            findings += _sound(f"$.audio[{at}].clips[{index}]", clip.source, clip.in_point, media)
    return findings


def _pictures(place: str, segment: Segment, media: Mapping[str, MediaInfo]) -> Iterator[tuple[str, str]]:
    if segment.source is None:
        return
    info = media.get(segment.source)
    if info is None:
        yield f"{place}.source", f"there is no source {segment.source!r}"
    elif info.video is None:
        yield f"{place}.source", f"{segment.source!r} has sound only; a segment needs a picture"
    else:
        yield from _late(f"{place}.in_point", "picture", segment.in_point, picture_end(info))


def _sound(
    place: str, source: str, in_point: float, media: Mapping[str, MediaInfo]
) -> Iterator[tuple[str, str]]:
    info = media.get(source)
    if info is None:
        yield f"{place}.source", f"there is no source {source!r}"
    elif info.audio is None:
        yield f"{place}.source", f"{source!r} has no sound"
    else:
        yield from _late(f"{place}.in_point", "sound", in_point, sound_end(info))


def _late(place: str, what: str, in_point: float, end: Fraction | None) -> Iterator[tuple[str, str]]:
    if end is not None and exact(in_point) >= end:
        yield place, f"{in_point:g} s is not before the end of the {what} ({float(end):.3f} s)"
