"""Recipes on disk: written once, read back whole, found by what people type."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media_assets.settings import Settings
from media_assets.store.recipes import DamagedRecipe, EffectRecipe, RecipeStore, Step, UnknownEffect

CUT = Step("trim", ("src_a_mp4",), "effect_trim_00000000aaaaaaaa", {"start": 1.0, "duration": 4.0})
SMALL = Step("resize", (CUT.output,), "effect_resize_1111111122222222", {"width": 320})
RECIPE = EffectRecipe(SMALL.output, {"src_a_mp4": "a.mp4"}, (CUT, SMALL))


@pytest.fixture
def store(settings: Settings) -> RecipeStore:
    """An empty store."""
    return RecipeStore(settings)


def named(digits: str, op: str = "trim") -> EffectRecipe:
    """A recipe of a trim with that hash."""
    identifier = f"effect_{op}_{digits}"
    return EffectRecipe(identifier, RECIPE.inputs, (replace(CUT, op=op, output=identifier),))


def test_what_is_put_is_got(store: RecipeStore) -> None:
    assert store.put(RECIPE) is True
    assert store.get(RECIPE.id) == RECIPE
    assert list(store) == [RECIPE.id]


def test_the_same_again_writes_nothing_and_the_file_is_read_only(store: RecipeStore) -> None:
    store.put(RECIPE)
    (path,) = store.root.glob("*.json")
    before = path.stat()
    assert store.put(RECIPE) is False
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino
    assert before.st_mode & 0o222 == 0
    assert [p.name for p in store.root.iterdir()] == [f"{RECIPE.id}.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"id": "effect_resize_1111111122222222", "inputs": {}, "operations": []}',
        '{"id": "effect_other_1111111122222222", "inputs": {}, "operations": [{"op": "trim"}]}',
        '{"id": "effect_resize_1111111122222222", "inputs": 3, "operations": 4}',
        '{"id": "effect_resize_1111111122222222", "inputs": {}, "operations": '
        '[{"op": "resize", "inputs": ["gone"], "output": "effect_resize_1111111122222222", "params": {}}]}',
    ],
)
def test_a_damaged_file_is_a_typed_error_and_is_mended_by_writing_again(
    store: RecipeStore, content: str
) -> None:
    store.put(RECIPE)
    path = store.root / f"{RECIPE.id}.json"
    path.unlink()
    path.write_text(content)
    with pytest.raises(DamagedRecipe, match="damaged") as caught:
        store.get(RECIPE.id)
    assert str(path) in str(caught.value)
    assert store.put(RECIPE) is True
    assert store.get(RECIPE.id) == RECIPE


def test_no_recipe_and_names_that_leave_the_folder_are_unknown(store: RecipeStore) -> None:
    for name in (RECIPE.id, "../settings", "effect_trim_../../x", "", "effect_trim_" + "0" * 16 + "\n"):
        with pytest.raises(UnknownEffect):
            store.get(name)
        with pytest.raises(UnknownEffect):
            store.find(name)


def test_eight_digits_or_more_find_an_effect(store: RecipeStore) -> None:
    for digits in ("1234567800000000", "1234567900000000"):
        store.put(named(digits))
    assert store.find("12345678") == "effect_trim_1234567800000000"
    assert store.find("1234567900") == "effect_trim_1234567900000000"
    assert store.find("effect_trim_12345678") == "effect_trim_1234567800000000"
    assert store.find("effect_trim_1234567900000000") == "effect_trim_1234567900000000"


def test_what_several_effects_begin_with_lists_them(store: RecipeStore) -> None:
    store.put(named("1234567800000000"))
    store.put(named("1234567800000001", op="fade"))
    with pytest.raises(UnknownEffect, match="2 effects") as caught:
        store.find("12345678")
    assert "effect_trim_1234567800000000" in str(caught.value)
    assert "effect_fade_1234567800000001" in str(caught.value)
    assert store.find("effect_fade_12345678") == "effect_fade_1234567800000001"


@pytest.mark.parametrize("reference", ["1234567", "xyz", "ABCDEF12", "effect_resize_12345678", "ffffffff"])
def test_what_nothing_begins_with_or_is_too_short_is_refused(store: RecipeStore, reference: str) -> None:
    store.put(named("1234567800000000"))
    with pytest.raises(UnknownEffect):
        store.find(reference)
