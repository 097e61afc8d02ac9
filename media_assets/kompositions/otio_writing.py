"""A komposition as an OpenTimelineIO timeline: layers are tracks, segments clips, `stretch` a time warp."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from media_assets.kompositions.audio import AudioClip, AudioTrack, Music
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.otio_values import KEY, SOLID, Lost, range_of, time_of, url_of
from media_assets.kompositions.placement import Clock
from media_assets.kompositions.segments import Layer, Segment, Transition
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.values import exact

_DISSOLVES = frozenset({"crossfade", "fade", "dissolve"})
# What travels in metadata alone, and what becomes of it elsewhere.
_DOCUMENT = {
    "loudness": "the level is not brought to the target elsewhere",
    "renditions": "other programs see the main form only",
    "speech": "music is not lowered under speech elsewhere",
}
_LAYER = {"blend": "normal", "opacity": 1.0, "effects": ()}
_SEGMENT = {"view": "pan and zoom", "fit": "its fit", "gain_db": "its gain", "speech": "its speech"}
_SOUND = {"gain_db": "gain", "fade_in": "fade-in", "fade_out": "fade-out", "loop": "looping"}


def timeline_of(
    komposition: Komposition, tempo: Tempo, files: Mapping[str, str]
) -> tuple[otio.schema.Timeline, Lost]:
    """A timeline with the same cuts, in frames of the output's rate.

    Args:
        komposition: the document.
        tempo: where its positions are.
        files: paths under the source folder by reference, where that is not a path itself.

    Returns:
        The timeline, and what other programs will not understand; our own fields are in its metadata.
    """
    writer = _Writer(komposition, tempo, files)
    return writer.timeline(), writer.lost


class _Writer:
    """Writes one document; `lost` grows meanwhile."""

    def __init__(self, komposition: Komposition, tempo: Tempo, files: Mapping[str, str]) -> None:
        self.komposition = komposition
        self.rate = komposition.output.rate
        bpm = komposition.bpm
        beat = None if bpm is None else tempo.unit if bpm == "auto" else 60 / exact(bpm)
        self.clock = Clock(tempo, self.rate, beat, bpm is not None and komposition.unit != "seconds")
        self.files = files
        self.frames = 0
        self.lost: Lost = []

    def timeline(self) -> otio.schema.Timeline:
        """All of it, from the lowest track up, then what is heard."""
        document = self.komposition
        main = self.track("main", document.segments, "$.segments", {"main": True})
        layers = sorted(enumerate(document.layers), key=lambda entry: entry[1].z)
        under = [self.layer(at, layer) for at, layer in layers if layer.z < 0]
        over = [self.layer(at, layer) for at, layer in layers if layer.z >= 0]
        sound = [] if document.music is None else [self.music(document.music)]
        for at, track in enumerate(document.audio):
            sound += self.audio(at, track)
        self.lost += [(f"$.{name}", text) for name, text in _DOCUMENT.items() if getattr(document, name)]
        rest = document.model_dump(
            mode="json",
            exclude_none=True,
            exclude_defaults=True,
            exclude={"segments", "layers", "music", "audio"},
        )
        timeline = otio.schema.Timeline(name=document.title, metadata={KEY: {"komposition": rest}})
        timeline.tracks.extend([*under, main, *over, *sound])
        return timeline

    def layer(self, at: int, layer: Layer) -> otio.schema.Track:
        """A layer as a track."""
        place = f"$.layers[{at}]"
        fields = [name for name, usual in _LAYER.items() if getattr(layer, name) != usual]
        fields += [] if layer.box == Layer.model_fields["box"].default else ["box"]
        if fields:
            self.lost.append(
                (place, f"{', '.join(fields)}: other programs lay it over the whole frame as it is")
            )
        rest = layer.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"segments"})
        return self.track(layer.id, layer.segments, f"{place}.segments", {"layer": rest, "index": at})

    def track(
        self, name: str, segments: tuple[Segment, ...], place: str, fields: dict[str, Any]
    ) -> otio.schema.Track:
        """Segments as clips with transitions and gaps between them."""
        track = otio.schema.Track(name=name, kind=otio.schema.TrackKind.Video, metadata={KEY: fields})
        position, at = Fraction(0), 0
        for index, segment in enumerate(segments):
            start = position if segment.start is None else exact(segment.start)
            position = start + exact(segment.duration)
            first, end = self.clock.frame(start), self.clock.frame(position)
            self.pause(track, first - at)
            if segment.transition is not None:
                track.append(self.transition(segment.transition, start, f"{place}[{index}].transition"))
            seconds = self.clock.tempo.seconds(position) - self.clock.tempo.seconds(start)
            track.append(self.clip(segment, first, end - first, seconds, f"{place}[{index}]"))
            at = end
        self.frames = max(self.frames, at)
        return track

    def clip(
        self, segment: Segment, first: int, frames: int, seconds: Fraction, place: str
    ) -> otio.schema.Clip:
        """A segment as a clip; what was written of it is noted, to tell later what was edited."""
        in_point, speed = exact(segment.in_point), Fraction(1)
        clip = otio.schema.Clip(name=segment.id, source_range=self.range(in_point, frames))
        if segment.color is not None:
            clip.media_reference = otio.schema.GeneratorReference(
                name=segment.color, generator_kind=SOLID, parameters={"color": segment.color}
            )
        else:
            clip.media_reference = self.media(segment.source or "", f"{place}.source")
        if segment.fill == "stretch" and segment.source_duration is not None and seconds:
            speed = exact(segment.source_duration) / seconds
            clip.effects.append(otio.schema.LinearTimeWarp(name="stretch", time_scalar=float(speed)))
        elif segment.fill == "freeze" and exact(segment.source_duration or 9) * self.rate <= 1:
            speed = Fraction(0)
            clip.effects.append(otio.schema.FreezeFrame(name="freeze"))
        elif segment.fill not in ("cut", "stretch"):
            self.lost.append((f"{place}.fill", f"{segment.fill!r}: other programs go on in the source"))
        for effect in segment.effects:
            fields = effect.model_dump(mode="json")
            clip.effects.append(
                otio.schema.Effect(
                    name=effect.op, effect_name=effect.op, metadata={KEY: {"effect": fields}}
                )
            )
        unseen = [text for name, text in _SEGMENT.items() if getattr(segment, name) is not None]
        unseen += [f"effect {effect.op}" for effect in segment.effects]
        if unseen:
            self.lost.append((place, f"{', '.join(unseen)}: other programs show it without"))
        written = {
            "in_point": float(in_point),
            "frames": frames,
            "position": first,
            "speed": float(speed),
            "media": media_of(clip),
            "effects": len(segment.effects),
        }
        fields = segment.model_dump(
            mode="json", exclude_none=True, exclude_defaults=True, exclude={"transition"}
        )
        clip.metadata[KEY] = {"segment": fields, "written": written}
        return clip

    def transition(self, transition: Transition, start: Fraction, place: str) -> otio.schema.Transition:
        """How a segment comes in, from its boundary."""
        begins, ends = self.clock.span(start, transition)
        cut, first = self.clock.frame(start), self.clock.nearest(begins)
        last = max(first + 1, self.clock.nearest(ends))
        kind = otio.schema.TransitionTypes.SMPTE_Dissolve
        if transition.type not in _DISSOLVES:
            kind = otio.schema.TransitionTypes.Custom
            self.lost.append((f"{place}.type", f"{transition.type!r}: other programs choose one of theirs"))
        written = [kind, cut - first, last - cut]
        return otio.schema.Transition(
            name=transition.type,
            transition_type=kind,
            in_offset=self.time(Fraction(cut - first)),
            out_offset=self.time(Fraction(last - cut)),
            metadata={
                KEY: {
                    "transition": transition.model_dump(
                        mode="json", exclude_none=True, exclude_defaults=True
                    ),
                    "written": written,
                }
            },
        )

    def music(self, music: Music) -> otio.schema.Track:
        """The music as a track of one clip, as long as the pictures."""
        track = otio.schema.Track(name="music", kind=otio.schema.TrackKind.Audio)
        track.metadata[KEY] = {
            "music": music.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        }
        clip = otio.schema.Clip(name="music", source_range=self.range(exact(music.in_point), self.frames))
        clip.media_reference = self.media(music.source, "$.music.source")
        clip.metadata[KEY] = {"written": {"in_point": music.in_point, "media": media_of(clip)}}
        track.append(clip)
        self.heard(music, "$.music")
        return track

    def audio(self, at: int, audio: AudioTrack) -> list[otio.schema.Track]:
        """A track; clips of it that overlap are put on further ones."""
        rest = audio.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"clips"})
        lanes: list[tuple[otio.schema.Track, int]] = []
        for index, clip in sorted(enumerate(audio.clips), key=lambda entry: (entry[1].start, entry[0])):
            place = f"$.audio[{at}].clips[{index}]"
            self.heard(clip, place)
            first, frames = self.extent(clip)
            lane = next((n for n, (_, end) in enumerate(lanes) if end <= first), len(lanes))
            if lane == len(lanes):
                fields = {"track": rest, "index": at}
                kind = otio.schema.TrackKind.Audio
                lanes.append((otio.schema.Track(name=audio.id, kind=kind, metadata={KEY: fields}), 0))
            track, end = lanes[lane]
            self.pause(track, first - end)
            track.append(self.sound(clip, index, first, frames, place))
            lanes[lane] = track, first + frames
        if audio.gain_db:
            self.lost.append((f"$.audio[{at}].gain_db", "other programs play it as loud as it is"))
        return [track for track, _ in lanes]

    def sound(self, clip: AudioClip, index: int, first: int, frames: int, place: str) -> otio.schema.Clip:
        """A stretch of a track."""
        written = otio.schema.Clip(name=f"clip {index + 1}")
        written.source_range = self.range(exact(clip.in_point), frames)
        written.media_reference = self.media(clip.source, f"{place}.source")
        fields = clip.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        numbers = {
            "in_point": clip.in_point,
            "frames": frames,
            "position": first,
            "media": media_of(written),
        }
        written.metadata[KEY] = {"clip": fields, "index": index, "written": numbers}
        return written

    def extent(self, clip: AudioClip) -> tuple[int, int]:
        """First frame and frames of a stretch of sound; without a duration, up to the last picture."""
        start = exact(clip.start)
        first = self.clock.frame(start)
        end = self.frames if clip.duration is None else self.clock.frame(start + exact(clip.duration))
        return first, max(1, end - first)

    def heard(self, part: Music | AudioClip, place: str) -> None:
        """Note what other programs do not apply to a sound."""
        unheard = [text for name, text in _SOUND.items() if getattr(part, name)]
        if unheard:
            self.lost.append((place, f"{', '.join(unheard)}: other programs play it without"))

    def media(self, reference: str, place: str) -> otio.schema.ExternalReference:
        """A source as a relative URL."""
        path = self.files.get(reference, reference)
        if path.startswith(("komp_", "effect_", "src_")) and "." not in path:
            self.lost.append((place, f"{reference!r} is no file: other programs will ask for it"))
        return otio.schema.ExternalReference(target_url=url_of(path))

    def range(self, start: Fraction, frames: int) -> otio.opentime.TimeRange:
        """`frames` of a source from `start` (seconds) on."""
        return range_of(start, Fraction(frames) / self.rate, self.rate)

    def time(self, frames: Fraction) -> otio.opentime.RationalTime:
        """So many frames."""
        return time_of(frames / self.rate, self.rate)

    def pause(self, track: otio.schema.Track, frames: int) -> None:
        """Leave `frames` of a track empty."""
        if frames > 0:
            track.append(otio.schema.Gap(source_range=self.range(Fraction(0), frames)))


def media_of(clip: otio.schema.Clip) -> str:
    """What a clip shows, in one text."""
    reference = clip.media_reference
    if isinstance(reference, otio.schema.GeneratorReference):
        return f"{reference.generator_kind}:{dict(reference.parameters).get('color', '')}"
    return str(getattr(reference, "target_url", ""))
