"""Compiles a komposition into a plan: pieces and sound, each with the fingerprint it is cached under.

Pure: no file is read and ffmpeg is not touched. A piece's fingerprint covers all that decides its
pixels and leaves out where it stands, so moving a segment renders nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from media_assets.ids import fingerprint
from media_assets.kompositions.encoding import encoding
from media_assets.kompositions.footage import is_still
from media_assets.kompositions.model import Komposition, OutputFormat, references
from media_assets.kompositions.shots import Piece, Shot
from media_assets.kompositions.soundtrack import Soundtrack, soundtrack
from media_assets.kompositions.staging import Focus
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.timeline import timeline
from media_assets.media.encode import profile
from media_assets.media.info import MediaInfo
from media_assets.operations.registry import operation
from media_assets.store.analyses import Analysed

RENDER_VERSION = 2
"""Raised when the same plan would give other pixels or samples."""

# Megapixels that a core encodes with x264 veryfast, and decodes, in a second.
_ENCODED_MEGAPIXELS = 42.0
_DECODED_MEGAPIXELS = 250.0
# CPU-seconds for a second of sound: mixed, levelled, encoded and measured.
_SOUND_SECONDS = 0.03


class SourceFacts(Analysed, Protocol):
    """What is known of a source: its partition key, its file, its SHA-256, what it holds."""

    @property
    def id(self) -> str:
        """The source's id."""


@dataclass(frozen=True)
class PlannedPiece:
    """A piece of the picture, the fingerprint it is cached under, and a guess at its CPU-seconds."""

    piece: Piece
    fingerprint: str
    sources: tuple[str, ...]
    estimate: float


@dataclass(frozen=True)
class KompositionPlan:
    """What a komposition compiles to.

    Attributes:
        id: the komposition's partition key.
        fingerprint: of the finished file; its cache key.
        output: size and rate.
        profile: the encoder profile's name.
        ffmpeg_version: of the program that is to render it.
        frames: how many pictures; duration: the same in seconds.
        segments: ids of the document's segments, in order; effects: names of those that a segment has.
        pieces: in the order of the timeline.
        soundtrack, sound_fingerprint: what is heard, and its cache key.
        sources: content hash by source id; references: source id by the name the document uses.
        warnings: (place, text), none of which keeps it from being rendered.
        estimate: a guess at CPU-seconds for rendering everything.
    """

    id: str
    fingerprint: str
    output: OutputFormat
    profile: str
    ffmpeg_version: str
    frames: int
    segments: tuple[str, ...]
    effects: Mapping[str, tuple[str, ...]]
    pieces: tuple[PlannedPiece, ...]
    soundtrack: Soundtrack
    sound_fingerprint: str
    sources: Mapping[str, str]
    references: Mapping[str, str]
    warnings: tuple[tuple[str, str], ...]
    estimate: float

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.frames / self.output.rate)

    @property
    def sound_estimate(self) -> float:
        """CPU-seconds of what it takes beside its pieces."""
        return max(0.0, self.estimate - sum(planned.estimate for planned in self.pieces))

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values, for people and records."""
        hashes = {reference: self.sources[source] for reference, source in self.references.items()}
        return {
            "id": self.id,
            "fingerprint": self.fingerprint,
            "output": self.output.model_dump(mode="json"),
            "profile": self.profile,
            "ffmpeg_version": self.ffmpeg_version,
            "frames": self.frames,
            "duration": self.duration,
            "pieces": [
                {
                    "id": planned.piece.id,
                    "kind": planned.piece.kind,
                    "first_frame": planned.piece.first_frame,
                    "frames": planned.piece.frames,
                    "sources": list(planned.sources),
                    "fingerprint": planned.fingerprint,
                }
                for planned in self.pieces
            ],
            "effects": {segment: list(names) for segment, names in self.effects.items()},
            "sound": {"fingerprint": self.sound_fingerprint, **self.soundtrack.to_json(hashes)},
            "sources": dict(sorted(self.sources.items())),
            "warnings": [{"place": place, "message": text} for place, text in self.warnings],
            "estimate": {"cpu_seconds": round(self.estimate, 2)},
        }


def plan(
    komposition: Komposition,
    sources: Mapping[str, SourceFacts],
    ffmpeg_version: str,
    *,
    identifier: str = "komp_untitled",
    tempo: Tempo | None = None,
    speech: Mapping[str, Sequence[tuple[Fraction, Fraction]]] | None = None,
    focus: Focus | None = None,
    warnings: Sequence[tuple[str, str]] = (),
) -> KompositionPlan:
    """Compile `komposition`.

    Args:
        komposition: the document.
        sources: what is known of each of `references(komposition)`, by that reference.
        ffmpeg_version: of the program that will render; part of every fingerprint.
        identifier: the komposition's partition key.
        tempo: where positions lie; the document's own even grid, if nothing else is known.
        speech: where there is speech, by reference: seconds of the file from and to.
        focus: where there is something to see in a source, for pictures that are cropped to it.
        warnings: what was found out before, to be told with what is found here.

    Raises:
        DocumentError: the document does not fit its sources; all findings.
    """
    named = [name for name in references(komposition) if name in sources]
    media = {name: sources[name].info for name in named}
    hashes = {name: sources[name].sha256 for name in named}
    tempo = tempo or Tempo(komposition.unit_seconds)
    placed = timeline(komposition, media, identifier, tempo, focus)
    sound = soundtrack(komposition, placed, media, tempo=tempo, speech=speech or {})
    base = {"render_version": RENDER_VERSION, "ffmpeg": ffmpeg_version}
    picture = {
        **base,
        "output": komposition.output.model_dump(mode="json", exclude={"fit"}),
        "encoder": encoding(komposition.profile, komposition.output.rate),
    }
    pieces = [_planned(piece, sources, picture, komposition.output) for piece in placed.pieces]
    sound_key = fingerprint({**base, "sound": sound.to_json(hashes), "encoder": profile("aac").to_json()})
    seconds = float(placed.frames / placed.rate)
    return KompositionPlan(
        id=identifier,
        fingerprint=_whole([p.fingerprint for p in pieces], sound_key, picture),
        output=komposition.output,
        profile=komposition.profile,
        ffmpeg_version=ffmpeg_version,
        frames=placed.frames,
        segments=tuple(segment.id for _, segment in komposition.all_segments),
        effects={
            s.id: tuple(operation(e.op).name for e in s.effects)
            for _, s in komposition.all_segments
            if s.effects
        },
        pieces=tuple(pieces),
        soundtrack=sound,
        sound_fingerprint=sound_key,
        sources={sources[name].id: sources[name].sha256 for name in named},
        references={name: sources[name].id for name in named},
        warnings=(*warnings, *placed.warnings, *sound.warnings),
        estimate=sum(p.estimate for p in pieces) + seconds * _SOUND_SECONDS,
    )


def _whole(pieces: Sequence[str], sound: str, picture: Mapping[str, Any]) -> str:
    return fingerprint({**picture, "pieces": list(pieces), "sound": sound})


def _planned(
    piece: Piece, sources: Mapping[str, SourceFacts], picture: Mapping[str, Any], output: OutputFormat
) -> PlannedPiece:
    taken = [name for shot in piece.shots for name in shot.sources]
    hashes = {name: sources[name].sha256 for name in taken}
    contents = [content.to_json(hashes) for content in piece.contents]
    key = fingerprint({**picture, "frames": piece.frames, "layers": contents})
    names = tuple(dict.fromkeys(sources[name].id for name in taken))
    encoded = output.width * output.height * piece.frames / 1e6 / _ENCODED_MEGAPIXELS
    worked = sum(
        _decoding(shot, sources[shot.source].info if shot.source else None) + _treating(shot)
        for shot in piece.shots
    )
    return PlannedPiece(piece, key, names, encoded + worked)


def _decoding(shot: Shot, info: MediaInfo | None) -> float:
    """CPU-seconds to decode a shot."""
    if info is None or info.video is None or is_still(info):
        return 0.0
    seconds = float(sum(take.frames * take.step for take in shot.takes))
    frames = seconds * float(info.video.fps or 25)
    return info.video.width * info.video.height * frames / 1e6 / _DECODED_MEGAPIXELS


def _treating(shot: Shot) -> float:
    """CPU-seconds of a shot's effects."""
    pictures = [(step.clips[0].picture, step.operation) for step in shot.effects]
    return sum(p.width * p.height * shot.worked / 1e6 / o.megapixels_per_second for p, o in pictures if p)
