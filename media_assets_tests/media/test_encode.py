"""Every profile writes what its name says, the same every time, and its options are in fingerprints."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from media_assets.errors import BadInput
from media_assets.ids import canonical_json
from media_assets.media.encode import PROFILES, Profile, profile
from media_assets.media.graph import Stream, Target, arguments, generate
from media_assets.media.run import run_ffmpeg
from media_assets.media.verify import read_properties
from media_assets.settings import Settings


def _written(settings: Settings, kind: Profile, path: Path) -> bytes:
    streams: list[Stream] = []
    if kind.video is not None:
        streams.append(generate("testsrc2=s=64x48:r=10:d=0.5").video())
    if kind.audio is not None:
        streams.append(generate("sine=f=440:r=48000:d=0.5").audio())
    options = kind.options(video=kind.video is not None, audio=kind.audio is not None)
    run_ffmpeg(arguments([Target(streams, path, options)]), settings=settings)
    return path.read_bytes()


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_writes_the_same_bytes_every_time(name: str, settings: Settings, tmp_path: Path) -> None:
    kind = profile(name)
    one, two = (_written(settings, kind, tmp_path / f"{n}.{kind.extension}") for n in (1, 2))
    assert one == two
    found = read_properties(tmp_path / f"1.{kind.extension}", settings)
    assert (found.video is not None, found.audio is not None) == (
        kind.video is not None,
        kind.audio is not None,
    )
    if kind.container.get("f") == "image2":
        assert (found.width, found.height, found.frames) == (64, 48, 1)
    else:
        assert found.duration == pytest.approx(0.5, abs=0.06)
    # Names of libraries without their versions.
    assert re.search(rb"Lav[cf]\d", one) is None or name == "mp3"


@pytest.mark.parametrize("name", PROFILES)
def test_any_option_is_part_of_the_fingerprint_and_the_name_is_not(name: str) -> None:
    kind = profile(name)
    document = canonical_json(kind.to_json())
    assert canonical_json(replace(kind, name="another").to_json()) == document
    assert canonical_json(replace(kind, container={**kind.container, "x": 1}).to_json()) != document
    assert canonical_json(replace(kind, extension="x").to_json()) != document
    if kind.audio is not None:
        assert canonical_json(replace(kind, audio={**kind.audio, "x": 1}).to_json()) != document


def test_an_unknown_profile_is_told_the_known_ones() -> None:
    with pytest.raises(BadInput, match="h264"):
        profile("h265")
