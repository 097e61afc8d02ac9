"""What was written is held against what was planned before anybody sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_assets.errors import MediaAssetsError, VerificationFailed
from media_assets.media.verify import Expected, read_properties, verify
from media_assets.settings import Settings
from media_assets_tests.making import clip, make

GOOD = {"video": True, "audio": True, "width": 160, "height": 90, "frames": 60, "duration": 2.0}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 160x90 at 30 pictures a second, with sound."""
    folder = tmp_path_factory.mktemp("verify")
    return clip(Settings.from_environment(folder), folder / "a.mp4", seconds=2)


def test_what_is_as_planned_passes(path: Path, settings: Settings) -> None:
    found = verify(path, Expected(**GOOD), settings)  # type: ignore[arg-type]
    assert (found.video, found.audio, found.frames, found.fps) == ("h264", "aac", 60, "30")
    assert (found.sample_rate, found.channels) == (48000, 1)
    assert found.size == path.stat().st_size


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"width": 320}, "width should be 320 and is 160"),
        ({"height": 80}, "height should be 80 and is 90"),
        ({"frames": 61}, "frames should be 61 and is 60"),
        ({"duration": 3.0}, "duration should be 3.000 s"),
        ({"audio": False}, "unexpected sound"),
        ({"video": False}, "unexpected picture"),
    ],
)
def test_what_is_not_as_planned_is_named(
    path: Path, settings: Settings, wrong: dict[str, object], words: str
) -> None:
    with pytest.raises(VerificationFailed, match=words):
        verify(path, Expected(**GOOD | wrong), settings)  # type: ignore[arg-type]


def test_a_missing_stream_is_named(settings: Settings, tmp_path: Path) -> None:
    silent = clip(settings, tmp_path / "silent.mp4", seconds=1, sound=None)
    with pytest.raises(VerificationFailed, match="there is no sound"):
        verify(silent, Expected(video=True, audio=True), settings)
    sound = make(settings, tmp_path / "sound.wav", "-f", "lavfi", "-i", "sine=d=1")
    with pytest.raises(VerificationFailed, match="there is no picture"):
        verify(sound, Expected(video=True, audio=True), settings)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_truncated_file_never_passes(
    path: Path, settings: Settings, tmp_path: Path, share: float
) -> None:
    for name, more in (("plain.mp4", ()), ("fast.mp4", ("-movflags", "+faststart"))):
        whole = make(settings, tmp_path / name, "-i", f"file:{path}", "-c", "copy", *more)
        data = whole.read_bytes()
        whole.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(MediaAssetsError):
            verify(whole, Expected(**GOOD), settings)  # type: ignore[arg-type]


def test_equal_encoder_headers_are_told_from_different_ones(
    path: Path, settings: Settings, tmp_path: Path
) -> None:
    same = clip(settings, tmp_path / "same.mp4", seconds=1)
    other = clip(settings, tmp_path / "other.mp4", seconds=1, size="128x72")
    headers = [read_properties(p, settings).extradata for p in (path, same, other)]
    assert headers[0] == headers[1] != headers[2]
