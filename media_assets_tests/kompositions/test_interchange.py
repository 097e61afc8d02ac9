"""OpenTimelineIO: what is written and read again is equal, edits made elsewhere count, losses are told."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimelineio.opentime import RationalTime, TimeRange

from media_assets.errors import BadInput, DocumentError
from media_assets.kompositions.document import parse
from media_assets.kompositions.interchange import from_otio, to_otio
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.otio_values import exact_rate
from media_assets.kompositions.tempo import Tempo
from media_assets_tests.kompositions.composing import document

_NUMBERS = st.integers(0, 400).map(lambda n: n / 7)
_LENGTHS = st.sampled_from([0.5, 1, 1.3, 2, 4, 7.25])
_SOURCES = st.sampled_from(["a.mp4", "in/b c.mp4", "what+&=?.mov", "100%25.mp4", "ü#1.png", "src_city_mp4"])
_EFFECTS = st.lists(
    st.sampled_from(
        [
            {"op": "film_noir", "params": {"contrast": 1.2}},
            {"op": "fade_in", "params": {"duration": 1}},
            {"op": "overlay", "params": {"overlay": "logo.png", "width": 0.15}},
        ]
    ),
    max_size=2,
)


@st.composite
def _segments(draw: st.DrawFn, prefix: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        length = float(draw(_LENGTHS))
        segment: dict[str, Any] = {"id": f"{prefix}{number}", "duration": length}
        if draw(st.booleans()):
            segment |= {"source": draw(_SOURCES), "in_point": draw(_NUMBERS)}
            segment |= draw(
                st.sampled_from(
                    [
                        {},
                        {"fill": "stretch", "source_duration": length * 1.7},
                        {"fill": "loop", "source_duration": 0.4},
                        {"fill": "freeze", "source_duration": 0.01},
                        {"speech": {"ranges": [{"start": 0.25, "end": 1.5}]}, "gain_db": -3.5},
                        {"view": {"end": {"zoom": 2}}, "fit": "smart"},
                    ]
                )
            )
        else:
            segment["color"] = draw(st.sampled_from(["red", "#10203040"]))
        segment["effects"] = draw(_EFFECTS)
        if number and draw(st.booleans()):
            share = draw(st.sampled_from([0.0, 0.5, 1.0]))
            longest = min(length, found[-1]["duration"]) / 4
            segment["transition"] = {
                "type": draw(st.sampled_from(["crossfade", "wipeleft"])),
                "duration": longest,
                "offset": -share * longest,
            }
        elif number and draw(st.booleans()):
            segment["start"] = sum(s["duration"] for s in found) + 100.0 * number
            for earlier in found:
                earlier.pop("start", None)
        found.append(segment)
    return found


@st.composite
def _kompositions(draw: st.DrawFn) -> Komposition:
    data: dict[str, Any] = {
        "version": 1,
        "title": draw(st.sampled_from(["", "A title: “ü”"])),
        "bpm": draw(st.sampled_from([None, 120, 128.5])),
        "output": {"width": 640, "height": 360, "fps": draw(st.sampled_from([24, 29.97, "50", 59.94]))},
        "segments": draw(_segments("s")),
        "loudness": draw(st.sampled_from([None, {"target_lufs": -16}])),
    }
    layers = draw(st.lists(st.sampled_from([-2, -1, 0, 1, 1, 5]), max_size=3))
    data["layers"] = [
        {"id": f"layer{n}", "z": z, "opacity": 0.5, "segments": draw(_segments(f"l{n}-"))}
        for n, z in enumerate(layers)
    ]
    if draw(st.booleans()):
        data["music"] = {"source": "m.wav", "in_point": draw(_NUMBERS), "fade_out": 2, "duck_db": 6}
    clips = st.fixed_dictionaries(
        {"source": _SOURCES, "start": _NUMBERS},
        optional={"duration": _LENGTHS.map(float), "in_point": _NUMBERS, "loop": st.booleans()},
    )
    tracks = draw(st.lists(st.lists(clips, min_size=1, max_size=3), max_size=2))
    data["audio"] = [{"id": f"t{n}", "role": "voice", "clips": track} for n, track in enumerate(tracks)]
    return parse({name: value for name, value in data.items() if value is not None}, "made.json")


@given(komposition=_kompositions())
@settings(max_examples=60, deadline=None)
def test_what_is_written_and_read_again_is_equal(komposition: Komposition) -> None:
    text, _ = to_otio(komposition)
    again, values, lost = from_otio(text, "again.otio")
    assert again == komposition
    assert values == komposition.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    assert lost == []


def _written(data: dict[str, Any]) -> otio.schema.Timeline:
    text, _ = to_otio(parse(data, "here"))
    return otio.core.deserialize_json_from_string(text)


def _read(timeline: otio.schema.Timeline, **more: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    text = otio.core.serialize_json_to_string(timeline, {}, -1)
    komposition, _, lost = from_otio(text, "edited.otio", **more)
    return komposition.model_dump(mode="json", exclude_none=True), lost


def test_cuts_are_on_the_frames_of_the_beats() -> None:
    beats = [{"id": f"s{n}", "source": "a.mp4", "duration": 1} for n in range(1, 200)]
    timeline = _written(document(beats, bpm=121, output={"width": 640, "height": 360, "fps": 29.97}))
    (track,) = timeline.video_tracks()
    rate, position = Fraction(30000, 1001), 0
    for number, clip in enumerate(track, 1):
        assert exact_rate(clip.source_range.duration.rate) == rate
        assert clip.source_range.duration.value == int(clip.source_range.duration.value)
        position += int(clip.source_range.duration.value)
        assert abs(position - number * Fraction(60, 121) * rate) <= Fraction(1, 2)


def test_transitions_gaps_speeds_and_layers_are_what_other_programs_know() -> None:
    timeline = _written(
        document(
            [
                {"source": "a b.mp4", "in_point": 0.5, "duration": 2},
                {"source": "b.mp4", "duration": 2, "transition": {"duration": 1, "offset": -0.5}},
                {"source": "c.mp4", "start": 6, "duration": 2, "fill": "stretch", "source_duration": 3},
                {"color": "red", "duration": 1},
            ],
            layers=[
                {"id": "over", "z": 1, "segments": [{"source": "logo.png", "start": 1, "duration": 1}]},
                {"id": "under", "z": -1, "segments": [{"source": "sky.png", "duration": 9}]},
            ],
            music={"source": "m.wav", "in_point": 3},
        )
    )
    assert [(track.name, track.kind) for track in timeline.tracks] == [
        ("under", "Video"),
        ("main", "Video"),
        ("over", "Video"),
        ("music", "Audio"),
    ]
    first, crossfade, second, gap, slow, red = timeline.tracks[1]
    assert first.media_reference.target_url == "a%20b.mp4"
    assert first.source_range == TimeRange(RationalTime(15, 30), RationalTime(60, 30))
    assert crossfade.transition_type == "SMPTE_Dissolve"
    assert (crossfade.in_offset.value, crossfade.out_offset.value) == (15, 15)
    assert second.source_range.start_time.value == 0
    assert gap.duration() == RationalTime(60, 30)
    assert slow.effects[0].time_scalar == 1.5
    assert red.media_reference.generator_kind == "SolidColor"
    assert timeline.tracks[2][0].duration().value == 30
    assert timeline.tracks[3][0].source_range == TimeRange(RationalTime(90, 30), RationalTime(270, 30))


def test_what_was_edited_elsewhere_is_read_and_the_rest_is_as_it_was() -> None:
    effects = [{"op": "film_noir", "params": {"contrast": 1.2}}, {"op": "vignette"}]
    names = ("a", "b", "c", "d")
    segments = [{"id": name, "source": f"{name}.mp4", "duration": 2, "in_point": 1 / 3} for name in names]
    segments[0] |= {"effects": effects}
    segments[1] |= {"gain_db": -6}
    segments[2] |= {"transition": {"type": "wipeleft", "duration": 1}}
    timeline = _written(document(segments, bpm=120))
    (track,) = timeline.video_tracks()
    a, b, transition, _, d = list(track)
    a.source_range = TimeRange(a.source_range.start_time, RationalTime(45, 30))
    del a.effects[0]
    b.media_reference = otio.schema.ExternalReference("file:///else/new%20one.mp4")
    transition.out_offset = RationalTime(10, 30)
    copy = d.deepcopy()
    track.append(copy)
    d.effects.append(otio.schema.LinearTimeWarp(time_scalar=2))
    values, lost = _read(timeline)
    read = values["segments"]
    assert [segment["id"] for segment in read] == ["a", "b", "c", "d", "d-2"]
    assert read[0]["duration"] == 3  # beats, of half a second each
    assert read[0]["in_point"] == 1 / 3
    assert [effect["op"] for effect in read[0]["effects"]] == ["vignette"]
    assert (read[1]["source"], read[1]["gain_db"]) == ("new one.mp4", -6)
    assert read[2]["transition"]["type"] == "wipeleft"
    assert read[2]["transition"]["unit"] == "seconds"
    assert read[2]["transition"]["duration"] == pytest.approx(1 / 3)
    assert (read[3]["fill"], read[3]["source_duration"], read[3]["duration"]) == ("stretch", 2, 2)
    assert read[4]["fill"] == "cut"
    assert all("start" not in segment for segment in read)
    assert lost == [
        ("track 'main', item 2 'b'", "its media are elsewhere: put 'new one.mp4' into the source folder")
    ]


def _foreign() -> otio.schema.Timeline:
    """What an editing program writes: time code from one hour, sound on a track, things we have not."""
    rate, hour = 25, 3600 * 25

    def clip(name: str, start: int, frames: int, url: str) -> otio.schema.Clip:
        available = TimeRange(RationalTime(hour, rate), RationalTime(500, rate))
        reference = otio.schema.ExternalReference(url, available)
        return otio.schema.Clip(
            name, reference, TimeRange(RationalTime(hour + start, rate), RationalTime(frames, rate))
        )

    def dissolve(into: int, out: int) -> otio.schema.Transition:
        times = RationalTime(into, rate), RationalTime(out, rate)
        return otio.schema.Transition("", "SMPTE_Dissolve", *times)

    timeline = otio.schema.Timeline("Holiday", global_start_time=RationalTime(hour, rate))
    video = otio.schema.Track("V1", kind="Video")
    frozen = clip("still", 50, 25, "a.mp4")
    frozen.effects.append(otio.schema.FreezeFrame())
    frozen.effects.append(otio.schema.Effect(effect_name="Glow"))
    frozen.markers.append(otio.schema.Marker("look here"))
    backwards = clip("back", 0, 50, "https://example.org/x/b.mp4?sig=1")
    backwards.effects.append(otio.schema.LinearTimeWarp(time_scalar=-2))
    off = clip("off", 0, 25, "a.mp4")
    off.enabled = False
    gap = otio.schema.Gap(source_range=TimeRange(RationalTime(0, rate), RationalTime(25, rate)))
    video.extend([dissolve(0, 10), clip("My clip!", 10, 100, "file:///media/a.mp4")])
    video.extend(
        [dissolve(5, 5), clip("two", 30, 50, "b.mp4"), dissolve(12, 0), gap, frozen, off, backwards]
    )
    sound = otio.schema.Track("A1", kind="Audio")
    sound.append(clip("My clip!", 10, 100, "file:///media/a.mp4"))
    title = otio.schema.Track("V2", kind="Video")
    title.append(
        otio.schema.Clip("bars", otio.schema.GeneratorReference("", "SMPTEBars"), frozen.source_range)
    )
    title.append(otio.schema.Stack("nested", [clip("in", 0, 5, "a.mp4")]))
    timeline.tracks.extend([video, title, sound])
    timeline.metadata["editor"] = {"version": 3}
    return timeline


def test_a_timeline_of_another_program_becomes_a_document() -> None:
    values, lost = _read(_foreign(), size=(1280, 720))
    assert (values["title"], values["output"]["fps"], values["output"]["width"]) == ("Holiday", "25", 1280)
    one, two, still, back = values["segments"]
    assert (one["id"], one["source"], one["in_point"], one["duration"]) == ("My-clip", "a.mp4", 0.4, 4)
    assert one["effects"] == [{"op": "fade_in", "params": {"duration": 0.4}}]
    assert two["transition"] == {"type": "crossfade", "duration": 0.4, "offset": -0.2, "unit": "seconds"}
    assert two["effects"] == [{"op": "fade_out", "params": {"duration": 0.48}}]
    assert (still["start"], still["fill"], still["in_point"]) == (7, "freeze", 2)
    assert (back["start"], back["source"], back["effects"]) == (
        9,
        "b.mp4",
        [{"op": "reverse", "params": {}}],
    )
    assert (back["fill"], back["source_duration"]) == ("stretch", 4)
    assert values["layers"][0]["id"] == "V2"
    assert values["layers"][0]["segments"][0]["color"] == "#000000"
    assert values["audio"][0]["clips"] == [
        {"source": "a.mp4", "in_point": 0.4, "start": 0, "duration": 4, "gain_db": 0}
        | {"fade_in": 0, "fade_out": 0, "loop": False}
    ]
    assert all(segment["gain_db"] == -96 for segment in values["segments"])
    told = " ".join(f"{place}: {text}" for place, text in lost)
    for words in (
        "Glow",
        "look here",
        "turned off and left out",
        "Stack",
        "SMPTEBars",
        "'b.mp4'",
        "editor",
    ):
        assert words in told
    for words in ("time code", "sound of the clips"):
        assert words in told


def test_what_is_no_timeline_is_refused() -> None:
    for text in (
        "",
        "{",
        "[1]",
        '{"OTIO_SCHEMA": "Clip.2"}',
        "[" * 100_000,
        '{"x": NaN}',
        '{"OTIO_SCHEMA": 3}',
    ):
        with pytest.raises(BadInput):
            from_otio(text, "bad.otio")
    with pytest.raises(BadInput, match="no clips"):
        _read(otio.schema.Timeline("empty"))


def test_broken_fields_of_ours_count_as_none() -> None:
    timeline = _written(document([{"id": "a", "source": "a.mp4", "duration": 2, "gain_db": -6}]))
    text = otio.core.serialize_json_to_string(timeline, {}, -1)
    values = json.loads(text)
    values["metadata"]["media_assets"] = {"komposition": {"bpm": "quick"}}
    clip = values["tracks"]["children"][0]["children"][0]
    clip["metadata"]["media_assets"] = {"segment": {"duration": -1}, "written": [3]}
    read, _, _ = from_otio(json.dumps(values), "bad.otio")
    assert read.segments[0].source == "a.mp4"
    assert read.output.fps == "30"
    clip["media_references"]["DEFAULT_MEDIA"]["target_url"] = ""
    clip["name"] = "/etc/passwd"
    assert from_otio(json.dumps(values), "bad.otio")[1]["segments"][0]["source"] == "passwd"


def test_a_document_that_does_not_hold_is_refused_with_its_places() -> None:
    timeline = _foreign()
    timeline.tracks[0][3].source_range = TimeRange(RationalTime(90_000, 25), RationalTime(2, 25))
    with pytest.raises(DocumentError, match="transition"):
        _read(timeline)


def test_beats_of_music_are_needed_where_the_document_counts_them() -> None:
    komposition = parse(
        document(
            [{"source": "a.mp4", "duration": 2}] * 2, bpm="auto", snap=True, music={"source": "m.wav"}
        ),
        "x",
    )
    with pytest.raises(BadInput, match="bpm"):
        to_otio(komposition)
    text, lost = to_otio(komposition, Tempo(Fraction(1, 2), tuple(Fraction(n, 2) for n in range(9))))
    assert from_otio(text, "x.otio")[0] == komposition
    timeline = otio.core.deserialize_json_from_string(text)
    clip = timeline.tracks[0][0]
    clip.source_range = TimeRange(clip.source_range.start_time, RationalTime(9, 30))
    values, lost = _read(timeline)
    assert values["segments"][0]["duration"] == 2
    assert "only the music tells" in lost[0][1]
