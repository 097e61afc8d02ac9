"""Nodes whose packets can be copied: what is in the file already is what the profile would write.

A trim copies whole groups of pictures and encodes again only those that a cut goes through; a join and a
change of container copy every picture. AAC is copied too, and what comes before the cut marked as not to be
heard; other sound, and that of a join, is cut to the sample and encoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from media_assets.media.codecs import CONTAINERS
from media_assets.media.info import MediaInfo, VideoStream
from media_assets.media.keyframes import WINDOW_SECONDS, clean_points, ends_cleanly, packets_near
from media_assets.media.verify import read_properties
from media_assets.operations.clip import SOUND_RATE, TOLERANCE, Clip
from media_assets.operations.encode import EncodeParameters
from media_assets.operations.join import Concatenate
from media_assets.operations.trim import Trim, TrimParameters
from media_assets.planning.plan import Node, Plan
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts

# Encoding more than this part of the pictures again saves too little for the pieces it takes.
_MOST_ENCODED = 0.5
_INDEXED = frozenset({"mov", "matroska"})
_SAME_START_SECONDS = 0.001


@dataclass(frozen=True)
class Part:
    """A stretch of a source's pictures, seconds in the file: copied as they are, or encoded again."""

    source: str
    begin: float
    end: float
    copied: bool


@dataclass(frozen=True)
class Stretch:
    """Sound whose packets are copied too: from `begin` to `end` (seconds in the file) of a source.

    The packets before `begin` that a decoder needs come along, marked as not to be heard.
    """

    source: str
    begin: float
    end: float


@dataclass(frozen=True)
class Copy:
    """How a node is made without decoding all of it: its parts in order.

    Attributes:
        sound: what is copied of the sound; None where it is encoded, or there is none.
        delay: when the first picture is shown (seconds), where a cut is between two pictures.
    """

    parts: tuple[Part, ...]
    sound: Stretch | None = None
    delay: float = 0.0

    @property
    def encoded_seconds(self) -> float:
        """How much of the picture is encoded again."""
        return sum(part.end - part.begin for part in self.parts if not part.copied)


def way_to_copy(plan: Plan, node: Node, settings: Settings) -> Copy | None:
    """How `node` can be made by copying, or None where its pictures must be made anew.

    Reads packets around the cuts, and decodes nothing. The same for the same sources and parameters.
    """
    sources = [plan.sources.get(name) for name in node.inputs]
    if node.clip.picture is None or any(source is None for source in sources):
        return None
    taken = [source for source in sources if source is not None]
    if isinstance(node.operation, Trim) and _is_delivered(taken[0].info, node):
        return _trimmed(taken[0], node.inputs[0], node.clips[0], node.parameters, settings)
    if isinstance(node.operation, Concatenate) and all(_is_delivered(s.info, node) for s in taken):
        return _joined(taken, node, settings)
    if isinstance(node.parameters, EncodeParameters) and _only_container(node.parameters):
        return _remuxed(taken[0], node)
    return None


def _is_delivered(info: MediaInfo, node: Node) -> bool:
    """Whether a source's pictures are such as the default profile writes."""
    video = info.video
    return (
        video is not None
        and video.codec == "h264"
        and node.profile.name == "h264"
        and _is_plain(info, video)
    )


def _is_plain(info: MediaInfo, video: VideoStream) -> bool:
    """Pictures that need nothing done: upright, 8-bit 4:2:0 of even size, in step with the sound."""
    starts = [video.start_time, *(audio.start_time for audio in info.audios[:1])]
    return (
        info.demuxer in _INDEXED
        and video.pixel_format == "yuv420p"
        and video.color_range in (None, "tv", "unknown")
        and not (video.rotation or video.mirrored or video.hdr or video.interlaced or video.has_alpha)
        and video.width % 2 == video.height % 2 == 0
        and all(abs(start) <= _SAME_START_SECONDS for start in starts)
    )


def _is_copied(info: MediaInfo, codec: str = "aac") -> bool:
    """Whether the sound is such as the profile writes, in packets that can be cut between."""
    audio = info.audio
    return audio is not None and audio.codec == codec and audio.sample_rate == SOUND_RATE


def _trimmed(
    source: SourceFacts, name: str, clip: Clip, parameters: object, settings: Settings
) -> Copy | None:
    video = source.info.video
    if video is None or not isinstance(parameters, TrimParameters):
        return None
    start, whole = parameters.begin(clip), clip.duration or 0.0
    stop = parameters.stop(clip)
    end = whole if stop is None else min(stop, whole)
    first = packets_near(source.path, video.index, start - 1, start + WINDOW_SECONDS, settings)
    shown = sorted(p.time for p in first if p.time >= start - TOLERANCE)
    keys = [t for t in clean_points(first) if t >= start - TOLERANCE]
    if not shown or not keys or keys[0] >= end:
        return None
    begin = keys[0]
    last = packets_near(source.path, video.index, end - WINDOW_SECONDS, end + 1, settings)
    stays = end >= whole - TOLERANCE or ends_cleanly(last, end - TOLERANCE)
    ends = [t for t in clean_points(last) if begin < t <= end]
    if not stays and not ends:
        return None
    middle = end if stays else ends[-1]
    parts = []
    if shown[0] < begin - TOLERANCE:
        parts.append(Part(name, shown[0], begin, copied=False))
    parts.append(Part(name, begin, middle, copied=True))
    if middle < end - TOLERANCE:
        parts.append(Part(name, middle, end, copied=False))
    sound = Stretch(name, start, end) if _is_copied(source.info) else None
    found = Copy(tuple(parts), sound, max(0.0, shown[0] - start))
    return found if found.encoded_seconds <= _MOST_ENCODED * (end - start) else None


def _joined(sources: Sequence[SourceFacts], node: Node, settings: Settings) -> Copy | None:
    videos = [source.info.video for source in sources]
    forms = {(v.width, v.height, v.sar, v.fps, v.color_space) for v in videos if v is not None}
    picture = node.clip.picture
    if len(forms) != 1 or picture is None or any(v is None or v.vfr for v in videos):
        return None
    parts = []
    for name, source, clip in zip(node.inputs, sources, node.clips, strict=True):
        frames = round((clip.duration or 0.0) * picture.fps)
        video = source.info.video
        if video is None or video.sar != 1 or video.fps != picture.fps:
            return None
        if read_properties(source.path, settings).frames != frames:
            return None
        first = packets_near(source.path, video.index, 0.0, 1.0, settings)
        if clean_points(first)[:1] != [min((p.time for p in first), default=-1.0)]:
            return None
        parts.append(Part(name, 0.0, float(Fraction(frames) / picture.fps), copied=True))
    return Copy(tuple(parts))


def _only_container(parameters: EncodeParameters) -> bool:
    return parameters.model_fields_set <= {"container"} and parameters.container is not None


def _remuxed(source: SourceFacts, node: Node) -> Copy | None:
    video = source.info.video
    into = next((c for c in CONTAINERS.values() if c.name == node.profile.extension), None)
    if video is None or into is None or not _is_plain(source.info, video) or video.codec not in into.video:
        return None
    audio, name, whole = source.info.audio, node.inputs[0], node.clip.duration or 0.0
    same = audio is not None and audio.codec in into.audio and _is_copied(source.info, audio.codec)
    return Copy((Part(name, 0.0, whole, copied=True),), Stretch(name, 0.0, whole) if same else None)
