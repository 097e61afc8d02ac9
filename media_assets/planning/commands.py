"""Plan → the fewest ffmpeg commands: operations that touch share one filter graph and one decode."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_assets.media.graph import Input, Stream, Target, arguments, open_file
from media_assets.operations.base import Clip, Media
from media_assets.operations.trim import TrimParameters
from media_assets.planning.plan import Node, Plan

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
    building = _Building(plan, {name: _streams(plan.nodes[name].clip) for name in wanted}, measured)
    targets = []
    for name, path in wanted.items():
        media, node = building.take(name), plan.nodes[name]
        streams = [stream for stream in (media.video, media.audio) if stream is not None]
        options = node.profile.options(video=media.video is not None, audio=media.audio is not None)
        targets.append(Target(streams, path, options))
    return arguments(targets)


def measure_arguments(plan: Plan, node: Node, measured: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Arguments of the command that decodes the sound before `node` and measures it."""
    (source,) = node.inputs
    building = _Building(plan, {source: _Wanted(video=False, audio=True)}, measured)
    stream = node.operation.measuring(building.take(source), node.parameters)
    return arguments([Target([stream], None, {})])


@dataclass(frozen=True)
class _Wanted:
    """Which streams of a node somebody uses."""

    video: bool
    audio: bool


def _streams(clip: Clip) -> _Wanted:
    return _Wanted(clip.picture is not None, clip.sound is not None)


class _Building:
    """A filter graph in the making: each node is built once and split among those who take it."""

    def __init__(
        self, plan: Plan, wanted: Mapping[str, _Wanted], measured: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._plan = plan
        self._measured = measured
        self._takers: dict[str, Counter[str]] = {}
        self._ready: dict[str, tuple[list[Stream], list[Stream], int]] = {}
        self._opened: dict[tuple[Path, int], Input] = {}
        for name, streams in wanted.items():
            self._demand(name, streams)
        for node in reversed(plan.closure(list(wanted))):
            takers = self._takers[node.name]
            for name, clip in zip(node.inputs, node.clips, strict=True):
                has = _streams(clip)
                makes = _streams(node.clip)
                video = has.video and makes.video and takers["video"] > 0
                self._demand(name, _Wanted(video, has.audio and makes.audio and takers["audio"] > 0))
        self._nodes = plan.closure(list(wanted))
        for name in plan.sources:
            if name in self._takers:
                self._open(name)
        for node in self._nodes:
            self._build(node)

    def take(self, name: str) -> Media:
        """One copy of a node's streams, as far as they were asked for."""
        videos, audios, offset = self._ready[name]
        return Media(videos.pop() if videos else None, audios.pop() if audios else None, offset)

    def _demand(self, name: str, streams: _Wanted) -> None:
        counter = self._takers.setdefault(name, Counter())
        counter["video"] += streams.video
        counter["audio"] += streams.audio

    def _build(self, node: Node) -> None:
        media = [self._take_for(node, index) for index in range(len(node.inputs))]
        made = node.operation.build(media, node.clips, node.parameters, self._measured.get(node.name, {}))
        self._offer(node.name, made)

    def _take_for(self, node: Node, index: int) -> Media:
        """An input's streams for `node`: only those that end up in something wanted."""
        makes, takers, has = _streams(node.clip), self._takers[node.name], _streams(node.clips[index])
        videos, audios, offset = self._ready[node.inputs[index]]
        video = videos.pop() if has.video and makes.video and takers["video"] else None
        audio = audios.pop() if has.audio and makes.audio and takers["audio"] else None
        return Media(video, audio, offset)

    def _offer(self, name: str, media: Media) -> None:
        takers = self._takers[name]
        videos = media.video.split(takers["video"], audio=False) if media.video and takers["video"] else []
        audios = media.audio.split(takers["audio"], audio=True) if media.audio and takers["audio"] else []
        self._ready[name] = (videos, audios, media.offset)

    def _open(self, name: str) -> None:
        source, offset = self._plan.sources[name], self._seek(name)
        opened = self._opened.get((source.path, offset))
        if opened is None:
            opened = open_file(source.path, **({"ss": offset} if offset else {}))
            self._opened[source.path, offset] = opened
        takers = self._takers[name]
        # An input's streams may be mapped any number of times: no split needed.
        info = source.info
        videos = [opened.stream(info.videos[0].index)] * takers["video"] if info.videos else []
        audios = [opened.stream(info.audios[0].index)] * takers["audio"] if info.audios else []
        self._ready[name] = (videos, audios, offset)

    def _seek(self, name: str) -> int:
        """Whole seconds that can be skipped on opening: those before the first trim, if all takers trim.

        Whole, because those are exact in every container's time base.
        """
        takers = [node for node in self._nodes if name in node.inputs]
        starts = [node.parameters.start for node in takers if isinstance(node.parameters, TrimParameters)]
        if not starts or len(starts) < len(takers) or min(starts) < _WORTH_SEEKING_SECONDS:
            return 0
        return math.floor(min(starts)) - _LEAD_IN_SECONDS
