"""What was read once is not read again, and what changed is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from media_assets.store.files import write_json
from media_assets.store.memo import Memo, passing


def test_answers_are_remembered_until_a_document_changes(tmp_path: Path) -> None:
    asked: list[str] = []

    def test(name: str) -> bool:
        asked.append(name)
        return "yes" in (tmp_path / f"{name}.json").read_text()

    for name, word in (("b", "yes"), ("a", "yes"), ("c", "no")):
        write_json(tmp_path / f"{name}.json", {"say": word})
    assert passing(tmp_path, "said", test) == ["a", "b"]
    assert passing(tmp_path, "said", test) == ["a", "b"]
    assert sorted(asked) == ["a", "b", "c"]

    write_json(tmp_path / "a.json", {"say": "never"})
    write_json(tmp_path / "c.json", {"say": "yes"})
    (tmp_path / "b.json").unlink()
    assert passing(tmp_path, "said", test) == ["c"]
    assert sorted(asked[3:]) == ["a", "c"]


def test_another_test_is_asked_anew(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {})
    assert passing(tmp_path, "one", lambda _: True) == ["a"]
    assert passing(tmp_path, "other", lambda _: False) == []


def test_there_may_be_no_folder(tmp_path: Path) -> None:
    assert passing(tmp_path / "none", "any", lambda _: True) == []


def test_a_memo_that_another_process_wrote_is_read(tmp_path: Path) -> None:
    here, there = _memo(tmp_path), _memo(tmp_path)
    with here.updating() as entries:
        entries.clear()
        entries["a"] = [1, 1, 1, None]
    assert there.entries() == {"a": [1, 1, 1, None]}
    write_json(tmp_path / "memo.json", {"a": [2, 1, 1, "x"], "b": [3, 1, 1, None]})
    assert here.entries() == there.entries() == {"a": [2, 1, 1, "x"], "b": [3, 1, 1, None]}


def test_what_is_changed_is_not_seen_before_it_is_written(tmp_path: Path) -> None:
    memo = _memo(tmp_path)
    write_json(tmp_path / "memo.json", {"a": [1, 1, 1, None]})
    stamp = memo.stamp()
    with memo.updating() as entries:
        entries["b"] = [2, 1, 1, None]
        assert memo.entries() == {"a": [1, 1, 1, None]}
    assert memo.entries() == {"a": [1, 1, 1, None], "b": [2, 1, 1, None]}
    assert memo.stamp() > stamp


def test_a_damaged_or_missing_memo_is_made_anew(tmp_path: Path) -> None:
    assert _memo(tmp_path).entries() == {"rebuilt": [0]}
    (tmp_path / "memo.json").write_text("{")
    assert _memo(tmp_path).entries() == {"rebuilt": [0]}


def _memo(folder: Path) -> Memo:
    def rebuilt() -> dict[str, Any]:
        return {"rebuilt": [0]}

    return Memo(folder / "memo.json", rebuilt)
