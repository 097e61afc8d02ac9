"""The graph from records: constants of workflows, kompositions inside one another, what was lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from media_assets.registry.building import build
from media_assets.registry.graph import ancestors
from media_assets.registry.questions import why
from media_assets.registry.records import AssetFacts, Disk, Log, Materialized, Parent
from media_assets.store.recipes import EffectRecipe, Step

ROOT = Path("/data")
TRIM = "effect_trim_0123456789abcdef"


def record(version: str, code: str | None = None, inputs: dict[str, str] | None = None) -> Materialized:
    return Materialized(1, 10.0, version, code, inputs or {}, {})


def disk(**parts: Any) -> Disk:
    empty: dict[str, Any] = {"sources": {}, "outputs": {}, "recipes": {}, "plans": {}, "documents": {}}
    return Disk(**(empty | parts))


def workflow(made: Materialized, logo: str) -> Log:
    sources = AssetFacts("source_file", "1", (), ("src_a_mp4", "src_logo_png"))
    constant = AssetFacts("w/logo", "1", (Parent("source_file", ("src_logo_png",)),), (None,))
    parents = (Parent("source_file", "same"), Parent("w/logo", "whole"))
    node = AssetFacts("w/marked", "2", parents, ("src_a_mp4",), "w", "overlay")
    materialized: dict[tuple[str, str | None], Materialized] = {
        ("source_file", "src_a_mp4"): record("a1"),
        ("source_file", "src_logo_png"): record("l1"),
        ("w/logo", None): record(logo, "1", {"source_file": "l1"}),
        ("w/marked", "src_a_mp4"): made,
    }
    return Log((sources, constant, node), materialized, {})


def test_a_constant_input_leads_to_its_source_and_is_told_when_it_changes() -> None:
    made = record("m1", "2", {"source_file": "a1", "w/logo": "l1"})
    graph = build(disk(), workflow(made, "l2"), ROOT)
    node = "w/marked/src_a_mp4"
    assert ancestors(graph, node) == {"src_a_mp4": 1, "w/logo": 1, "src_logo_png": 2}
    assert graph.nodes["w/logo"].kind == "constant"
    (reason,) = [r for r in why(graph, node).reasons if r.subject == "w/logo"]
    assert (reason.kind, reason.before, reason.after) == ("input", "l1", "l2")


def test_new_code_is_told_with_both_versions() -> None:
    made = record("m1", "1", {"source_file": "a1", "w/logo": "l1"})
    found = why(build(disk(), workflow(made, "l1"), ROOT), "w/marked/src_a_mp4")
    assert [(r.kind, r.before, r.after) for r in found.reasons] == [
        ("code", "1", "2"),
        ("output_missing", None, None),
    ]


def test_nested_kompositions_and_effects_are_on_the_way_to_their_sources() -> None:
    piece = {"id": "s1", "kind": "body", "first_frame": 0, "frames": 30}
    inner = {
        "id": "komp_inner",
        "fingerprint": "i",
        "frames": 30,
        "sources": {TRIM: "t"},
        "pieces": [piece | {"sources": [TRIM], "fingerprint": "pi"}],
        "estimate": {"cpu_seconds": 4.0},
    }
    outer = {
        "id": "komp_outer",
        "fingerprint": "o",
        "frames": 60,
        "sources": {"komp_inner": "i", "src_music_wav": "m"},
        "pieces": [piece | {"sources": ["komp_inner"], "fingerprint": "po"}],
        "sound": {"fingerprint": "so", "tracks": [{"source": "m"}]},
        "estimate": {"cpu_seconds": 4.0},
    }
    recipe = EffectRecipe(TRIM, {"src_a_mp4": "a.mp4"}, (Step("trim", ("src_a_mp4",), TRIM, {}),))
    found = build(
        disk(plans={"komp_inner": inner, "komp_outer": outer}, recipes={TRIM: recipe}),
        Log((), {}, {}),
        ROOT,
    )
    above = ancestors(found, "komp_outer")
    assert {"komp_inner", TRIM, "src_a_mp4", "src_music_wav", "komp_outer/sound"} <= set(above)
    assert above["src_music_wav"] == 2
    assert "src_music_wav" not in ancestors(found, "komp_inner")
    # A piece's share of the plan's estimate is that of its frames.
    assert found.nodes["komp_outer/s1"].cost.cpu_seconds == 2.0


def test_an_effect_without_its_source_is_impossible() -> None:
    recipe = EffectRecipe(TRIM, {"src_a_mp4": "a.mp4"}, (Step("trim", ("src_a_mp4",), TRIM, {}),))
    found = why(build(disk(recipes={TRIM: recipe}), Log((), {}, {}), ROOT), TRIM)
    assert found.status == "impossible"
    assert "src_a_mp4" in found.reasons[0].text
