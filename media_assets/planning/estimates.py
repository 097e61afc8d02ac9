"""What a plan will cost: CPU-seconds, memory, disk, time. Measured speeds, corrected by past events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from media_assets.media.encode import Profile
from media_assets.media.info import MediaInfo
from media_assets.operations.clip import Clip
from media_assets.operations.trim import TrimParameters
from media_assets.planning.commands import Place, groups, opened_from
from media_assets.planning.learnt import Factors, Quantity, traits
from media_assets.planning.plan import Node, Plan

# Megapixels a core handles in a second, measured on 1280x720 footage.
_DECODED = 300.0
_DEFAULT_ENCODED = 20.0
_ENCODED: Mapping[str, float] = MappingProxyType(
    {
        "libx265": 20.0,
        "libsvtav1": 60.0,
        "libvpx-vp9": 12.0,
        "prores_ks": 10.0,
        "ffv1": 50.0,
        "png": 20.0,
        "mjpeg": 80.0,
        "libwebp": 10.0,
        "libwebp_anim": 5.0,
        "gif": 40.0,
    }
)
_X264: Mapping[str, float] = MappingProxyType(
    {
        "ultrafast": 142.0,
        "superfast": 81.0,
        "veryfast": 55.0,
        "faster": 33.0,
        "fast": 25.0,
        "medium": 22.0,
        "slow": 14.0,
        "slower": 9.0,
        "veryslow": 5.0,
    }
)
_SOUND_SPEED = 120.0
"""Seconds of sound that are decoded, filtered, encoded and measured in a CPU-second."""
_COMMAND_SECONDS = 0.08
"""CPU-seconds to start ffmpeg and to verify what it wrote."""

_BASE_BYTES = 50 << 20
_HELD_FRAMES = 56
"""Pictures that a decoder and an encoder hold between them."""
_BYTES_PER_PIXEL = 1.5
_BITS_PER_PIXEL: Mapping[str, float] = MappingProxyType(
    {"prores_ks": 4.1, "ffv1": 3.7, "libx265": 0.07, "libsvtav1": 0.07, "libvpx-vp9": 0.07, "png": 12.0}
)
_DEFAULT_BITS = 0.12
_SOUND_BITS = 192_000
_PARALLEL = 1.4
"""Cores that one command keeps busy: one encodes, another decodes and filters."""


@dataclass(frozen=True)
class Estimate:
    """What something costs: CPU-seconds, bytes of memory at the most and of disk, seconds on the clock.

    Attributes:
        low_seconds, high_seconds: between which four of five such renders were; None: nothing was learnt.
        events: past renders of its operations that this was learnt from; 0: of none of them.
    """

    cpu_seconds: float
    memory_bytes: int
    disk_bytes: int
    seconds: float
    low_seconds: float | None = None
    high_seconds: float | None = None
    events: int = 0


def node_estimate(plan: Plan, node: Node, cores: int, factors: Factors | None = None) -> Estimate:
    """What `node` costs if it is made alone."""
    return group_estimate(plan, [node.name], cores, factors)


def copy_estimate(node: Node) -> Estimate:
    """What a node costs whose packets are copied."""
    cpu = _COMMAND_SECONDS * 4 + (node.clip.duration or 0.0) / _SOUND_SPEED
    return Estimate(cpu, _BASE_BYTES, _disk(node), cpu)


def job_estimate(
    plan: Plan,
    wanted: Sequence[str],
    cores: int,
    factors: Factors | None = None,
    copied: Collection[str] = (),
) -> Estimate:
    """What all of `wanted` costs, with the decodes they share; groups run side by side on `cores`.

    Args:
        copied: those of `wanted` whose packets are copied.
    """
    encoded = [name for name in wanted if name not in copied]
    each = [group_estimate(plan, names, cores, factors) for names in groups(plan, encoded)]
    each += [copy_estimate(plan.nodes[name]) for name in copied]
    cpu = sum(estimate.cpu_seconds for estimate in each)
    longest = max((estimate.seconds for estimate in each), default=0.0)
    seconds = max(longest, cpu / max(1, cores))
    low, high = (sum(bounds) for bounds in zip(*map(_bounds, each), strict=True)) if each else (0.0, 0.0)
    whole = sum(estimate.seconds for estimate in each) or 1.0
    learnt = any(estimate.low_seconds is not None for estimate in each)
    return Estimate(
        cpu,
        sum(sorted((estimate.memory_bytes for estimate in each), reverse=True)[:cores]),
        sum(estimate.disk_bytes for estimate in each),
        seconds,
        seconds * low / whole if learnt else None,
        seconds * high / whole if learnt else None,
        sum(estimate.events for estimate in each),
    )


def _bounds(estimate: Estimate) -> tuple[float, float]:
    low, high = estimate.low_seconds, estimate.high_seconds
    return estimate.seconds if low is None else low, estimate.seconds if high is None else high


def group_estimate(
    plan: Plan, names: Sequence[str], cores: int, factors: Factors | None = None
) -> Estimate:
    """What the nodes of one command cost together; each has an even share of it, as in its event."""
    nodes = [plan.nodes[name] for name in names]
    cpu = expected_cpu_seconds(plan, names)
    memory = _BASE_BYTES + sum(_memory(node) for node in plan.closure(list(names)))
    memory += sum(_pixels(node.clip) * _HELD_FRAMES for node in nodes)
    busy = min(max(1, cores), _PARALLEL * max(1, len(nodes)))
    shipped = Estimate(cpu, int(memory), sum(_disk(node) for node in nodes), cpu / busy)
    return shipped if factors is None else _learnt(shipped, plan, nodes, busy, factors)


def _learnt(
    shipped: Estimate, plan: Plan, nodes: Sequence[Node], busy: float, factors: Factors
) -> Estimate:
    """The estimate by what was learnt, where something was."""
    known = [(node, traits(node.recipe.parameters, given(plan, node))) for node in nodes]
    share = shipped.cpu_seconds / len(nodes)

    def predicted(quantity: Quantity, scales: Sequence[float]) -> tuple[float, float, float] | None:
        found = [
            factors.predict(node.operation.name, quantity, scale, its)
            for (node, its), scale in zip(known, scales, strict=True)
        ]
        if None in found:
            return None
        values = [one for one in found if one is not None]
        return sum(v.value for v in values), sum(v.low for v in values), sum(v.high for v in values)

    cpu = predicted("cpu_seconds", [share] * len(nodes))
    seconds = predicted("seconds", [share] * len(nodes))
    memory = predicted("memory_bytes", [shipped.memory_bytes] * len(nodes))
    disk = predicted("disk_bytes", [_disk(node) for node in nodes])
    cpu_seconds = cpu[0] if cpu else shipped.cpu_seconds
    return Estimate(
        cpu_seconds,
        int(memory[0] / len(nodes)) if memory else shipped.memory_bytes,
        int(disk[0]) if disk else shipped.disk_bytes,
        seconds[0] if seconds else cpu_seconds / busy,
        seconds[1] if seconds else None,
        seconds[2] if seconds else None,
        sum(factors.events(name) for name in {node.operation.name for node in nodes}) if seconds else 0,
    )


def given(plan: Plan, node: Node) -> dict[str, Any]:
    """What a node is given, in the words of its event."""
    first = node
    while first.inputs and first.inputs[0] in plan.nodes:
        first = plan.nodes[first.inputs[0]]
    source = plan.sources.get(first.inputs[0]) if first.inputs else None
    videos, audios = (source.info.videos, source.info.audios) if source else ((), ())
    codecs = [*(one.codec for one in videos), *(one.codec for one in audios)]
    clip = node.clips[0] if node.clips else None
    picture = clip.picture if clip else None
    return {
        "source_codec": codecs[0] if codecs else None,
        "source_bits_per_pixel": bits_per_pixel(source.info) if source else None,
        "output_format": node.profile.extension,
        "width": picture.width if picture else None,
        "height": picture.height if picture else None,
        "fps": float(picture.fps) if picture and clip and clip.kind == "video" else None,
    }


def bits_per_pixel(info: MediaInfo) -> float | None:
    """Bits that a video's file has for a pixel of a picture, sound and all; None for what is no video."""
    clip = Clip.of(info)
    if clip.picture is None or clip.kind != "video" or not clip.duration:
        return None
    return round(info.size * 8 / (_megapixels(clip) * 1e6), 5)


def expected_cpu_seconds(plan: Plan, names: Sequence[str]) -> float:
    """CPU-seconds by the shipped speeds alone, for one command that makes all of `names`.

    What is decoded is counted once for each way in which a source is opened; then every operation at
    its own speed, and every encoder.
    """
    nodes = plan.closure(list(names))
    reads: dict[Place, float] = {}
    for node in nodes:
        for index, name in enumerate(node.inputs):
            if name in plan.sources:
                place = opened_from(plan, node, index)
                clip = node.clips[index]
                reads[place] = max(reads.get(place, 0.0), _read_seconds(node, clip, index) - place[1])
    decoding = sum(
        _megapixels(Clip.of(plan.sources[name].info), seconds) / _DECODED + seconds / _SOUND_SPEED
        for (name, *_), seconds in reads.items()
    )
    filtering = sum(_filtering(node) for node in nodes)
    encoding = sum(
        _megapixels(plan.nodes[name].clip) / _encoder_speed(plan.nodes[name].profile)
        + (plan.nodes[name].clip.duration or 0.0) / _SOUND_SPEED
        for name in names
    )
    return decoding + filtering + encoding + _COMMAND_SECONDS * (1 + len(names))


def _filtering(node: Node) -> float:
    """CPU-seconds of an operation's filters, and of the pass that measures the sound."""
    pictures = sum(_megapixels(clip) for clip in node.clips) / node.operation.megapixels_per_second
    heard = sum(clip.duration or 0.0 for clip in node.clips) if node.operation.measures else 0.0
    return pictures + heard / _SOUND_SPEED


def _read_seconds(node: Node, clip: Clip, index: int) -> float:
    """How far into an input a node reads."""
    whole = clip.duration or 0.0
    if index == 0 and isinstance(node.parameters, TrimParameters):
        stop = node.parameters.stop(clip)
        return whole if stop is None else min(stop, whole)
    return whole


def _megapixels(clip: Clip, seconds: float | None = None) -> float:
    if clip.picture is None:
        return 0.0
    length = clip.duration if seconds is None else seconds
    frames = float(clip.picture.fps) * (length or 0.0) or 1.0
    return clip.picture.width * clip.picture.height * frames / 1e6


def _encoder_speed(profile: Profile) -> float:
    options = profile.video or {}
    encoder = str(options.get("c:v", ""))
    if encoder == "libx264":
        return _X264.get(str(options.get("preset")), _X264["veryfast"])
    return _ENCODED.get(encoder, _DEFAULT_ENCODED)


def _pixels(clip: Clip) -> float:
    return clip.picture.width * clip.picture.height * _BYTES_PER_PIXEL if clip.picture else 0.0


def _memory(node: Node) -> float:
    """Bytes that an operation's filters hold."""
    frames = node.operation.buffered_frames(node.clips, node.parameters)
    return frames * max((_pixels(clip) for clip in (*node.clips, node.clip)), default=0.0)


def disk_bytes(nodes: Iterable[Node]) -> int:
    """Bytes that the files of some nodes take together."""
    return sum(_disk(node) for node in nodes)


def picture_bytes(pixels: float, encoder: str = "") -> float:
    """Bytes of so many pixels, all pictures of a file taken together."""
    return pixels * _BITS_PER_PIXEL.get(encoder, _DEFAULT_BITS) / 8


def sound_bytes(seconds: float) -> float:
    """Bytes of so much sound."""
    return _SOUND_BITS * seconds / 8


def _disk(node: Node) -> int:
    encoder = str((node.profile.video or {}).get("c:v", ""))
    sound = sound_bytes(node.clip.duration or 0.0) if node.clip.sound else 0.0
    return int(picture_bytes(_megapixels(node.clip) * 1e6, encoder) + sound)
