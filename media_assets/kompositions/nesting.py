"""Kompositions and effects as sources: what they will be, before they are made, and how they are made.

Equal fingerprint, equal bytes: what is planned from a nested source depends on its fingerprint alone, so
planning renders nothing, and a change inside it changes the plans of all that use it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from media_assets.errors import BadInput, MediaAssetsError
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.outcomes import Step
from media_assets.kompositions.plan import KompositionPlan, SourceFacts
from media_assets.kompositions.recipes import final_recipe
from media_assets.kompositions.render import render
from media_assets.media.info import AudioStream, MediaInfo, VideoStream
from media_assets.media.probe import probe
from media_assets.operations.clip import SOUND_RATE, Clip
from media_assets.planning.execute import NodeResult, execute
from media_assets.planning.plan import Plan
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore

_KOMPOSITION = re.compile(r"komp_[a-z0-9_]{1,200}")
_EFFECT = re.compile(r"effect_[a-z0-9_]+")

Told = Callable[[Step], None]


class KompositionCycle(BadInput):
    """Kompositions that need each other; the message names them in order."""


@dataclass(frozen=True)
class NestedSource:
    """A file that is yet to be made, as a source.

    Attributes:
        id: of the komposition or the effect.
        path: its name; once it is made, where the store keeps it.
        sha256: its fingerprint, which stands for its content.
        info: what it will be; what it is, once it is made.
    """

    id: str
    path: Path
    sha256: str
    info: MediaInfo


class Nested(Protocol):
    """Something that makes a nested source.

    Attributes:
        source: what it makes; derived_from: ids of all that goes into it, at any depth.
    """

    @property
    def source(self) -> NestedSource:
        """What it makes."""

    @property
    def derived_from(self) -> frozenset[str]:
        """Ids of all that goes into it, at any depth."""

    def make(
        self, settings: Settings, store: OutputStore, told: Told | None, cancel: threading.Event | None
    ) -> None:
        """Have it in the store; what it is made from is there."""


@dataclass(frozen=True)
class NestedKomposition:
    """Another komposition, with its plan and what it is made from."""

    plan: KompositionPlan
    sources: Mapping[str, SourceFacts]
    source: NestedSource
    derived_from: frozenset[str]

    def make(
        self, settings: Settings, store: OutputStore, told: Told | None, cancel: threading.Event | None
    ) -> None:
        """Render it, unless it is in the store."""
        if store.get(self.plan.fingerprint) is None:
            found = as_made(self.sources, settings, store)
            render(self.plan, found, settings, store, on_outcome=told, cancel=cancel)


@dataclass(frozen=True)
class NestedEffect:
    """An effect, as the node of that name in its recipe's plan."""

    plan: Plan
    name: str
    source: NestedSource
    derived_from: frozenset[str]

    def make(
        self, settings: Settings, store: OutputStore, told: Told | None, cancel: threading.Event | None
    ) -> None:
        """Make it, unless it is in the store."""
        recipe = self.plan.nodes[self.name].recipe
        if store.get(recipe.fingerprint) is not None:
            return
        started = time.monotonic()
        made = self._execute(settings, store, cancel or threading.Event())
        result = made.outcome or made.error or MediaAssetsError("it was not made", where=self.source.id)
        if told is not None:
            told(Step(self.source.id, recipe, result, time.monotonic() - started))
        if isinstance(result, MediaAssetsError):
            raise result

    def _execute(self, settings: Settings, store: OutputStore, cancel: threading.Event) -> NodeResult:
        """Run the plan on a thread, so that an interrupt of this one ends its commands."""
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(
                execute, self.plan, [self.name], store, settings, workers=settings.workers, cancel=cancel
            )
            try:
                (made,) = work.result()
            except BaseException:
                cancel.set()
                raise
        return made


def nested_komposition(
    plan: KompositionPlan, sources: Mapping[str, SourceFacts], below: Sequence[Nested]
) -> NestedKomposition:
    """A planned komposition as a source.

    Args:
        plan, sources: as they were planned.
        below: the nested sources that it has itself.
    """
    output = plan.output
    video = VideoStream(
        index=0,
        codec="h264",
        width=output.width,
        height=output.height,
        pixel_format="yuv420p",
        fps=output.rate,
        frames=plan.frames,
        duration=plan.duration,
        color_range="tv",
        color_space="bt709",
        color_transfer="bt709",
        color_primaries="bt709",
    )
    info = MediaInfo(
        "video",
        "mov,mp4,m4a,3gp,3g2,mj2",
        0,
        plan.duration,
        videos=(video,),
        audios=(AudioStream(1, "aac", SOUND_RATE, 2, "stereo", plan.duration),),
    )
    source = NestedSource(plan.id, Path(final_recipe(plan).file_name), plan.fingerprint, info)
    return NestedKomposition(plan, sources, source, origins(plan, below))


def nested_effect(plan: Plan, identifier: str) -> NestedEffect:
    """A planned effect as a source; its node is called by its id."""
    node = plan.nodes[identifier]
    info = expected_info(node.clip, node.profile.extension)
    source = NestedSource(identifier, Path(node.recipe.file_name), node.recipe.fingerprint, info)
    return NestedEffect(plan, identifier, source, frozenset(s.id for s in plan.origins([identifier])))


def origins(plan: KompositionPlan, nested: Iterable[Nested]) -> frozenset[str]:
    """Ids of all that goes into a komposition, at any depth."""
    return frozenset(plan.sources).union(*(one.derived_from for one in nested))


def expected_info(clip: Clip, container: str) -> MediaInfo:
    """What probing will say of a file that is written from `clip`, as far as a timeline asks."""
    picture, sound = clip.picture, clip.sound
    moving = clip.kind == "video"
    videos: tuple[VideoStream, ...] = ()
    if picture is not None:
        seen = VideoStream(
            index=0,
            codec="unknown",
            width=picture.width,
            height=picture.height,
            sar=picture.sar,
            fps=picture.fps if moving else None,
            duration=clip.duration if moving else None,
            has_alpha=picture.alpha,
        )
        videos = (seen,)
    audios: tuple[AudioStream, ...] = ()
    if sound is not None:
        audios = (AudioStream(len(videos), "unknown", sound.rate, sound.channels, None, clip.duration),)
    return MediaInfo(clip.kind, container, 0, clip.duration, videos=videos, audios=audios)


def make_all(
    nested: Sequence[Nested],
    settings: Settings,
    store: OutputStore,
    *,
    told: Told | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Have every nested source in the store; each comes after those that it needs."""
    for one in nested:
        one.make(settings, store, told, cancel)


def as_made(
    sources: Mapping[str, SourceFacts], settings: Settings, store: OutputStore
) -> dict[str, SourceFacts]:
    """The sources, nested ones, which are made by now, as the files that they are."""
    return {
        name: _found(source, settings, store) if isinstance(source, NestedSource) else source
        for name, source in sources.items()
    }


def _found(source: NestedSource, settings: Settings, store: OutputStore) -> NestedSource:
    output = store.get(source.sha256)
    if output is None:
        raise MediaAssetsError(
            "it vanished from the store while it was being used", where=source.id, hint="run again"
        )
    return replace(source, path=output.path, info=probe(output.path, settings))


def is_komposition(reference: str, source_root: Path) -> bool:
    """Whether a reference names a komposition; a file of that name under the source root comes first."""
    return bool(_KOMPOSITION.fullmatch(reference)) and not (source_root / reference).exists()


def is_effect(reference: str, source_root: Path) -> bool:
    """Whether a reference names an effect; a file of that name under the source root comes first."""
    return bool(_EFFECT.fullmatch(reference)) and not (source_root / reference).exists()


def places(komposition: Komposition, reference: str) -> Iterator[str]:
    """Every place of the document (a JSON path) that names `reference`."""
    for place, segment in komposition.all_segments:
        if segment.source == reference:
            yield f"{place}.source"
        for index, effect in enumerate(segment.effects):
            if reference in effect.sources:
                yield f"{place}.effects[{index}]"
    for at, layer in enumerate(komposition.layers):
        for index, effect in enumerate(layer.effects):
            if reference in effect.sources:
                yield f"$.layers[{at}].effects[{index}]"
    for index, effect in enumerate(komposition.effects):
        if reference in effect.sources:
            yield f"$.effects[{index}]"
    if komposition.music is not None and komposition.music.source == reference:
        yield "$.music.source"
    for at, track in enumerate(komposition.audio):
        for index, clip in enumerate(track.clips):
            if clip.source == reference:
                yield f"$.audio[{at}].clips[{index}].source"
