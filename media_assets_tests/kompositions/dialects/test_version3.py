"""Version 3, in JSON and in Markdown, and the older Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from media_assets_tests.kompositions.dialects.reading import reads, refusal, told

META = {"bpm": 140, "meter": "4/4", "width": 640, "height": 360, "fps": 25, "duration_ms": 20000}


def _range(start: int, duration: int) -> dict[str, int]:
    return {"start_ms": start, "duration_ms": duration}


def _clip(source: str, at: int, duration: int, taken: int | None = None) -> dict[str, Any]:
    length = duration if taken is None else taken
    return {
        "source_id": source,
        "source_range": _range(500, length),
        "timeline_range": _range(at, duration),
    }


def test_layers_and_tracks_keep_their_places_in_seconds(tmp_path: Path) -> None:
    document = {
        "version": "v3",
        "meta": META,
        "layers": [
            {"z": 5, "role": "title", "blend": "screen", "clips": [_clip("t.mp4", 4000, 2000)]},
            {
                "z": 0,
                "blend": "replace",
                "clips": [_clip("a.mp4", 0, 12000), _clip("b.mp4", 11000, 9000, 4500)],
            },
        ],
        "audio_tracks": [{"role": "narration", "gain_db": -3, "clips": [_clip("n.wav", 1000, 2000)]}],
    }
    found = reads(tmp_path, document)
    komposition = found.komposition
    assert (found.dialect, komposition.unit, komposition.meter) == ("version-3", "seconds", 4)
    a, b = komposition.segments
    assert (a.duration, a.in_point, b.fill, b.source_duration) == (11, 0.5, "stretch", 4.5)
    assert b.transition is not None and b.transition.duration == 1
    (layer,) = komposition.layers
    assert (layer.z, layer.blend, layer.role, layer.segments[0].start) == (5, "screen", "title", 4)
    (track,) = komposition.audio
    assert (track.role, track.gain_db, track.clips[0].start) == ("voice", -3, 1)
    assert "stretched" in told(found)["$.layers[1].clips[1]"]
    assert "$.meta.duration_ms" not in told(found)


MARKDOWN = """# Trip

## Meta
- bpm: 120
- duration: 60s
- size: 640x360@25

## Layer 0: Backgrounds (blend: replace)
- {file:a b.mp4} timeline 0s-48s source 10s-58s

## Layer 1: Overlays (blend: alpha_over)
- {file:c.mp4} timeline 16s-24s source 0s-8s

## Audio: music (gain: -6dB)
- {file:song.flac} timeline 0s-24s source 0s-24s
"""


def test_markdown_with_layers_is_version_3(tmp_path: Path) -> None:
    found = reads(tmp_path, MARKDOWN, name="trip.kompo.md")
    komposition = found.komposition
    assert (komposition.title, komposition.output.width, komposition.output.fps) == ("Trip", 640, "25")
    assert (komposition.segments[0].source, komposition.segments[0].in_point) == ("a b.mp4", 10)
    assert komposition.layers[0].segments[0].start == 16
    assert (komposition.audio[0].role, komposition.audio[0].gain_db) == ("music", -6)
    assert told(found)["$.meta.duration_ms"].startswith("line 5: the last segment ends before it, at 48 s")


def test_markdown_with_tracks_counts_beats(tmp_path: Path) -> None:
    text = """# Boats

## Metadata
- BPM: 135

## Tracks

### Visuals
- [Xy-1](source-image) "Ship"
  - Start: 0 beats
  - End: 8 beats
- [Zw](source-video) "Landing"
  - Start: 8 beats
  - End: 24 beats

### Audio
- [Au](source-audio) "trance"
  - Start: 0 beats
  - End: 24 beats
- [Horn](source-audio) "horn"
  - Start: 8 beats
  - End: 12 beats
"""
    found = reads(tmp_path, text, name="boats.kompo.md")
    assert found.komposition.bpm == 135
    assert [(s.id, s.source, s.duration) for s in found.komposition.segments] == [
        ("Ship", "Xy-1", 8),
        ("Landing", "Zw", 16),
    ]
    assert found.komposition.music is not None and found.komposition.music.source == "Au"
    (horn,) = found.komposition.audio[0].clips
    assert (horn.source, horn.start, horn.duration) == ("Horn", 8, 4)
    assert told(found)["$.segments[0].sourceRef"].startswith("line 9: names no file")


def test_a_document_in_a_code_block_is_read_with_the_lines_of_the_page(tmp_path: Path) -> None:
    document = {"version": "v3", "meta": META, "layers": [{"z": 0, "clips": [_clip("a", 0, 20000)]}]}
    text = "# A\n\nSome words.\n\n```json\n" + json.dumps(document, indent=1) + "\n```\n"
    found = reads(tmp_path, text, name="a.kompo.md")
    assert found.komposition.segments[0].duration == 20
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "source_id" in row)
    assert told(found)["$.layers[0].clips[0].source_id"].startswith(f"line {line}: ")


@pytest.mark.parametrize("text", ["", "# Only a title\n", "Some words.\n", "## Layer 0: A\n- no clip\n"])
def test_markdown_without_clips_is_refused(tmp_path: Path, text: str) -> None:
    assert "not Markdown" in refusal(tmp_path, text, name="x.kompo.md")["$"]
