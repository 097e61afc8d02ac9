"""Kompositions and effects as sources: planned without rendering, rendered in order, cycles named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import DocumentError
from media_assets.kompositions.attending import AnalysisMissing
from media_assets.kompositions.chunks import chunks, shared_out
from media_assets.kompositions.compiling import Compiled, Compiler
from media_assets.kompositions.document import read
from media_assets.kompositions.guarding import GuardedStore, SourceChanged
from media_assets.kompositions.nesting import KompositionCycle, as_made, make_all
from media_assets.kompositions.outcomes import Step
from media_assets.kompositions.render import RenderedKomposition, render, render_parts
from media_assets.media.hardware import encoders
from media_assets.planning.effects import recipe_of
from media_assets.planning.plan import make_plan
from media_assets.planning.specs import OperationSpec
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.recipes import RecipeStore
from media_assets.store.sources import SourceCatalogue
from media_assets_tests.kompositions.composing import document, numbered, numbers, path_of, sounding
from media_assets_tests.making import ingested, make


def write(settings: Settings, name: str, data: dict[str, Any]) -> Path:
    """A document under the data root."""
    path = settings.komposition_root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def using(*sources: str, **more: Any) -> dict[str, Any]:
    """Half a second from each source, from its tenth picture on."""
    return document([{"source": name, "in_point": 1 / 3, "duration": 0.5} for name in sources], **more)


def compiled(settings: Settings, key: str) -> Compiled:
    return Compiler(settings, SourceCatalogue(settings).facts).compile(key)


def made(
    settings: Settings, found: Compiled, told: Callable[[Step], None] | None = None
) -> RenderedKomposition:
    """A komposition rendered after all that is nested in it."""
    store = OutputStore(settings)
    make_all(found.nested, settings, store, told=told)
    return render(found.plan, as_made(found.sources, settings, store), settings, store, on_outcome=told)


def effect(settings: Settings, source: str, start: float) -> str:
    """The id of a trim of a source, whose recipe is kept."""
    facts = SourceCatalogue(settings).facts(source)
    spec = OperationSpec(op="trim", inputs=["in"], output="cut", params={"start": start, "duration": 2.0})
    plan = make_plan([spec], {"in": facts}, encoders(settings))
    recipe = recipe_of(plan, "cut")
    RecipeStore(settings).put(recipe)
    return recipe.id


@pytest.fixture
def clip(settings: Settings) -> str:
    """A source whose pictures are numbered from 0 to 119."""
    ingested(settings, numbered(settings, "n.mp4"))
    return "n.mp4"


def test_a_nested_komposition_is_planned_without_rendering_and_then_shows_its_frames(
    settings: Settings, clip: str
) -> None:
    write(settings, "inner.json", document([{"source": clip, "in_point": 1, "duration": 2}]))
    write(settings, "outer.json", using("komp_inner", clip))
    found = compiled(settings, "komp_outer")
    assert list(OutputStore(settings)) == []
    assert found.derived_from == ["komp_inner", "src_n_mp4"]
    assert found.to_json()["nested"] == {"komp_inner": compiled(settings, "komp_inner").fingerprint}
    steps: list[Step] = []
    result = made(settings, found, steps.append)
    assert numbers(settings, path_of(result)) == [*range(40, 55), *range(10, 25)]
    assert [step.id for step in steps].index("komp_inner") < [step.id for step in steps].index("komp_outer")
    assert made(settings, compiled(settings, "komp_outer")).ffmpeg_runs == 0


def test_a_change_inside_changes_the_plans_of_all_that_nest_it(settings: Settings, clip: str) -> None:
    write(settings, "a.json", document([{"source": clip, "duration": 2}]))
    write(settings, "b.json", using("komp_a"))
    write(settings, "c.json", using("komp_b", clip, audio=[]))
    before = {key: compiled(settings, key).fingerprint for key in ("komp_a", "komp_b", "komp_c")}
    write(settings, "a.json", document([{"source": clip, "in_point": 0.5, "duration": 2}]))
    after = {key: compiled(settings, key).fingerprint for key in before}
    assert all(before[key] != after[key] for key in before)
    assert [one.source.id for one in compiled(settings, "komp_c").nested] == ["komp_a", "komp_b"]


def test_an_effect_is_taken_by_a_prefix_of_its_id(settings: Settings, clip: str) -> None:
    identifier = effect(settings, clip, 0.5)
    write(settings, "outer.json", using(identifier[:-8], "komp_inner"))
    write(settings, "inner.json", document([{"source": identifier, "duration": 1}]))
    found = compiled(settings, "komp_outer")
    assert found.derived_from == [identifier, "komp_inner", "src_n_mp4"]
    result = made(settings, found)
    assert numbers(settings, path_of(result)) == [*range(25, 40), *range(25, 40)]


def test_two_documents_of_one_content_share_their_video(settings: Settings, clip: str) -> None:
    for name in ("one.json", "two.json"):
        write(settings, name, document([{"source": clip, "duration": 1}]))
    write(settings, "outer.json", using("komp_two", "komp_one"))
    found = compiled(settings, "komp_outer")
    assert len(found.nested) == 1
    assert numbers(settings, path_of(made(settings, found))) == [*range(10, 25)] * 2


@pytest.mark.parametrize("ring", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_cycle_is_named(settings: Settings, clip: str, ring: list[str]) -> None:
    for here, there in zip(ring, [*ring[1:], ring[0]], strict=True):
        write(settings, f"{here}.json", using(f"komp_{there}"))
    write(settings, "outside.json", using(clip, "komp_a"))
    names = " → ".join(f"komp_{name}" for name in [*ring, ring[0]])
    for key in ("komp_a", "komp_outside"):
        with pytest.raises(KompositionCycle, match=names):
            compiled(settings, key)


def test_what_is_missing_or_broken_is_told_with_its_place(settings: Settings, clip: str) -> None:
    write(settings, "broken.json", {"version": 1})
    write(
        settings,
        "outer.json",
        using("komp_gone", clip, "komp_broken", "effect_trim_0123456789abcdef", "x.mp4"),
    )
    with pytest.raises(DocumentError) as caught:
        compiled(settings, "komp_outer")
    findings = dict(caught.value.findings)
    assert list(findings) == [f"$.segments[{n}].source" for n in (0, 2, 3, 4)]
    assert "no such komposition" in findings["$.segments[0].source"]
    assert "$.segments: line 1: is missing" in findings["$.segments[2].source"]
    assert "no such effect" in findings["$.segments[3].source"]
    assert "no such source" in findings["$.segments[4].source"]


def test_a_file_of_that_name_comes_before_a_komposition(settings: Settings) -> None:
    make(
        settings,
        settings.source_root / "komp_inner",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=d=1:s=160x90",
        "-f",
        "mp4",
    )
    ingested(settings, settings.source_root / "komp_inner")
    write(settings, "outer.json", using("komp_inner"))
    assert compiled(settings, "komp_outer").nested == ()


def test_an_analysis_is_made_by_who_may_take_the_time(settings: Settings) -> None:
    ingested(settings, sounding(settings, "s.mp4", seconds=2, expression="0.1*sin(660*t)"))
    write(settings, "inner.json", document([{"source": "s.mp4", "duration": 2}]))
    write(settings, "outer.json", using("komp_inner", speech="keep"))
    with pytest.raises(AnalysisMissing, match="komp_inner"):
        Compiler(settings, SourceCatalogue(settings).facts, listens=False).compile("komp_outer")
    found = compiled(settings, "komp_outer")
    again = Compiler(settings, SourceCatalogue(settings).facts, listens=False).compile("komp_outer")
    assert again.fingerprint == found.fingerprint


def test_a_name_of_the_document_stands_for_its_source(settings: Settings, clip: str) -> None:
    named = using("take", sources={"take": clip, "logo": "logo.png"})
    write(settings, "named.json", named)
    write(settings, "plain.json", using(clip))
    found = compiled(settings, "komp_named")
    assert found.plan.fingerprint == compiled(settings, "komp_plain").plan.fingerprint
    assert made(settings, found).segments[0].sources == (
        ingested(settings, settings.source_root / clip).id,
    )


def test_effects_of_the_document_are_those_of_each_segment(settings: Settings, clip: str) -> None:
    grey = [{"op": "color_correction", "saturation": 0}]
    data = using(clip, clip)
    write(settings, "whole.json", {**data, "effects": grey})
    write(settings, "each.json", {**data, "segments": [{**s, "effects": grey} for s in data["segments"]]})
    plans = [compiled(settings, key).plan for key in ("komp_whole", "komp_each")]
    assert plans[0].fingerprint == plans[1].fingerprint
    write(settings, "wrong.json", {**data, "effects": [{"op": "color_correction", "saturation": -1}]})
    with pytest.raises(DocumentError) as caught:
        compiled(settings, "komp_wrong")
    assert [place for place, _ in caught.value.findings] == ["$.effects[0].saturation"]


def test_renditions_are_plans_of_their_own(settings: Settings, clip: str) -> None:
    plain = compiled_from(settings, using(clip))
    listed = compiled_from(settings, using(clip, renditions=[{"id": "tall", "width": 90, "height": 160}]))
    assert listed.plan.fingerprint == plain.plan.fingerprint == plain.fingerprint != listed.fingerprint
    assert (listed.renditions["tall"].output.width, listed.renditions["tall"].frames) == (90, 15)


def compiled_from(settings: Settings, data: dict[str, Any]) -> Compiled:
    write(settings, "doc.json", data)
    return compiled(settings, "komp_doc")


def _four(clip: str) -> list[dict[str, Any]]:
    return [{"source": clip, "in_point": n / 2, "duration": 0.2} for n in range(4)]


def test_chunks_hold_what_is_missing_and_nothing_twice(settings: Settings, clip: str) -> None:
    found = compiled_from(settings, document(_four(clip)))
    plans = {"": found.plan}
    store = OutputStore(settings)
    assert chunks("komp_doc", plans, store, 1000) == []
    many = chunks("komp_doc", plans, store, 0.001)
    parts = [part for chunk in many for part in chunk.parts]
    assert sorted(parts) == sorted(
        {*(p.fingerprint for p in found.plan.pieces), found.plan.sound_fingerprint}
    )
    for chunk in many:
        render_parts(found.plan, found.sources, settings, store, chunk.parts)
    assert store.get(found.plan.fingerprint) is None
    assert chunks("komp_doc", plans, store, 0.001) == []
    # All that is left is the join.
    assert made(settings, found).ffmpeg_runs == 1


def test_work_is_shared_out_evenly() -> None:
    costs = {f"p{n}": float(n % 7 + 1) for n in range(50)}
    groups = shared_out(costs, 20)
    loads = [sum(costs[part] for part in group) for group in groups]
    assert sorted(part for group in groups for part in group) == sorted(costs)
    assert len(groups) == 10
    assert max(loads) - min(loads) <= 1
    assert shared_out({"whole": 100.0}, 20) == [("whole",)]
    assert shared_out({}, 20) == []


@pytest.mark.parametrize("fate", ["changed", "removed"])
def test_nothing_is_kept_of_a_source_that_changes_during_the_render(
    settings: Settings, clip: str, fate: str
) -> None:
    found = compiled_from(settings, using(clip))
    path = settings.source_root / clip
    content = path.read_bytes()

    def strike(fraction: float) -> None:
        path.unlink(missing_ok=True)
        if fate == "changed":
            path.write_bytes(content[::-1])

    catalogue = SourceCatalogue(settings)
    store = GuardedStore(settings, catalogue.unchanged)
    with pytest.raises(SourceChanged, match="while it was being rendered"):
        render(found.plan, found.sources, settings, store, on_progress=strike)
    assert [o.recipe.derived_from for o in OutputStore(settings)] in ([], [()])  # silence is of no source
    assert list((settings.store_root / "pending").iterdir()) == []


def test_what_was_decided_in_reading_is_told_with_the_plan(settings: Settings, clip: str) -> None:
    written = {
        "metadata": {"title": "t", "bpm": 120, "totalBeats": 16},
        "segments": [{"id": "a", "startBeat": 0, "endBeat": 2, "sourceRef": clip}],
    }
    path = write(settings, "old.json", written)
    warnings = read(path).warnings
    assert warnings
    assert set(warnings) <= set(compiled(settings, "komp_old").plan.warnings)
