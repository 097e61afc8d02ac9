"""What is copied rather than encoded: exact to the picture, and only where nothing asks for new pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from media_assets.media.probe import probe
from media_assets.planning.copying import Copy, way_to_copy
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import CLIPS, Clips, applied, planned
from media_assets_tests.making import clip, ingested
from media_assets_tests.measuring import frequency, picture_times, pictures, samples, ssim

GOP = ("-preset", "veryfast", "-bf", "3", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> SourceFacts:
    """Eight seconds with a keyframe every second and three B-frames between."""
    settings = Settings.from_environment(data=tmp_path_factory.mktemp("long"))
    return ingested(settings, clip(settings, settings.source_root / "long.mp4", seconds=8, more=GOP))


def way(settings: Settings, source: SourceFacts, op: str = "trim", **parameters: object) -> Copy | None:
    document = {"op": op, "input": "in", "output": "out", "params": parameters}
    plan = planned(settings, {"in": source}, document)
    return way_to_copy(plan, plan.nodes["out"], settings)


def test_only_what_a_cut_goes_through_is_encoded(long: SourceFacts, settings: Settings) -> None:
    found = way(settings, long, start=0.5, duration=6.9)
    assert found is not None
    assert [part.copied for part in found.parts] == [False, True, False]
    assert [round(part.begin, 3) for part in found.parts] == [0.5, 1.0, 7.0]
    assert found.encoded_seconds == pytest.approx(0.9, abs=0.01)


def test_a_cut_on_keyframes_encodes_nothing(long: SourceFacts, settings: Settings) -> None:
    found = way(settings, long, start=2, end=8)
    assert found is not None
    assert [part.copied for part in found.parts] == [True]
    output = applied(settings, "trim", long, start=2, end=8)
    assert (pictures(settings, output.path) == pictures(settings, long.path)[60:]).all()


@pytest.mark.parametrize(
    ("start", "end"), [(0.5, 7.4), (0.51, 7.39), (1.0, 6.5), (0.2, 8.0), (2.9, 6.0333)]
)
def test_a_copied_trim_is_exact_to_the_picture(
    start: float, end: float, long: SourceFacts, settings: Settings
) -> None:
    output = applied(settings, "trim", long, start=start, end=end)
    assert any("copy" in command for command in output.made.commands)
    times = picture_times(settings, long.path)
    kept = [index for index, time in enumerate(times) if start - 5e-4 <= time < end - 5e-4]
    assert output.made.properties.frames == len(kept)
    shown = picture_times(settings, output.path)
    assert shown == pytest.approx([times[index] - start for index in kept], abs=0.001)
    before, after = pictures(settings, long.path)[kept], pictures(settings, output.path)
    assert np.abs(before.astype(int) - after).mean(axis=(1, 2, 3)).max() < 3
    assert output.made.properties.duration == pytest.approx(end - start, abs=0.04)
    sound = samples(settings, output.path)
    assert len(sound) / 48_000 == pytest.approx(end - start, abs=0.03)
    assert frequency(sound[4800:-4800]) == pytest.approx(440, abs=2)
    assert probe(output.path, settings).warnings == ()


@pytest.mark.parametrize("start", [0.5, 1.3, 2.0, 2.7183])
def test_copied_sound_stays_in_step_to_the_sample(start: float, settings: Settings) -> None:
    """A click at every whole second is heard where it was."""
    clicks = r"aevalsrc=if(lt(mod(t\,1)\,0.002)\,0.9\,0):s=48000"
    path = clip(settings, settings.source_root / "clicks.mp4", seconds=8, sound=clicks, more=GOP)
    source = ingested(settings, path)
    found = way(settings, source, start=start, end=7.5)
    assert found is not None
    assert found.sound is not None
    output = applied(settings, "trim", source, start=start, end=7.5)
    before, after = (np.flatnonzero(np.abs(samples(settings, p)) > 0.3) for p in (path, output.path))
    wanted = before[(before > (start + 0.01) * 48_000) & (before < 7.4 * 48_000)] - round(start * 48_000)
    heard = after[(after > 0.01 * 48_000) & (after < (7.4 - start) * 48_000)]
    assert len(wanted) == len(heard) > 100
    assert np.abs(wanted - heard).max() <= 1


def test_pictures_at_uneven_distances_keep_their_times(settings: Settings) -> None:
    more = ("-vf", r"select=lt(n\,90)+not(mod(n\,3))", "-fps_mode", "vfr", *GOP[:-4], "-keyint_min", "10")
    source = ingested(settings, clip(settings, settings.source_root / "vfr.mp4", seconds=8, more=more))
    assert way(settings, source, start=0.5, end=7.5) is not None
    output = applied(settings, "trim", source, start=0.5, end=7.5)
    wanted = [t - 0.5 for t in picture_times(settings, source.path) if 0.4995 <= t < 7.4995]
    assert picture_times(settings, output.path) == pytest.approx(wanted, abs=0.001)


@pytest.mark.parametrize(
    "name", sorted({*CLIPS} - {"plain", "silent", "vertical", "mono", "surround", "uneven"})
)
def test_what_would_be_written_differently_is_not_copied(
    name: str, clips: Clips, settings: Settings
) -> None:
    source = clips[name]
    if source.info.kind == "video" and name != "anamorphic":
        assert way(settings, source, start=0.1) is None


def test_open_groups_of_pictures_are_not_cut_apart(settings: Settings) -> None:
    more = (*GOP, "-x264-params", "open-gop=1")
    source = ingested(settings, clip(settings, settings.source_root / "open.mp4", seconds=8, more=more))
    output = applied(settings, "trim", source, start=0.5, end=7.5)
    assert output.made.properties.frames == 210
    before, after = pictures(settings, source.path)[15:225], pictures(settings, output.path)
    assert np.abs(before.astype(int) - after).mean(axis=(1, 2, 3)).max() < 6  # encoded again


def test_a_short_part_inside_one_group_is_encoded(long: SourceFacts, settings: Settings) -> None:
    assert way(settings, long, start=1.2, duration=0.5) is None


def test_ten_clips_are_joined_by_copying(settings: Settings, tmp_path: Path) -> None:
    colors = ("red", "lime", "blue", "white", "gray", "cyan", "magenta", "yellow", "black", "orange")
    root = settings.source_root
    sources = [
        ingested(
            settings,
            clip(
                settings,
                root / f"{color}.mp4",
                seconds=0.5 + index / 10,
                picture=f"color=c={color}",
                more=("-shortest",),
            ),
        )
        for index, color in enumerate(colors)
    ]
    output = applied(settings, "concatenate", *sources)
    frames = [source.info.video.frames for source in sources if source.info.video]
    assert output.made.properties.frames == sum(f or 0 for f in frames) == 285
    assert any("copy" in command for command in output.made.commands)
    steps = np.diff(picture_times(settings, output.path))
    assert steps == pytest.approx(1 / 30, abs=0.001)
    shots = pictures(settings, output.path, 2, 2)[:, 0, 0].astype(int)
    assert (np.abs(np.diff(shots, axis=0)).max(axis=1) > 60).sum() == 9


def test_what_is_encoded_again_at_a_cut_cannot_be_told_apart(long: SourceFacts, settings: Settings) -> None:
    output = applied(settings, "trim", long, start=0.5, end=7.4)
    assert ssim(settings, output.path, long.path, start=0.5) >= 0.99


def test_a_lossless_profile_keeps_every_picture(settings: Settings) -> None:
    path = clip(settings, settings.source_root / "tagged.mp4", seconds=2, more=("-colorspace", "bt709"))
    output = applied(settings, "encode", ingested(settings, path), profile="ffv1")
    assert ssim(settings, output.path, path) == 1.0


def test_another_container_takes_the_same_packets(long: SourceFacts, settings: Settings) -> None:
    output = applied(settings, "encode", long, container="mkv")
    assert any("copy" in command for command in output.made.commands)
    assert output.path.suffix == ".mkv"
    assert (pictures(settings, output.path) == pictures(settings, long.path)).all()
    anew = applied(settings, "encode", long, container="mkv", crf=30)
    assert not any("copy" in command for command in anew.made.commands)
