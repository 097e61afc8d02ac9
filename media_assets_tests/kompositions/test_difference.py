"""What a change costs is told before it is rendered, and what changed in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from media_assets.kompositions.difference import Difference, changes, difference
from media_assets.kompositions.document import parse
from media_assets.settings import Settings
from media_assets_tests.kompositions.composing import document, numbered, planned
from media_assets_tests.making import make


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A data root with a clip and music, shared by this module."""
    settings = Settings.from_environment(data=tmp_path_factory.mktemp("difference"))
    numbered(settings, "n.mp4", seconds=3)
    make(settings, Path(settings.source_root / "m.wav"), "-f", "lavfi", "-i", "sine=f=220:d=3:r=48000")
    return settings


def _between(settings: Settings, old: dict[str, Any], new: dict[str, Any], *stored: str) -> Difference:
    before, after = ((parse(data, "x"), planned(settings, data)[0]) for data in (old, new))
    there = {key for name in stored for key in _keys(after[1], name)}
    return difference(before, after, lambda key: key in there)


def _keys(plan: Any, name: str) -> list[str]:
    if name == "sound":
        return [plan.sound_fingerprint]
    return [piece.fingerprint for piece in plan.pieces if piece.piece.id == name] or [plan.fingerprint]


def _document(**more: Any) -> dict[str, Any]:
    segments = [
        {"id": name, "source": "n.mp4", "in_point": at, "duration": 0.5} for at, name in enumerate("ab")
    ]
    segments.append(
        {
            "id": "c",
            "source": "n.mp4",
            "duration": 0.5,
            "transition": {"type": "crossfade", "duration": 0.2},
        }
    )
    return document(segments, music={"source": "m.wav"}, **more)


def _edited(index: int, **fields: Any) -> dict[str, Any]:
    data = _document()
    data["segments"][index] |= fields
    return data


def test_a_change_renders_its_segment_and_the_transitions_beside_it(settings: Settings) -> None:
    found = _between(settings, _document(), _edited(1, in_point=1.25))
    assert found.rendered == ("b", "b>c")
    assert [change.place for change in found.changes] == ["$.segments[1].in_point"]
    assert found.changes[0].text == "1 → 1.25"
    assert not found.sound_rendered
    assert found.cpu_seconds == pytest.approx(sum(piece.estimate for piece in found.pieces))
    assert found.pieces[1].segments == ("b", "c")


def test_what_is_in_the_store_is_not_rendered(settings: Settings) -> None:
    partly = _between(settings, _document(), _edited(1, in_point=1.25), "b>c")
    assert partly.rendered == ("b",)
    assert [piece.stored for piece in partly.pieces] == [False, True]
    wholly = _between(settings, _document(), _edited(1, in_point=1.25), "all of it")
    assert (wholly.rendered, wholly.cpu_seconds, wholly.whole_stored) == ((), 0, True)


def test_sound_alone_renders_no_picture(settings: Settings) -> None:
    louder = _document()
    louder["music"]["gain_db"] = -3.0
    found = _between(settings, _document(), louder)
    assert (found.rendered, found.sound_rendered) == ((), True)
    assert found.cpu_seconds > 0
    assert not _between(settings, _document(), louder, "sound").sound_rendered


def test_nothing_changed_is_nothing(settings: Settings) -> None:
    found = _between(settings, _document(), _document(title=""))
    assert (found.changes, found.pieces, found.sound_changed) == ((), (), False)


def _texts(old: list[dict[str, Any]], new: list[dict[str, Any]], **more: Any) -> dict[str, str]:
    before, after = (parse(document(segments, **more), "x") for segments in (old, new))
    return {change.place: change.text for change in changes(before, after)}


def _named(*names: str) -> list[dict[str, Any]]:
    return [{"id": name, "source": f"{name}.mp4", "duration": 1} for name in names]


def test_segments_are_known_by_their_names_wherever_they_stand() -> None:
    added = _texts(_named("a", "b"), _named("new", "a", "b"))
    assert added == {"$.segments[0]": 'added: {"duration":1,"id":"new","source":"new.mp4"}'}
    removed = _texts(_named("a", "b", "c"), _named("a", "c"))
    assert list(removed) == ["$.segments[1]"]
    assert removed["$.segments[1]"].startswith("removed:")
    moved = _texts(_named("a", "b", "c", "d"), _named("d", "a", "b", "c"))
    assert moved == {"$.segments[0]": "moved from place 4 to 1"}


def test_segments_without_names_are_known_by_what_they_are() -> None:
    clips = [{"source": f"{name}.mp4", "duration": 1} for name in "abc"]
    assert list(_texts(clips, [{"source": "new.mp4", "duration": 2}, *clips])) == ["$.segments[0]"]
    assert _texts(clips, [clips[0], {**clips[1], "in_point": 0.5}, clips[2]]) == {
        "$.segments[1].in_point": "0 → 0.5"
    }


def test_a_field_that_came_or_went_is_told() -> None:
    segments = _named("a", "b")
    effect = {"op": "film_noir", "params": {"contrast": 1.2}}
    found = _texts(segments, [{**segments[0], "gain_db": -3}, {**segments[1], "effects": [effect]}])
    assert found["$.segments[0].gain_db"] == "added: -3"
    assert found["$.segments[1].effects[0]"] == 'added: {"op":"film_noir","params":{"contrast":1.2}}'
    longer = _texts(segments, segments, title="x" * 200)
    assert longer == {}
