"""A plan on record is read whole or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from media_assets.settings import Settings
from media_assets.store.plans import plan_path, read_plan

PIECE = {"id": "s1", "kind": "body", "frames": 30, "sources": ["src_a_mp4"], "fingerprint": "f1"}
PLAN: dict[str, Any] = {
    "fingerprint": "f0",
    "output": {"width": 160, "height": 90, "fps": "30"},
    "frames": 30,
    "duration": 1.0,
    "pieces": [PIECE],
    "sound": {"fingerprint": "f2", "target_lufs": -14.0},
    "sources": {"src_a_mp4": "0" * 64},
    "estimate": {"cpu_seconds": 1.0},
    "what a later release tells": 1,
}


def _write(settings: Settings, text: str) -> None:
    path = plan_path(settings, "komp_a")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_whole_plan_is_given_back_as_it_is(settings: Settings) -> None:
    whole = PLAN | {"renditions": {"small": PLAN}, "derived_from": ["src_a_mp4"]}
    _write(settings, json.dumps(whole))
    assert read_plan(settings, "komp_a") == whole


@pytest.mark.parametrize("name", [name for name in PLAN if " " not in name])
@pytest.mark.parametrize("value", [None, 7j, "x", [], {"a": [1]}], ids=repr)
def test_what_is_gone_or_of_another_shape_makes_it_none(settings: Settings, name: str, value: Any) -> None:
    damaged = {key: given for key, given in PLAN.items() if key != name}
    if value != 7j:  # which stands for nothing at all
        damaged[name] = value
    wrong = not (name == "fingerprint" and value == "x") and not (name == "pieces" and value == [])
    _write(settings, json.dumps(PLAN | {"renditions": {"small": damaged}}))
    assert (read_plan(settings, "komp_a") is None) == wrong
    _write(settings, json.dumps(damaged))
    assert (read_plan(settings, "komp_a") is None) == wrong


@pytest.mark.parametrize("text", ["", "[", "[1]", '{"a": ' * 5_000])
def test_what_is_no_document_is_none(settings: Settings, text: str) -> None:
    _write(settings, text)
    assert read_plan(settings, "komp_a") is None


def test_a_folder_in_its_place_is_none(settings: Settings) -> None:
    plan_path(settings, "komp_a").mkdir(parents=True)
    assert read_plan(settings, "komp_a") is None
