"""What documents say about music and about the sound of their segments."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from media_assets.kompositions.dialects.drafts import Draft, Score
from media_assets.kompositions.dialects.reading import Member, plain
from media_assets.kompositions.dialects.sources import Sources
from media_assets.planning.positions import Place

_SILENCE = -96.0
_LOUDEST = 24.0
_MUSIC = (
    "backgroundMusic",
    "background_music",
    "musicFile",
    "musicTrack",
    "music",
    "file_id",
    "track",
    "file",
)
_VOLUME = ("musicVolume", "music_volume", "backgroundMusicVolume", "volume")
_OFFSET = ("musicStartOffset", "music_start_offset", "startOffset", "start_offset", "offset")
_FADE_IN = ("fadeIn", "fade_in", "musicFadeIn")
_FADE_OUT = ("fadeOut", "fade_out", "musicFadeOut")
_INNER = ("source", "sourceRef", "file", "path", "filename", "url", "id")


def decibels(volume: Fraction, member: Member) -> float:
    """A volume, of which 1 leaves things as they are, in decibels; more than 10 is per cent."""
    if volume > 10:
        member.warn(f"a volume of {float(volume):g} is taken for per cent")
        volume /= 100
    if volume <= 0:
        return _SILENCE
    return max(_SILENCE, min(_LOUDEST, round(20 * math.log10(volume), 2)))


def read_music(score: Score, member: Member | None, sources: Sources) -> None:
    """Music under the whole, from an object such as `globalAudio`."""
    if member is None:
        return
    if isinstance(member.value, str):
        _set_music(score, member, sources.file(member.value, member), {})
        return
    if member.flag("enabled") is False:
        score.reading.whole.add(member.place)
        return
    member.describe("type", "mixingStrategy", "description")
    given = member.get(*_MUSIC)
    if given is None:
        return
    inner = given if isinstance(given.value, dict) else member
    named = inner.get(*_INNER) if inner is given else given
    if named is None or not isinstance(named.value, str):
        given.fail("names no file")
        return
    holders = (inner, member) if inner is given else (member,)
    settings: dict[str, Any] = {}
    for name, names in (("in_point", _OFFSET), ("fade_in", _FADE_IN), ("fade_out", _FADE_OUT)):
        value = _first(holders, names)
        if value:
            settings[name] = plain(max(Fraction(0), value))
    if settings.get("in_point"):
        (given if inner is given else member).warn(
            f"the music begins {float(settings['in_point']):g} s into its file"
        )
    volume = _first(holders, _VOLUME)
    if volume is not None:
        settings["gain_db"] = decibels(volume, member)
    if any(holder.flag("loop") for holder in holders):
        settings["loop"] = True
    file, span = sources.file(named.value, named), _span(score, member)
    if span is None or file is None:
        _set_music(score, named, file, settings)
        return
    gain = settings.pop("gain_db", 0.0)
    clip = {"source": file, **settings, "start": plain(span[0]), "duration": plain(span[1] - span[0])}
    score.reading.origins[("audio", len(score.audio))] = member.place
    identifier = f"music{len(score.audio) + 1}"
    score.audio.append({"id": identifier, "role": "music", "gain_db": gain, "clips": [clip]})


def _span(score: Score, member: Member) -> tuple[Fraction, Fraction] | None:
    """From where to where music is heard; None where that is the whole."""
    names = ("Beat", "Time") if score.clock.unit == "beats" else ("Time", "Beat")
    begin, end = member.number(f"start{names[0]}"), member.number(f"end{names[0]}")
    whole = max((draft.end for draft in score.drafts), default=Fraction(0))
    begin, end = begin or Fraction(0), whole if end is None else end
    return None if (begin <= 0 and end >= whole) or end <= begin else (begin, end)


def _first(holders: tuple[Member, ...], names: tuple[str, ...]) -> Fraction | None:
    for holder in holders:
        if holder.has(*names):
            return holder.number(*names)
    return None


def tell_silence(score: Score) -> None:
    """Say that segments are silent under music, where they do not say what becomes of their sound.

    Where music is only under a part of the whole, segments away from it are heard.
    """
    quiet = [draft for draft in score.drafts if draft.gain_db is None and draft.speech is None]
    places = [] if score.music is None else [score.reading.origins[("music",)]]
    if score.music is None:
        under = {id(draft): _music_under(draft, score) for draft in quiet}
        places = [place for found in under.values() for place in found]
        if any(track["role"] == "music" for track in score.audio):
            for draft in quiet:
                draft.gain_db = None if under[id(draft)] else 0.0
    for place in dict.fromkeys(places if quiet else []):
        score.reading.warn(place, "under it the sound of segments that do not say otherwise is silent")


def _music_under(draft: Draft, score: Score) -> list[Place]:
    """Where the document names the tracks of music that are heard during a segment."""
    return [
        score.reading.origins[("audio", index)]
        for index, track in enumerate(score.audio)
        if track["role"] == "music"
        and any(
            clip["start"] < draft.end and draft.start < clip["start"] + clip["duration"]
            for clip in track["clips"]
        )
    ]


def _set_music(score: Score, member: Member, file: str | None, settings: dict[str, Any]) -> None:
    if file is None:
        member.warn("names no file: there is no music")
    elif score.music is not None and score.music["source"] != file:
        member.warn(f"there is music already, {score.music['source']!r}: this one is left out")
    else:
        score.music = {"source": file, **settings}
        score.reading.origins[("music",)] = member.place


def lone_sound(score: Score, sources: Sources) -> None:
    """Sound that no segment has is the music under the whole."""
    for source in sources.unused_sound():
        sources.asked.add(source.id)
        if score.music is None:
            source.member.warn("no segment has this sound: it is the music under the whole")
        _set_music(score, source.member, source.file or source.id, {})


def read_segment_sound(draft: Draft, member: Member, score: Score, sources: Sources) -> None:
    """What a segment says of its own sound: `audioSettings` and `speechOverlay`."""
    settings = member.get("audioSettings", "audio_settings")
    if settings is not None:
        _settings(draft, settings, score)
    overlay = member.get("speechOverlay", "speech_overlay")
    if overlay is not None and overlay.flag("enabled") is not False:
        _speech(draft, overlay, score, sources)


def _settings(draft: Draft, settings: Member, score: Score) -> None:
    removed = settings.flag("removeOriginalAudio", "muteOriginal") or settings.flag("musicOnly")
    settings.describe("musicOnly")
    kept, mixed = settings.flag("keepOriginalAudio"), settings.flag("mixWithMusic")
    volume = settings.number("speechVolume", "originalVolume", "volume")
    lowered = settings.number("musicVolume")
    if removed and not kept:
        draft.gain_db = _SILENCE
        return
    if kept or mixed or volume is not None:
        draft.gain_db = 0.0 if volume is None else decibels(volume, settings)
    if lowered is not None:
        end = draft.in_point + draft.length * score.clock.seconds
        draft.speech = {"ranges": [{"start": plain(draft.in_point), "end": plain(end)}]}
        _duck(score, lowered, settings)


def _speech(draft: Draft, overlay: Member, score: Score, sources: Sources) -> None:
    volume, music = overlay.number("speechVolume"), overlay.get("backgroundMusic")
    lowered = overlay.number("musicVolume")
    if volume is not None:
        draft.gain_db = decibels(volume, overlay)
    draft.speech = {}
    ranges = []
    for said in overlay.listed("speechSegments"):
        said.describe("quality", "duration", "text", "confidence")
        start, end = said.number("start_time", "start"), said.number("end_time", "end")
        if start is not None and end is not None:
            ranges.append({"start": plain(start), "end": plain(end)})
    if ranges:
        draft.speech = {"ranges": ranges}
    file = sources.file(str(music.value), music) if music else None
    if score.music is not None:
        if music is not None and file != score.music["source"]:
            music.warn(f"there is music already, {score.music['source']!r}: this one is left out")
        if lowered is not None:
            _duck(score, lowered, overlay)
    elif file is not None and music is not None:
        score.audio.append(_bed(draft, file, 0.0 if lowered is None else decibels(lowered, overlay), score))
        score.reading.origins[("audio", len(score.audio) - 1)] = music.place
        music.warn("is heard during this segment only: there is no music of the whole")


def _bed(draft: Draft, file: str, gain_db: float, score: Score) -> dict[str, Any]:
    """Music under one segment, as low as it is to be under speech."""
    clip = {"source": file, "start": plain(draft.start), "duration": plain(draft.length)}
    identifier = f"music{len(score.audio) + 1}"
    return {"id": identifier, "role": "music", "gain_db": gain_db, "duck_db": 0, "clips": [clip]}


def _duck(score: Score, lowered: Fraction, member: Member) -> None:
    """Lower the music under speech to a volume; the lowest that any segment asks for counts."""
    if score.music is None:
        member.warn("there is no music to lower")
        return
    gain = float(score.music.get("gain_db", 0.0))
    amount = min(60.0, max(0.0, round(gain - decibels(lowered, member), 2)))
    before = score.music.get("duck_db")
    if before is not None and before != amount:
        member.warn("music is lowered as far as the lowest of the segments says, in all of them")
    score.music["duck_db"] = max(amount, before or 0.0)
