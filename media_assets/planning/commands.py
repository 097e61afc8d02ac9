"""Plan → the fewest ffmpeg commands: operations that touch share one filter graph and one decode."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from media_assets.media.color import flattened, paletted, standard, tone_mapped
from media_assets.media.graph import Stream, Target, arguments, open_file
from media_assets.operations.clip import Clip, Media
from media_assets.operations.tonemap import TonemapParameters
from media_assets.operations.trim import TrimParameters
from media_assets.planning.plan import Node, Plan

# Containers whose index leads to the keyframe before a time, and whose time bases hold whole seconds.
_INDEXED = frozenset({"mov", "matroska"})
# Opening a file this much before the first wanted second leaves decoders time to settle.
_LEAD_IN_SECONDS = 1
_WORTH_SEEKING_SECONDS = 3


def groups(plan: Plan, wanted: Sequence[str]) -> list[list[str]]:
    """Split wanted nodes into sets that share a source or a node: one command makes each set."""
    sets: list[tuple[set[str], list[str]]] = []
    for name in wanted:
        touched = {n for node in plan.closure([name]) for n in (node.name, *node.inputs)}
        names = [name]
        apart = []
        for other, members in sets:
            if other & touched:
                touched, names = touched | other, members + names
            else:
                apart.append((other, members))
        sets = [*apart, (touched, names)]
    return [names for _, names in sets]


def render_arguments(
    plan: Plan, wanted: Mapping[str, Path], measured: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Arguments of the one command that writes every wanted node to its path."""
    streams = {name: _streams(plan.nodes[name].clip) for name in wanted}
    building = _Building(plan, streams, measured)
    targets = []
    for name, path in wanted.items():
        media = building.take((name, 0, None), streams[name])
        targets.append(_target(plan.nodes[name], media, path))
    return arguments(targets)


def measure_arguments(
    plan: Plan, node: Node, measured: Mapping[str, Mapping[str, Any]], scratch: Path
) -> list[str] | None:
    """Arguments of the command that decodes one stream before `node` and measures it.

    Once it was measured, those of one more such command, or None when enough is known.
    """
    what = node.operation.measures
    place, wanted = opened_from(plan, node, 0), _Wanted(video=what == "video", audio=what == "audio")
    media = _Building(plan, {place[0]: wanted}, measured).take(place, wanted)
    if node.name in measured:
        known = measured[node.name]
        stream = node.operation.measuring_again(media, node.clips, node.parameters, known)
    else:
        stream = node.operation.measuring(media, node.clips, node.parameters, scratch)
    return None if stream is None else arguments([Target([stream], None, {})])


def sound_of(plan: Plan, node: Node) -> Stream | None:
    """The sound of a node that measures nothing, by itself; None where it has none."""
    if node.clip.sound is None:
        return None
    wanted = _Wanted(video=False, audio=True)
    return _Building(plan, {node.name: wanted}, {}).take((node.name, 0, None), wanted).audio


def _target(node: Node, media: Media, path: Path) -> Target:
    """Where and how a node's streams are written."""
    alpha = node.clip.picture is not None and node.clip.picture.alpha
    video, audio = media.video, media.audio
    if video is not None and alpha and node.profile.alpha is None:
        video = flattened(video)
    if video is not None and node.profile.palette is not None:
        video = paletted(video, node.profile.palette)
    options = node.profile.options(video=video is not None, audio=audio is not None, alpha=alpha)
    subtitle = media.subtitle if node.clip.subtitle else None
    return Target([s for s in (video, audio, subtitle) if s is not None], path, options)


Place = tuple[str, int, TonemapParameters | None]
"""A node (with 0), or a source with the whole seconds skipped on opening it, and its tone mapping."""


@dataclass(frozen=True)
class _Wanted:
    """Which streams of a node somebody uses."""

    video: bool
    audio: bool


def _streams(clip: Clip) -> _Wanted:
    return _Wanted(clip.picture is not None, clip.sound is not None)


def opened_from(plan: Plan, node: Node, index: int) -> Place:
    """Where `node` takes its input from.

    How a source is opened depends on the taking node alone: after another seek a decoder may give slightly
    other samples, and a node's bytes must not depend on what else is rendered.
    """
    name, parameters = node.inputs[index], node.parameters
    if name in plan.sources and isinstance(parameters, TonemapParameters):
        return name, 0, parameters
    if name not in plan.sources or not isinstance(parameters, TrimParameters):
        return name, 0, None
    start = parameters.begin(node.clips[index])
    if index or plan.sources[name].info.demuxer not in _INDEXED or start < _WORTH_SEEKING_SECONDS:
        return name, 0, None
    return name, math.floor(start) - _LEAD_IN_SECONDS, None


class _Building:
    """A filter graph in the making: each node is built once and split among those who take it."""

    def __init__(
        self, plan: Plan, wanted: Mapping[str, _Wanted], measured: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._plan = plan
        self._takers: dict[Place, Counter[str]] = {}
        self._ready: dict[Place, tuple[list[Stream], list[Stream], Media]] = {}
        for name, streams in wanted.items():
            self._demand((name, 0, None), streams)
        nodes = plan.closure(list(wanted))
        for node in reversed(nodes):
            for index in range(len(node.inputs)):
                self._demand(opened_from(plan, node, index), self._used(node, index))
        for place in self._takers:
            if place[0] in plan.sources:
                self._open(place)
        for node in nodes:
            inputs = range(len(node.inputs))
            media = [self.take(opened_from(plan, node, index), self._used(node, index)) for index in inputs]
            made = node.operation.build(media, node.clips, node.parameters, measured.get(node.name, {}))
            self._offer((node.name, 0, None), made)

    def take(self, place: Place, wanted: _Wanted) -> Media:
        """One copy of the streams of a node or source, as far as wanted."""
        videos, audios, made = self._ready[place]
        path = self._plan.sources[place[0]].path if place[0] in self._plan.sources else None
        video = videos.pop() if wanted.video else None
        audio = audios.pop() if wanted.audio else None
        return Media(video, audio, made.offset, path, made.subtitle)

    def _demand(self, place: Place, streams: _Wanted) -> None:
        counter = self._takers.setdefault(place, Counter())
        counter["video"] += streams.video
        counter["audio"] += streams.audio

    def _used(self, node: Node, index: int) -> _Wanted:
        """An input's streams for `node`: only those that end up in something wanted."""
        makes, takers, has = (
            _streams(node.clip),
            self._takers[node.name, 0, None],
            _streams(node.clips[index]),
        )
        wanted = (makes.video and takers["video"] > 0, makes.audio and takers["audio"] > 0)
        video, audio = node.operation.draws_on(index, *wanted, node.parameters)
        return _Wanted(has.video and video, has.audio and audio)

    def _offer(self, place: Place, media: Media) -> None:
        takers = self._takers[place]
        videos = media.video.split(takers["video"], audio=False) if media.video and takers["video"] else []
        audios = media.audio.split(takers["audio"], audio=True) if media.audio and takers["audio"] else []
        self._ready[place] = (videos, audios, media)

    def _open(self, place: Place) -> None:
        (name, offset, toned), takers = place, self._takers[place]
        source = self._plan.sources[name]
        info = source.info
        if info.kind not in ("video", "audio", "image"):
            lines = open_file(source.path, f=info.demuxer).stream(0) if info.kind == "subtitle" else None
            self._offer(place, Media(None, None, subtitle=lines))
            return
        opened = open_file(source.path, f=info.demuxer, **({"ss": offset} if offset else {}))
        video = audio = None
        if info.video is not None and takers["video"]:
            tone_map = partial(tone_mapped, **toned.model_dump()) if toned else None
            video = standard(opened.stream(info.video.index), info.video, tone_map)
        if info.audio is not None and takers["audio"]:
            audio = opened.stream(info.audio.index)
        self._offer(place, Media(video, audio, offset))
