"""A first document from music and clips: it holds, asks for what is there, and is cut on beats."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from media_assets.cli import app
from media_assets.errors import BadInput, NotMedia
from media_assets.kompositions.choosing import Clip, best_part
from media_assets.kompositions.cutting import Style, slots
from media_assets.kompositions.document import load, parse
from media_assets.kompositions.listening import resolved
from media_assets.kompositions.plan import plan
from media_assets.kompositions.proposing import Heard, Wishes, propose
from media_assets.media.analysis.beats import Beats, NoBeat
from media_assets.media.analysis.picture import PictureContent
from media_assets.media.analysis.sound import SoundContent
from media_assets.media.info import AudioStream, MediaInfo, VideoStream
from media_assets.settings import Settings
from media_assets.store.scan import Stat
from media_assets.store.sources import SourceFacts
from media_assets_tests.making import AAC, clip, make

STYLES = get_args(Style)


def music(bpm: float = 120.0, seconds: float = 40.0, first: float = 0.0, *, found: bool = True) -> Heard:
    """Music with even beats, loud in its second half."""
    times = tuple(np.arange(first, seconds - 0.1, 60 / bpm).tolist())
    beats = Beats(bpm, times, True, 0, 0.5, seconds)
    if not found:
        beats = Beats(None, (), False, 0, 0.0, seconds, "it is silent")
    levels = tuple(-25.0 if second < seconds / 2 else -12.0 for second in range(int(seconds)))
    stream = AudioStream(0, "pcm", 48000, 2, duration=seconds)
    info = MediaInfo("audio", "wav", 1, seconds, audios=(stream,))
    return Heard("music.wav", info, SoundContent(levels, (), (), seconds), beats)


def video(
    name: str,
    seconds: float,
    *,
    best: int | None = None,
    cuts: tuple[float, ...] = (),
    speech: tuple[tuple[float, float], ...] = (),
    size: tuple[int, int] = (640, 360),
) -> Clip:
    """A clip that is alike everywhere, but for a second that is sharper."""
    count = max(1, int(np.ceil(seconds)))
    sharp = tuple(30.0 if second == best else 6.0 for second in range(count))
    stream = VideoStream(0, "h264", *size, fps=Fraction(30), duration=seconds)
    info = MediaInfo("video", "mov,mp4", 1, seconds, videos=(stream,))
    even = ((0.5, 0.5),) * count
    seen = PictureContent(cuts, sharp, (0.02,) * count, (0.5,) * count, even, seconds)
    heard = SoundContent((-20.0,) * count, (), speech, seconds) if speech else None
    return Clip(name, info, seen, heard)


def still(name: str) -> Clip:
    """A picture whose subject is on the left."""
    info = MediaInfo("image", "png_pipe", 1, videos=(VideoStream(0, "png", 640, 480),))
    return Clip(name, info, PictureContent((), (20.0,), (0.0,), (0.5,), ((0.2, 0.5),), 0.25))


def facts(name: str, info: MediaInfo) -> SourceFacts:
    return SourceFacts(f"src_{name[0]}", Path(name), name, name[0] * 64, info, Stat(1, 1, 1))


def planned(document: dict[str, Any], heard: Heard, clips: list[Clip]) -> Any:
    """The plan of a proposal, as it would be rendered."""
    sources = {one.reference: facts(one.reference, one.info) for one in clips}
    sources[heard.reference] = facts(heard.reference, heard.info)
    komposition = parse(document, "proposal")
    assert heard.beats is not None
    ready = resolved(komposition, sources, {(heard.reference, "beats"): heard.beats})
    return plan(ready.komposition, sources, "9.0", tempo=ready.tempo, warnings=ready.warnings)


def shown(document: dict[str, Any], beat: float = 0.5) -> dict[str, list[tuple[float, float]]]:
    """Seconds of each video that are seen, by reference."""
    found: dict[str, list[tuple[float, float]]] = {}
    for segment in document["segments"]:
        if "in_point" in segment:
            start = segment["in_point"]
            found.setdefault(segment["source"], []).append((start, start + segment["duration"] * beat))
    return found


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.sampled_from([0.1, 0.4, 0.9, 2.0, 5.3, 17.0]), min_size=1, max_size=5),
    stills=st.integers(0, 2),
    style=st.sampled_from(STYLES),
    bpm=st.sampled_from(["auto", 120.0, 87.0]),
    first=st.sampled_from([0.0, 0.3]),
    seconds=st.sampled_from([None, 9.0, 55.0]),
    speech=st.booleans(),
)
def test_a_proposal_can_be_rendered_as_it_is(
    lengths: list[float],
    stills: int,
    style: Style,
    bpm: Any,
    first: float,
    seconds: float | None,
    speech: bool,
) -> None:
    clips = [video(f"{'abcde'[n]}.mp4", length, cuts=(1.0,)) for n, length in enumerate(lengths)]
    clips += [still(f"{'xy'[n]}.png") for n in range(stills)]
    wishes = Wishes(bpm, style, 640, 360, seconds, speech)
    heard = music(first=first)
    document = propose(heard, clips, wishes)
    assert {segment["source"] for segment in document["segments"]} == {one.reference for one in clips}
    compiled = planned(document, heard, clips)
    assert [text for _, text in compiled.warnings if "held" in text or "short" in text] == []
    beats = sum(segment["duration"] for segment in document["segments"])
    assert beats % 4 == 0
    if seconds is not None:
        assert compiled.duration <= seconds + 0.8


def test_it_is_the_same_for_the_same() -> None:
    first, second = (
        propose(music(), [video("a.mp4", 9), video("b.mp4", 5), still("x.png")], Wishes()) for _ in range(2)
    )
    assert first == second


def test_no_part_is_shown_twice_while_there_is_another() -> None:
    clips = [video("a.mp4", 30, cuts=(7.0, 19.0)), video("b.mp4", 20), video("c.mp4", 12)]
    document = propose(music(), clips, Wishes(style="energetic"))
    for ranges in shown(document).values():
        assert all(a[1] <= b[0] + 1e-6 or b[1] <= a[0] + 1e-6 for a, b in combinations(ranges, 2))
    running, names = 0, [segment["source"] for segment in document["segments"]]
    for before, after in pairwise(names):
        running += before == after
    assert running <= len(names) / 4


def test_the_best_part_is_sharp_and_within_a_scene() -> None:
    part = best_part(video("a.mp4", 20, best=12), 2.0, "balanced", speech=False)
    assert part is not None
    assert part.start <= 12 <= part.start + 2
    part = best_part(video("a.mp4", 6, best=3, cuts=(3.0,)), 2.0, "balanced", speech=False)
    assert part is not None
    assert part.start >= 3.0 or part.start + 2 <= 3.0
    assert best_part(video("a.mp4", 1), 2.0, "balanced", speech=False) is None


def test_what_is_said_is_kept_from_its_beginning() -> None:
    clips = [video("a.mp4", 20, best=2, speech=((8.0, 12.0),)), video("b.mp4", 20)]
    document = propose(music(), clips, Wishes(speech=True, seconds=9))
    first, second = document["segments"]
    assert 7.3 <= first["in_point"] <= 8.0
    assert first["speech"] == "keep"
    assert "speech" not in second


@pytest.mark.parametrize("style", STYLES)
def test_lengths_change_at_bars_and_follow_the_music(style: Style) -> None:
    found = slots(16, style, [-30.0] * 5 + [-20.0] * 6 + [-10.0] * 5, at_least=1)
    assert [slot.start for slot in found] == [0, *(slot.end for slot in found[:-1])]
    assert found[-1].end == 64
    assert {slot.beats for slot in found} <= {1, 2, 4, 8}
    for slot in found:
        assert slot.start % min(4, slot.beats) == 0
    assert found[0].beats > found[-1].beats
    assert any(slot.transition for slot in found)
    assert found[0].transition == ""


def test_the_document_is_as_wished() -> None:
    clips = [video("a b.mp4", 9), still("x.png"), video("tall.mp4", 9, size=(360, 640))]
    clips.append(video("square.mp4", 9, size=(400, 400)))
    document = propose(music(seconds=10), clips, Wishes(width=640, height=360, seconds=20))
    assert document["output"] == {"width": 640, "height": 360, "fps": 30}
    assert document["bpm"] == "auto"
    assert document["music"]["loop"]
    assert document["music"]["fade_out"] > 0
    assert document["loudness"]["target_lufs"] == -14.0
    assert document["title"] == "a b, x, tall, square to music"
    by_source = {segment["source"]: segment for segment in document["segments"]}
    assert by_source["x.png"]["view"]["start"] != by_source["x.png"]["view"]["end"]
    assert "fit" not in by_source["tall.mp4"]
    assert by_source["square.mp4"]["fit"] == "smart"


def test_what_cannot_be_proposed_is_said() -> None:
    with pytest.raises(NoBeat, match=r"music\.wav"):
        propose(music(found=False), [video("a.mp4", 5)], Wishes())
    assert propose(music(found=False), [video("a.mp4", 5)], Wishes(bpm=100.0))["bpm"] == 100.0
    with pytest.raises(BadInput, match="do not fit"):
        propose(music(), [video(f"{n}.mp4", 5) for n in range(9)], Wishes(seconds=4))
    sound_only = Clip("s.wav", music().info, PictureContent((), (), (), (), (), 0.0))
    with pytest.raises(NotMedia, match="no picture"):
        propose(music(), [sound_only], Wishes())


@pytest.mark.xdist_group("librosa")
def test_the_command_writes_a_document(settings: Settings, tmp_path: Path) -> None:
    """`--clips A B C` as people write it, a file that has to be copied, and one that is there already."""
    source = settings.source_root
    beat = "aevalsrc='0.8*sin(2*PI*180*t)*exp(-30*mod(t,0.5))':s=44100:d=6"
    make(settings, source / "beat.m4a", "-f", "lavfi", "-i", beat, *AAC)
    clip(settings, source / "a.mp4", seconds=2.5, sound=None)
    clip(settings, source / "b.mp4", seconds=2, sound=None)
    elsewhere = clip(settings, tmp_path / "c.mp4", seconds=2, sound=None)
    runner = CliRunner()
    words = ["komposition", "new", "--music", "beat.m4a", "--clips", "a.mp4", "b.mp4", str(elsewhere)]
    words += [
        "--bpm",
        "auto",
        "--style",
        "energetic",
        "--size",
        "320x180",
        "--data",
        str(settings.data_root),
    ]
    refused = runner.invoke(app, words)
    assert isinstance(refused.exception, BadInput)
    assert "source folder" in str(refused.exception)
    done = runner.invoke(app, [*words, "--add"])
    assert done.exception is None, done.exception
    (path,) = settings.komposition_root.glob("*.json")
    komposition = load(path)
    assert {segment.source for segment in komposition.segments} == {"a.mp4", "b.mp4", "c.mp4"}
    again = runner.invoke(app, [*words, "--add", "-o", str(path)])
    assert "there already" in str(again.exception)
