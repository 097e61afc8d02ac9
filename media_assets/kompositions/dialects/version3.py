"""Reads version 3: `{version, meta, layers[{z, role, blend, clips}], audio_tracks}`, in milliseconds.

The lowest layer holds the main segments. A clip whose two ranges differ in length is stretched.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, get_args

from media_assets.kompositions.dialects.drafts import SECONDS, Draft, Ids, Score, canonical_segments
from media_assets.kompositions.dialects.effects import effect_name, read_effect
from media_assets.kompositions.dialects.heads import read_bpm, read_meter, read_names, read_output
from media_assets.kompositions.dialects.placing import compare_end, ordered
from media_assets.kompositions.dialects.reading import Member, plain
from media_assets.kompositions.dialects.segments import identify, stretch
from media_assets.kompositions.dialects.sound import tell_silence
from media_assets.kompositions.dialects.sources import Sources, read_sources
from media_assets.kompositions.segments import Blend

_BLENDS = {
    "replace": "normal",
    "alpha_over": "normal",
    "over": "normal",
    "alpha": "normal",
    "add": "addition",
}
_ROLES = {"music": "music", "voice": "voice", "speech": "voice", "dialogue": "voice", "narration": "voice"}
_SOURCE = ("source_id", "source", "sourceid", "file")


def read(root: Member) -> dict[str, Any]:
    """A document in its canonical form; what is wrong with it is noted."""
    head: dict[str, Any] = {}
    meta = root.object("meta")
    read_names(head, [meta, root])
    root.describe("version", "id", "_id")
    read_bpm(head, meta.get("bpm"))
    read_meter(head, meta.get("meter"))
    read_output(head, [meta], root)
    sources = read_sources(root.get("sources"))
    score = Score(root.reading, SECONDS, head)
    layers = [_layer(member, index, sources) for index, member in enumerate(root.listed("layers"))]
    layers = sorted((layer for layer in layers if layer[2]), key=lambda layer: layer[0])
    if not layers:
        root.fail("has no clips in its layers: there is nothing to see")
    if root.reading.errors:
        return {}
    lowest, base, drafts = layers[0]
    score.drafts = ordered(drafts, SECONDS)
    upper = [(z, member, ordered(held, SECONDS, "what lies below")) for z, member, held in layers[1:]]
    _base(base, lowest)
    every = [*score.drafts, *(draft for _, _, held in upper for draft in held)]
    _ends(score, meta, every)
    tracks = [t for n, m in enumerate(root.listed("audio_tracks")) if (t := _track(m, n, sources, score))]
    score.audio = [track for track in tracks if track]
    tell_silence(score)
    document = score.canonical()
    if upper:
        document["layers"] = [
            _canonical(n, z - lowest, member, held) for n, (z, member, held) in enumerate(upper)
        ]
    if sources.listed:
        sources.tell_unused()
    return document


def _layer(member: Member, index: int, sources: Sources) -> tuple[int, Member, list[Draft]]:
    z = member.number("z")
    drafts = [d for clip in member.listed("clips") if (d := _clip(clip, sources)) is not None]
    return int(z) if z is not None else index, member, drafts


def _clip(member: Member, sources: Sources) -> Draft | None:
    name, reference = identify(member), member.get(*_SOURCE)
    if reference is None or not isinstance(reference.value, str):
        member.fail("does not say which source it shows")
        return None
    file = sources.file(reference.value, reference)
    there = _range(member, "timeline_range")
    if file is None or there is None:
        if there is None:
            member.fail("has no timeline_range that lasts")
        return None
    draft = Draft(name, member, there[0], there[0] + there[1], file)
    taken = _range(member, "source_range")
    if taken is not None:
        draft.in_point = taken[0]
        if abs(taken[1] - there[1]) > Fraction(1, 1000):
            member.warn(
                f"{float(taken[1]):g} s of the source fill {float(there[1]):g} s: they are stretched"
            )
            stretch(draft, taken[1], there[1])
    for item in member.listed("effects"):
        effect = read_effect(effect_name(item), item, SECONDS)
        if effect is not None:
            draft.effects.append(effect)
    return draft


def _range(member: Member, name: str) -> tuple[Fraction, Fraction] | None:
    """Start and length in seconds."""
    written = member.object(name)
    start, length = written.number("start_ms"), written.number("duration_ms")
    if length is None or length <= 0:
        return None
    return max(Fraction(0), start or Fraction(0)) / 1000, length / 1000


def _base(member: Member, z: int) -> None:
    """The lowest layer lies on nothing: how it is blended makes no difference."""
    member.describe("role", "name")
    blend = member.text("blend")
    if blend and _BLENDS.get(blend, blend) != "normal":
        member.warn(f"is the lowest layer: there is nothing that it could be blended with by {blend!r}")
    if z:
        member.warn(f"is the lowest layer, at {z}: it holds the main segments, at 0")


def _canonical(index: int, z: int, member: Member, drafts: list[Draft]) -> dict[str, Any]:
    role, blend = member.text("role"), member.text("blend")
    known = _BLENDS.get(blend, blend)
    for draft in drafts:
        draft.keep_start = True
    identifier = f"layer{index + 1}"
    member.reading.origins[("layers", index)] = member.place
    layer: dict[str, Any] = {"id": identifier, "z": z, "role": role[:80]}
    if known and known not in get_args(Blend):
        member.warn(f"there is no blend {blend!r}: it is laid over as it is")
    elif known and known != "normal":
        layer["blend"] = known
    opacity = member.number("opacity")
    if opacity is not None:
        layer["opacity"] = plain(opacity)
    place = ("layers", index, "segments")
    segments = canonical_segments(drafts, place, member.reading, Ids())
    for number, segment in enumerate(segments, 1):
        segment["id"] = f"{identifier}-{number}"
    return layer | {"segments": segments}


def _track(member: Member, index: int, sources: Sources, score: Score) -> dict[str, Any] | None:
    role = member.text("role", "name").lower()
    gain = member.number("gain_db")
    clips = []
    for clip in member.listed("clips"):
        reference, there = clip.get(*_SOURCE), _range(clip, "timeline_range")
        identify(clip)
        if reference is None or there is None:
            clip.fail("needs a source and a timeline_range")
            continue
        file = sources.file(str(reference.value), reference)
        if file is None:
            continue
        made: dict[str, Any] = {"source": file, "start": plain(there[0]), "duration": plain(there[1])}
        taken = _range(clip, "source_range")
        if taken is not None and taken[0]:
            made["in_point"] = plain(taken[0])
        if taken is not None and abs(taken[1] - there[1]) > Fraction(1, 1000):
            clip.warn("sound is not stretched: as much is heard as fills the time")
        own = clip.number("gain_db")
        clips.append(made if own is None else made | {"gain_db": plain(own)})
    if not clips:
        return None
    track: dict[str, Any] = {"id": Ids().of(f"{role or 'track'}{index + 1}", index), "clips": clips}
    track["role"] = _ROLES.get(role, "sound")
    score.reading.origins[("audio", index)] = member.place
    return track if gain is None else track | {"gain_db": plain(gain)}


def _ends(score: Score, meta: Member, drafts: list[Draft]) -> None:
    stated = meta.get("duration_ms")
    if stated is not None and stated.as_number():
        seconds = Member(float((stated.as_number() or 0) / 1000), stated.place, stated.reading)
        whole = Score(score.reading, SECONDS, {}, drafts)
        compare_end(whole, seconds, in_seconds=True)
