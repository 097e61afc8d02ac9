"""Every operation does in a segment what it does in a job, to the frame, and no more is rendered for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media_assets.errors import DocumentError, MediaAssetsError
from media_assets.kompositions.document import load, parse
from media_assets.kompositions.effects import refusal, refusal_of
from media_assets.kompositions.model import references
from media_assets.kompositions.pictures import shown
from media_assets.kompositions.plan import plan
from media_assets.kompositions.render import RenderedKomposition
from media_assets.kompositions.timeline import timeline
from media_assets.media.graph import Stream, Target, arguments
from media_assets.media.info import AudioStream, Kind, MediaInfo, VideoStream
from media_assets.media.probe import probe
from media_assets.media.run import run_ffmpeg
from media_assets.operations.base import PictureOperation, SoundOperation
from media_assets.operations.clip import Clip, Picture, Sound
from media_assets.operations.registry import operation, operations, read_parameters
from media_assets.settings import Settings
from media_assets_tests.clips import Clips, applied, made
from media_assets_tests.kompositions.composing import (
    document,
    numbered,
    numbers,
    path_of,
    planned,
    rendered,
    sounding,
)
from media_assets_tests.making import make, solid
from media_assets_tests.measuring import frequency, loudness, mean_colors, pictures, samples

# What fills a slot, by the first of these kinds that it takes.
_FILLING: dict[Kind, str] = {
    "image": "logo",
    "lut": "teal",
    "subtitle": "words",
    "font": "font",
    "audio": "song",
    "video": "plain",
}
_SECOND = Clip("video", 1.0, Picture(160, 90, Fraction(30)), Sound(48_000, 2))


def _is_taken(name: str) -> bool:
    kind = operation(name)
    if refusal(kind) is not None:
        return False
    parameters = read_parameters(kind, kind.example, "$")
    slots = [Clip("image", None, _SECOND.picture)] * sum(slot.required for slot in kind.takes.slots)
    if any(slot.name == "audio" for slot in kind.takes.slots):
        slots = [_SECOND]
    return refusal_of(kind, parameters, kind.expect([_SECOND, *slots], parameters)) is None


TAKEN = [name for name in operations() if _is_taken(name)]
REFUSED = sorted(set(operations()) - set(TAKEN))
SEEN = [
    name
    for name in TAKEN
    if not isinstance(operation(name), SoundOperation) and name not in ("to_mono", "replace_audio")
]
LOOKS = [name for name in TAKEN if isinstance(operation(name), PictureOperation) or name == "lut"]


def _effect(name: str, clips: Clips) -> dict[str, Any]:
    """The operation as its example shows it, with sources in its slots."""
    kind = operation(name)
    params = dict(kind.example)
    for slot in kind.takes.slots:
        if slot.required:
            filling = next(f for kinds, f in _FILLING.items() if kinds in slot.kinds)
            params[slot.name] = clips[filling].relative
    return {"op": name, "params": params}


def _segment(clips: Clips, *effects: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "source": clips["plain"].relative,
        "in_point": 0.5,
        "duration": 1,
        "effects": [*effects],
        **more,
    }


@pytest.mark.parametrize("name", TAKEN)
def test_a_segment_keeps_its_frames_whatever_its_effect(name: str, clips: Clips) -> None:
    result = rendered(clips.settings, document([_segment(clips, _effect(name, clips))]))
    info = probe(path_of(result), clips.settings)
    assert info.video is not None
    assert (info.video.frames, info.video.width, info.video.height) == (30, 160, 90)
    assert len(pictures(clips.settings, path_of(result))) == 30
    assert info.video.duration == pytest.approx(1, abs=0.001)
    assert len(samples(clips.settings, path_of(result))) == pytest.approx(48_000, abs=1100)
    assert [row.effects for row in result.segments] == [(name,)]


@pytest.mark.parametrize("name", LOOKS)
def test_an_effect_looks_as_it_does_in_a_job(name: str, clips: Clips) -> None:
    settings = clips.settings
    effect = _effect(name, clips)
    slots = {s.name: "slot" for s in operation(name).takes.slots if s.required}
    sources = {"in": clips["plain"]}
    if slots:
        sources["slot"] = clips["teal"]
    cut = {"op": "trim", "params": {"start": 0.5, "duration": 1}}
    look = {"op": name, "params": {**effect["params"], **slots}}
    first, second = (look, cut) if operation(name).opens else (cut, look)
    job = made(
        settings,
        sources,
        {**first, "input": "in", "output": "first"},
        {**second, "input": "first", "output": "second"},
        {"op": "resize", "input": "second", "output": "out", "params": {"width": 160, "height": 90}},
    )["out"]
    here = pictures(settings, path_of(rendered(settings, document([_segment(clips, effect)]))))
    there = pictures(settings, job.path)
    plain = pictures(settings, path_of(rendered(settings, document([_segment(clips)]))))
    if len(there) == 60:  # twice the rate
        there = there[::2]
    assert np.abs(here.astype(int) - there.astype(int)).mean() < 2
    # There is no noise, nothing is interlaced, and colours are those of an ordinary screen already.
    if name not in ("denoise_video", "deinterlace", "tonemap"):
        assert np.abs(here.astype(int) - plain.astype(int)).mean() > 1


@pytest.mark.parametrize("name", SEEN)
def test_a_picture_is_the_same_in_a_transition_and_in_the_body(
    name: str, clips: Clips, tmp_path: Path
) -> None:
    """The segment lies between two transitions, and its last pictures behind its source's end."""
    settings = clips.settings
    plain = {"source": clips["plain"].relative, "duration": 1, "transition": {"duration": 0.2}}
    first = {"source": clips["plain"].relative, "duration": 1}
    middle = _segment(clips, _effect(name, clips), transition={"duration": 0.3}) | {"in_point": 0.9}
    data = document([first, middle, plain])
    compiled, sources = planned(settings, data)
    coming, body, going = (compiled.pieces[index].piece for index in (1, 2, 3))
    main = timeline(parse(data, "t"), {name: facts.info for name, facts in sources.items()}).main
    alone = main.stage.without_alpha(main.stage.shot(main.segments[1], 0, 36))
    wanted = [alone, coming.shots[1], body.shots[0], going.shots[0]]

    def run(stream: Stream) -> Sequence[str]:
        return run_ffmpeg(arguments([Target([stream], None, {})]), settings=settings, log_level="info").log

    targets = []
    for number, shot in enumerate(wanted):
        picture = shown(shot, sources, "#000000", run, tmp_path / str(number))
        targets.append(Target([picture], tmp_path / f"{number}.md5", {"f": "framemd5"}))
    run_ffmpeg(arguments(targets), settings=settings)
    whole, *parts = ([*_hashes(target.path)] for target in targets if target.path)
    assert [len(part) for part in parts] == [9, 21, 6]
    assert [*chain.from_iterable(parts)] == whole


def _hashes(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            yield line.split(",")[-1].strip()


def test_time_runs_over_the_whole_segment(settings: Settings) -> None:
    """Frames show their number: backwards, at twice the speed, and standing still."""
    numbered(settings, "n.mp4")
    segments = [
        {"source": "n.mp4", "in_point": 1, "duration": 1, "effects": [{"op": "reverse"}]},
        {"source": "n.mp4", "in_point": 1, "duration": 1, "effects": [{"op": "speed", "factor": 2}]},
        {"source": "n.mp4", "duration": 1, "effects": [{"op": "freeze", "at": 0.5, "duration": 0.25}]},
    ]
    data = document(segments)
    compiled, _ = planned(settings, data)
    seen = numbers(settings, path_of(rendered(settings, data)))
    assert seen[:30] == [*range(59, 29, -1)]
    assert seen[30:60] == [*range(30, 60, 2), *[58] * 15]
    halted = [*range(16), *[15] * 8]
    assert seen[60:84] == halted
    assert seen[84:] == [*range(16, 22)]
    texts = dict(compiled.warnings)
    assert "0.500 s long: its last picture is held" in texts["$.segments[1].effects"]
    assert "1.267 s long, of which 1.000 s are shown" in texts["$.segments[2].effects"]


def test_a_fade_begins_and_ends_with_the_segment_under_its_transition(settings: Settings) -> None:
    solid(settings, settings.source_root / "white.mp4", "white")
    solid(settings, settings.source_root / "red.mp4", "red")
    fading = {"op": "fade", "params": {"fade_in": 0.5, "fade_out": 0.5}}
    segments = [
        {"source": "white.mp4", "duration": 2, "effects": [fading]},
        {"source": "red.mp4", "duration": 1, "transition": {"duration": 0.5}},
    ]
    seen = mean_colors(settings, path_of(rendered(settings, document(segments))))
    assert seen[0].max() < 10
    assert seen[30].min() > 245
    # White is at its end half a second after the cut, when only red is left of the transition.
    assert seen[59].min() > 245
    assert seen[74][1] < 10
    assert seen[75][0] > 240


def test_effects_come_one_after_the_other(settings: Settings) -> None:
    solid(settings, settings.source_root / "white.mp4", "white")
    tall = {"op": "crop", "width": 40, "height": 90, "x": 0, "y": 0}
    padded = {"op": "pad", "aspect": "16:9", "fill": "#ff0000"}
    for effects, middle, side in (
        ([tall], (255, 255, 255), (0, 0, 0)),
        ([tall, padded], (255, 255, 255), (255, 0, 0)),
    ):
        data = document([{"source": "white.mp4", "duration": 0.5, "effects": effects}])
        shot = pictures(settings, path_of(rendered(settings, data)), 16, 9)[5]
        assert np.abs(shot[4, 7].astype(int) - middle).max() < 12
        assert np.abs(shot[4, 1].astype(int) - side).max() < 12


def test_bars_are_no_part_of_the_picture_that_effects_see(settings: Settings) -> None:
    solid(settings, settings.source_root / "tall.mp4", "white", size="50x90")
    laid = {"op": "pad", "aspect": "16:9", "fill": "#ff0000"}
    for effects, corner, side in (
        ([{"op": "vignette", "intensity": 1}], 40, (0, 0, 0)),
        ([laid], 255, (255, 0, 0)),
        ([{"op": "flip"}], 255, (0, 0, 0)),
    ):
        data = document([{"source": "tall.mp4", "duration": 0.5, "effects": effects}])
        shot = pictures(settings, path_of(rendered(settings, data)), 160, 90)[5].astype(int)
        assert shot[45, 80].min() > 240
        assert shot[2, 59].max() - corner < 12
        assert np.abs(shot[45, 20] - side).max() < 12


def test_tone_mapping_is_chosen_where_the_source_is_opened(clips: Clips) -> None:
    settings = clips.settings
    seen = []
    for curve in ("hable", "clip"):
        effects = [{"op": "tonemap", "curve": curve}]
        data = document([{"source": clips["hdr"].relative, "duration": 0.5, "effects": effects}])
        job = applied(settings, "tonemap", clips["hdr"], curve=curve)
        seen.append(pictures(settings, path_of(rendered(settings, data))).astype(int))
        assert np.abs(seen[-1] - pictures(settings, job.path)[:15].astype(int)).mean() < 2
    assert np.abs(seen[0] - seen[1]).mean() > 5
    effects = [{"op": "flip"}, {"op": "tonemap"}]
    with pytest.raises(DocumentError, match=r"effects\[1\]: tonemap says how .* first effect"):
        parse(document([{"source": "a", "duration": 1, "effects": effects}]), "t")


@pytest.mark.fixtures
def test_any_footage_has_the_form_that_effects_expect(settings: Settings, media_fixtures: Path) -> None:
    """Rotated, anamorphic, odd, transparent, deep and interlaced pictures, each turned and graded."""
    settings.source_root.mkdir(parents=True)
    segments = []
    for number, path in enumerate(sorted((media_fixtures / "video_odd").rglob("*"))):
        try:
            info = probe(path, settings) if path.is_file() else None
        except MediaAssetsError:
            continue
        if info is not None and info.video is not None:
            name = f"{number}{path.suffix}"
            shutil.copyfile(path, settings.source_root / name)
            effects = [{"op": "leica_look"}, {"op": "rotate", "angle": 90}, {"op": "rotate", "angle": -90}]
            segments.append({"source": name, "duration": 0.2, "effects": effects})
    assert len(segments) > 20
    treated = pictures(settings, path_of(rendered(settings, document(segments))))
    plain = [{**segment, "effects": [{"op": "leica_look"}]} for segment in segments]
    straight = pictures(settings, path_of(rendered(settings, document(plain))))
    assert len(treated) == len(straight) == 6 * len(segments)
    assert np.abs(treated.astype(int) - straight.astype(int)).mean(axis=(1, 2, 3)).max() < 4


def _three(settings: Settings) -> dict[str, Any]:
    for name, pitch in (("a", 300), ("b", 600), ("c", 900)):
        sounding(settings, f"{name}.mp4", expression=f"0.2*sin(t*2*PI*{pitch})")
    segments: list[dict[str, Any]] = [
        {"source": f"{name}.mp4", "duration": 1, "effects": []} for name in "abc"
    ]
    segments[1]["transition"] = {"duration": 0.2}
    return document(segments)


def _made(result: RenderedKomposition) -> list[str]:
    """What was not in the store."""
    rows = [*result.segments, *result.transitions, result.sound]
    return [row.id for row in rows if not row.cached]


def test_a_changed_effect_renders_its_segment_and_its_transitions(settings: Settings) -> None:
    data = _three(settings)
    rendered(settings, data)
    for effect in (
        {"op": "vignette", "intensity": 0.5},
        {"op": "vignette", "intensity": 0.7},
        {"op": "text", "text": "hello", "start": 0.2},
        {"op": "film_noir"},
    ):
        data["segments"][2]["effects"] = [effect]
        assert _made(rendered(settings, data)) == ["s3"]
        assert rendered(settings, data).ffmpeg_runs == 0
    data["segments"][0]["effects"] = [{"op": "vignette"}]
    assert _made(rendered(settings, data)) == ["s1", "s1>s2"]


def test_an_effect_on_the_sound_renders_no_picture(settings: Settings) -> None:
    data = _three(settings)
    rendered(settings, data)
    make(settings, settings.source_root / "m.wav", "-f", "lavfi", "-i", "sine=f=1500:d=3")
    data["segments"][1]["effects"] = [{"op": "vignette"}]
    rendered(settings, data)
    for effect in (
        {"op": "volume", "gain": -6},
        {"op": "volume", "gain": -9},
        {"op": "normalize_audio"},
        {"op": "denoise_audio"},
        {"op": "replace_audio", "audio": "m.wav"},
    ):
        data["segments"][1]["effects"] = [{"op": "vignette"}, effect]
        assert _made(rendered(settings, data)) == ["sound"]
    data["segments"][1]["effects"] = [{"op": "vignette"}, {"op": "reverse"}]
    assert _made(rendered(settings, data)) == ["s2", "s1>s2", "sound"]


def test_sound_follows_its_picture(settings: Settings) -> None:
    rising = "0.4*sin(2*PI*if(lt(t\\,1)\\,400\\,800)*t)"
    sounding(settings, "s.mp4", expression=rising)
    segments = [
        {"source": "s.mp4", "duration": 2, "effects": [{"op": "reverse"}]},
        {"source": "s.mp4", "duration": 2, "effects": [{"op": "speed", "factor": 2}]},
        {"source": "s.mp4", "duration": 1, "effects": [{"op": "volume", "gain": -12}]},
        {"source": "s.mp4", "duration": 2, "effects": [{"op": "fade", "fade_in": 1, "fade_out": 0.5}]},
    ]
    sound = samples(settings, path_of(rendered(settings, document(segments))))

    def heard(start: float, end: float) -> Any:
        return sound[round(start * 48_000) : round(end * 48_000)]

    def level(start: float, end: float) -> float:
        return float(np.sqrt(np.mean(heard(start, end) ** 2)))

    assert frequency(heard(0.1, 0.9)) == pytest.approx(800, rel=0.01)
    assert frequency(heard(1.1, 1.9)) == pytest.approx(400, rel=0.01)
    assert frequency(heard(2.1, 2.4)) == pytest.approx(400, rel=0.02)
    assert frequency(heard(2.6, 2.9)) == pytest.approx(800, rel=0.02)
    assert level(3.1, 3.95) < 0.001
    assert 20 * np.log10(level(4.1, 4.9) / level(0.1, 0.9)) == pytest.approx(-12, abs=0.3)
    assert level(5.45, 5.55) / level(0.1, 0.9) == pytest.approx(0.5, abs=0.03)
    assert level(6.97, 7.0) < 0.03


def test_a_silent_segment_is_given_sound_and_one_is_brought_to_a_loudness(settings: Settings) -> None:
    numbered(settings, "n.mp4")
    make(settings, settings.source_root / "m.wav", "-f", "lavfi", "-i", "sine=f=1000:d=4")
    sounding(settings, "quiet.mp4", expression="0.01*sin(t*3000)*(1+sin(t*9))", seconds=4)
    given = {"source": "n.mp4", "duration": 3, "effects": [{"op": "replace_audio", "audio": "m.wav"}]}
    sound = samples(settings, path_of(rendered(settings, document([given]))))
    assert frequency(sound[4800:]) == pytest.approx(1000, rel=0.01)

    effect = {"op": "normalize_audio", "target_lufs": -20}
    data = document([{"source": "quiet.mp4", "duration": 3.5, "effects": [effect]}])
    measured = loudness(settings, path_of(rendered(settings, data)))
    assert measured.integrated == pytest.approx(-20, abs=0.5)


def test_sound_without_a_gain_under_music_is_not_heard_and_a_warning_says_so(settings: Settings) -> None:
    data = _three(settings)
    make(settings, settings.source_root / "m.wav", "-f", "lavfi", "-i", "sine=d=4")
    data["music"] = {"source": "m.wav"}
    data["segments"][1]["effects"] = [{"op": "volume", "gain": -6}]
    compiled, _ = planned(settings, data)
    assert [(place, text.split(":")[0]) for place, text in compiled.warnings] == [
        ("$.segments[1].effects", "volume")
    ]
    data["segments"][1]["gain_db"] = 0
    assert planned(settings, data)[0].warnings == ()


def test_sources_in_slots_are_sources_of_the_komposition(clips: Clips) -> None:
    laid = {"op": "watermark", "overlay_source": clips["logo"].id, "width": 0.3}
    data = document([_segment(clips, _effect("lut", clips), laid)], music={"source": "song.flac"})
    assert references(parse(data, "t")) == ["plain.mp4", "teal.cube", "src_logo_png", "song.flac"]
    sources = {
        "plain.mp4": clips["plain"],
        "teal.cube": clips["teal"],
        "src_logo_png": clips["logo"],
        "song.flac": clips["song"],
    }
    compiled = plan(parse(data, "t"), sources, "9")
    assert compiled.pieces[0].sources == ("src_plain_mp4", "src_teal_cube", "src_logo_png")
    other = replace(clips["teal"], sha256="another")
    again = plan(parse(data, "t"), {**sources, "teal.cube": other}, "9")
    assert again.pieces[0].fingerprint != compiled.pieces[0].fingerprint
    assert again.sound_fingerprint == compiled.sound_fingerprint
    assert compiled.to_json()["effects"] == {"s1": ["lut", "overlay"]}


@dataclass(frozen=True)
class _Facts:
    id: str
    path: Path
    sha256: str
    info: MediaInfo


def _fact(name: str) -> _Facts:
    video = VideoStream(
        0, "h264", 640, 360, pixel_format="yuv420p", fps=Fraction(30), frames=300, duration=10.0
    )
    audio = AudioStream(1, "aac", 48_000, 2, duration=10.0)
    info = MediaInfo("video", "mov,mp4", 1000, 10.0, 1000, (video,), (audio,))
    return _Facts(f"src_{name}", Path(name), name * 8, info)


def test_spellings_of_one_effect_are_one_effect() -> None:
    spellings: list[dict[str, Any]] = [
        {"op": "text", "params": {"text": "x", "start": "500ms"}},
        {"op": "drawtext", "text": "x", "start": 0.5},
        {"op": "title", "text": "x", "params": {"start": "00:00:00.5"}},
    ]
    prints = set()
    for effect in spellings:
        data = document([{"source": "a", "duration": 1, "effects": [effect]}])
        prints.add(plan(parse(data, "t"), {"a": _fact("a")}, "9").fingerprint)
    assert len(prints) == 1


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_segment_afterwards_is_refused_with_its_place(name: str, clips: Clips) -> None:
    data = document([_segment(clips), _segment(clips, {"op": "flip"}, _effect(name, clips))])
    with pytest.raises(DocumentError) as refused:
        parse(data, "t")
    (finding,) = refused.value.findings
    assert finding[0] == "$.segments[1].effects[1]"
    assert name in finding[1]


def test_every_finding_has_its_place_and_line(tmp_path: Path) -> None:
    text = """{"version": 1, "output": {"width": 160, "height": 90},
 "segments": [
  {"source": "a.mp4", "duration": 1,
   "effects": [
    {"op": "film_noire"},
    {"op": "vignette",
     "params": {"intensity": 3}},
    {"op": "vignette",
     "radius": -1},
    {"op": "lut"},
    {"op": "lut", "lut": "/etc/passwd"},
    {"op": "crossfade_transition"},
    {"op": "volume", "gain": -6, "params": {"gain": -6}},
    {"op": "silence_remove"},
    {"params": {}},
    "flip"
   ]}]}"""
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(DocumentError) as refused:
        load(path)
    found = dict(refused.value.findings)
    here = "$.segments[0].effects"
    assert {place: said.split(":")[0] for place, said in found.items()} == {
        f"{here}[0].op": "line 5",
        f"{here}[1].params.intensity": "line 7",
        f"{here}[2].radius": "line 9",
        f"{here}[3]": "line 10",
        f"{here}[4]": "line 11",
        f"{here}[5]": "line 12",
        f"{here}[6]": "line 13",
        f"{here}[7]": "line 14",
        f"{here}[8].op": "line 15",
        f"{here}[9]": "line 16",
    }
    assert "film_noir" in found[f"{here}[0].op"]
    assert "less than or equal to 1" in found[f"{here}[1].params.intensity"]
    assert "'lut'" in found[f"{here}[3]"]
    assert "source folder" in found[f"{here}[4]"]
    assert "takes 2 clips" in found[f"{here}[5]"]
    assert "stands both" in found[f"{here}[6]"]
    assert "how long" in found[f"{here}[7]"]


def test_what_does_not_fit_its_sources_is_refused_with_its_place(clips: Clips) -> None:
    def findings(*effects: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
        names = ("plain.mp4", "silent.mp4", "teal.cube", "logo.png", "words.srt")
        facts = [clips[name.split(".")[0]] for name in names]
        with pytest.raises(DocumentError) as refused:
            data = document([_segment(clips), {**_segment(clips, *effects), **more}])
            plan(parse(data, "t"), dict(zip(names, facts, strict=True)), "9")
        return list(refused.value.findings)

    for effect, said in (
        ({"op": "lut", "lut": "none.cube"}, "there is no source 'none.cube'"),
        ({"op": "lut", "lut": "logo.png"}, "takes lut as lut, not image"),
        ({"op": "overlay", "overlay": "teal.cube"}, "not lut"),
        ({"op": "replace_audio", "audio": "silent.mp4"}, "needs sound as audio"),
        ({"op": "fade", "fade_in": 0.8, "fade_out": 0.8}, "the fades take 1.6 s"),
        ({"op": "text", "text": "late", "start": 2}, "after the clip's end"),
        ({"op": "subtitles", "subtitles": "words.srt", "mode": "stream"}, "no stream of subtitles"),
    ):
        ((place, text),) = findings({"op": "flip"}, effect)
        assert place == "$.segments[1].effects[1]"
        assert said in text
    ((_, text),) = findings({"op": "volume", "gain": 3}, source="silent.mp4")
    assert "volume needs sound" in text
