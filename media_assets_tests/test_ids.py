"""Names never depend on content, order of keys or process; two things never share one."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_assets import ids

_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
_NAMES = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=200
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("lookin.mp4", "src_lookin_mp4"),
        ("clip2.webm", "src_clip2_webm"),
        ("readme", "src_readme"),
    ],
)
def test_a_plain_name_is_its_own_id(path: str, expected: str) -> None:
    assert ids.source_id(path) == expected


@pytest.mark.parametrize(
    "path",
    ["Lookin.mp4", "look in.mp4", "look.in.mp4", "look_in.mp4", "a/lookin.mp4", "lôokin.mp4", "日本"],
)
def test_a_name_that_loses_something_carries_a_hash_of_its_path(path: str) -> None:
    assert ids.source_id(path).rsplit("_", 1)[1] == hashlib.sha256(path.encode()).hexdigest()[:8]


@given(st.lists(_NAMES, min_size=2, max_size=30, unique=True))
def test_two_files_never_share_an_id(paths: list[str]) -> None:
    assert len({ids.source_id(path) for path in paths}) == len(paths)


@given(_NAMES)
def test_an_id_is_a_safe_file_name_and_partition_key(path: str) -> None:
    assert re.fullmatch(r"src_[a-z0-9_]{1,100}", ids.source_id(path))


def test_a_lossless_name_never_looks_like_one_with_a_hash() -> None:
    assert ids.source_id("foo.1234abcd") != "src_foo_1234abcd"


def test_an_effect_is_named_by_operation_inputs_and_parameters() -> None:
    one = ids.effect_id("trim", ["src_a_mp4"], {"start": 0, "duration": 4})
    assert one == ids.effect_id("trim", ["src_a_mp4"], {"duration": 4.0, "start": 0.0})
    assert one != ids.effect_id("trim", ["src_a_mp4"], {"start": 0, "duration": 5})
    assert one != ids.effect_id("trim", ["src_b_mp4"], {"start": 0, "duration": 4})
    assert re.fullmatch(r"effect_trim_[0-9a-f]{16}", one)


def test_order_of_inputs_counts_only_where_it_matters() -> None:
    assert ids.effect_id("concatenate", ["a", "b"], {}) != ids.effect_id("concatenate", ["b", "a"], {})
    assert ids.effect_id("mix", ["a", "b"], {}, ordered=False) == ids.effect_id(
        "mix", ["b", "a"], {}, ordered=False
    )


@given(st.dictionaries(st.text(), _JSON, max_size=5))
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(document: dict[str, object]) -> None:
    backwards = dict(reversed(document.items()))
    assert ids.fingerprint(document) == ids.fingerprint(backwards)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_has_no_fingerprint(value: float) -> None:
    with pytest.raises(ValueError, match="no JSON form"):
        ids.fingerprint({"x": value})


def test_ids_are_the_same_in_another_process() -> None:
    code = "from media_assets.ids import *; print(effect_id('trim', ['a'], {'z': 1.5, 'a': 'é'}))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {ids.effect_id("trim", ["a"], {"a": "é", "z": 1.5})}


def test_a_file_name_says_what_it_is() -> None:
    name = ids.output_name("trim", ["src_lookin_mp4"], {"start": 0, "duration": 4}, "1a2b3c4d", "mp4")
    assert name == "trim_src_lookin_mp4_duration4_start0_1a2b3c4d.mp4"


@given(st.lists(_NAMES, max_size=5), st.dictionaries(_NAMES, _JSON, max_size=5))
def test_a_file_name_is_safe_and_short(inputs: list[str], parameters: dict[str, object]) -> None:
    name = ids.output_name("concatenate", inputs, parameters, "1a2b3c4d", "mp4")
    assert re.fullmatch(r"[a-z0-9_]+\.mp4", name)
    assert len(name) <= 160


def test_a_file_is_hashed_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert ids.hash_file(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
