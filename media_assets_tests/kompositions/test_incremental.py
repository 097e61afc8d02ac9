"""However a document came to be what it is, its video is the one that a first rendering gives."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_assets.errors import DocumentError
from media_assets.kompositions.plan import KompositionPlan
from media_assets.kompositions.render import render
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceFacts
from media_assets_tests.kompositions.composing import numbered, planned
from media_assets_tests.making import clip, make

EDITS = 30
Document = dict[str, Any]
Edit = Callable[[Document, st.DataObject], None]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A silent clip, one with sound, a still and a piece of music, all tiny."""
    kept = Settings.from_environment(data=tmp_path_factory.mktemp("incremental"))
    root = kept.source_root
    numbered(kept, "n.mp4", seconds=2)
    clip(kept, root / "s.mp4", seconds=2, picture="testsrc2", size="64x36", rate="10")
    make(kept, root / "still.png", "-f", "lavfi", "-i", "testsrc2=s=64x36", "-frames:v", "1")
    make(kept, root / "m.wav", "-f", "lavfi", "-i", "sine=f=330:d=3:r=48000")
    return kept


def _retime(document: Document, data: st.DataObject) -> None:
    segment = data.draw(st.sampled_from(document["segments"]))
    segment[data.draw(st.sampled_from(["duration", "in_point"]))] = data.draw(
        st.sampled_from([0.3, 0.4, 0.5, 0.7])
    )


def _replace(document: Document, data: st.DataObject) -> None:
    data.draw(st.sampled_from(document["segments"]))["source"] = data.draw(
        st.sampled_from(["n.mp4", "s.mp4", "still.png"])
    )


def _cross(document: Document, data: st.DataObject) -> None:
    segment = data.draw(st.sampled_from(document["segments"][1:] or document["segments"]))
    kinds = st.sampled_from(["crossfade", "wipeleft", "circleopen"])
    lasts = {"duration": 0.2, "offset": data.draw(st.sampled_from([0, -0.1, -0.2]))}
    segment["transition"] = data.draw(st.one_of(st.none(), kinds.map(lambda kind: {"type": kind, **lasts})))


def _treat(document: Document, data: st.DataObject) -> None:
    effects = [[], [{"op": "film_noir"}], [{"op": "fade_in", "duration": 0.2}], [{"op": "reverse"}]]
    data.draw(st.sampled_from(document["segments"]))["effects"] = data.draw(st.sampled_from(effects))


def _insert(document: Document, data: st.DataObject) -> None:
    number = document["made"] = document.get("made", 0) + 1
    at = data.draw(st.integers(0, len(document["segments"])))
    document["segments"].insert(at, {"id": f"new{number}", "source": "s.mp4", "duration": 0.3})


def _remove(document: Document, data: st.DataObject) -> None:
    if len(document["segments"]) > 2:
        document["segments"].remove(data.draw(st.sampled_from(document["segments"])))


def _swap(document: Document, data: st.DataObject) -> None:
    first = document["segments"].pop(data.draw(st.integers(0, len(document["segments"]) - 1)))
    document["segments"].insert(data.draw(st.integers(0, len(document["segments"]))), first)


def _layer(document: Document, data: st.DataObject) -> None:
    title = {"color": "#20408080", "start": data.draw(st.sampled_from([0, 0.2, 0.3])), "duration": 0.3}
    layer = {"id": "over", "z": 1, "box": {"x": 0.5, "width": 0.5}, "segments": [title]}
    document["layers"] = data.draw(st.sampled_from([[], [layer]]))


def _sound(document: Document, data: st.DataObject) -> None:
    data.draw(st.sampled_from(document["segments"]))["gain_db"] = data.draw(st.sampled_from([None, -6]))
    document["music"] = data.draw(st.sampled_from([None, {"source": "m.wav", "gain_db": -12}]))


EDIT: tuple[Edit, ...] = (_retime, _replace, _cross, _treat, _insert, _remove, _swap, _layer, _sound)


@settings(max_examples=1, suppress_health_check=list(HealthCheck), derandomize=False, deadline=None)
@given(data=st.data())
def test_after_any_edit_the_bytes_are_those_of_a_first_rendering(
    footage: Settings, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Equal bytes are equal pictures and samples; what cannot be, the edit is undone."""
    folder = tmp_path_factory.mktemp("edits")
    kept, document = folder / "kept", _first()
    done = 0
    while done < EDITS:
        before = copy.deepcopy(document)
        data.draw(st.sampled_from(EDIT))(document, data)
        try:
            compiled, sources = planned(footage, {k: v for k, v in document.items() if k != "made"})
        except DocumentError:
            document = before
            continue
        done += 1
        edited = _rendered(compiled, sources, footage, kept)
        assert edited == _rendered(compiled, sources, footage, folder / f"cold{done}"), document


def _first() -> Document:
    segments = [
        {"id": f"s{n}", "source": name, "duration": 0.5} for n, name in enumerate(("n.mp4", "s.mp4"))
    ]
    return {"version": 1, "output": {"width": 64, "height": 36, "fps": 10}, "segments": segments}


def _rendered(
    compiled: KompositionPlan, sources: dict[str, SourceFacts], footage: Settings, root: Path
) -> str:
    """SHA-256 of the video, rendered with what that store has."""
    own = replace(footage, data_root=root)
    return render(compiled, sources, own, OutputStore(own)).final.output.content_hash
