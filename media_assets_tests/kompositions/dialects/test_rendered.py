"""A document of another form is rendered with the pictures that it asks for, on its beats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from media_assets.settings import Settings
from media_assets_tests.kompositions.composing import SMALL, numbered, numbers, path_of, rendered
from media_assets_tests.kompositions.dialects.reading import reads


def test_a_window_of_beats_is_on_its_frames(settings: Settings, tmp_path: Path) -> None:
    numbered(settings, "n 1.mp4", seconds=6)

    def segment(name: str, start: float, end: float, into: float) -> dict[str, Any]:
        return {
            "id": name,
            "sourceRef": "n 1.mp4",
            "startBeat": start,
            "endBeat": end,
            "params": {"start": into},
        }

    document = {
        "metadata": {"bpm": 120, "renderStartBeat": 1, "renderEndBeat": 5},
        "segments": [segment("second", 3, 6, 3.0), segment("first", 0, 3, 0.0)],
        "outputSettings": {"resolution": f"{SMALL['width']}x{SMALL['height']}", "fps": 30},
    }
    found = reads(tmp_path, document)
    shown = numbers(settings, path_of(rendered(settings, found.canonical)))
    # Beats 1 to 3 of the first, half a second in, then two beats of the second from its third second.
    assert shown == [*range(15, 45), *range(90, 120)]
