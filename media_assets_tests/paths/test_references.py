"""A name from outside that leads out of its folder is refused, with the place where it stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from media_assets.editing import find
from media_assets.errors import BadInput, DocumentError
from media_assets.kompositions.compiling import Compiler
from media_assets.kompositions.interchange import from_otio
from media_assets.planning.jobspec import read_job
from media_assets.planning.sourcing import facts, references
from media_assets.store.recipes import EffectRecipe, RecipeStore, Step
from media_assets_tests.paths.conftest import CANARY, Kept

OUTSIDE = [
    "{out}",
    "a/../../../canary.mp4",
    "./../../canary.mp4",
    "{canary}",
    "/etc/passwd",
    "file:{canary}",
    "file://{canary}",
    "~/canary.mp4",
    "..\\..\\canary.mp4",
    "%2e%2e/%2e%2e/canary.mp4",
    "\uff0e\uff0e/\uff0e\uff0e/canary.mp4",
    "out/canary.mp4",
    "concat:{canary}",
    "subfile,,start,0,end,9,,:{canary}",
    "data:text/plain,hello",
    "pipe:0",
    "fd:0",
    "http://127.0.0.1:9/canary.mp4",
    "lavfi:testsrc",
    "movie={canary}",
    "-i",
    "--",
    "%d.mp4",
    "%%",
    "a.mp4\0.png",
    "a.mp4\n",
    "$(touch x)",
    "`touch x`",
    "; touch x",
    "x" * 256 + ".mp4",
    "x/" * 3000 + "a.mp4",
    "\ud800.mp4",
    ".",
    "..",
    "/",
    "",
]

Taken = Callable[[Kept, str], object]


def _in_a_komposition(kept: Kept, reference: str) -> object:
    document = {
        "version": 1,
        "unit": "seconds",
        "output": {"width": 160, "height": 90, "fps": "30"},
        "segments": [{"source": reference, "duration": 0.2}],
    }
    path = kept.settings.komposition_root / "bad.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return Compiler(kept.settings, kept.catalogue.unchanged).compile("komp_bad")


def _in_a_job(kept: Kept, reference: str) -> object:
    job = read_job(
        {
            "inputs": [{"id": "one", "source": reference}],
            "operations": [{"op": "trim", "inputs": ["one"], "output": "cut", "params": {"duration": 0.2}}],
            "outputs": [{"id": "cut"}],
        }
    )
    return facts(job, references(job, kept.settings), kept.catalogue)


def _in_a_recipe(kept: Kept, reference: str) -> object:
    """A recipe that somebody wrote into the folder of recipes."""
    identifier = "effect_trim_0123456789abcdef"
    step = Step("trim", (reference,), identifier, {"duration": 0.2})
    recipe = EffectRecipe(identifier, {reference: reference}, (step,))
    kept.settings.effect_root.mkdir(exist_ok=True)
    (kept.settings.effect_root / f"{identifier}.json").write_text(json.dumps(recipe.to_json()))
    recipe = RecipeStore(kept.settings).get(identifier)
    return {name: kept.catalogue.unchanged(name) for name in recipe.inputs}


TAKERS: Mapping[str, Taken] = {
    "source": lambda kept, reference: kept.catalogue.unchanged(reference),
    "komposition": _in_a_komposition,
    "job": _in_a_job,
    "recipe": _in_a_recipe,
    "restored document": lambda kept, reference: find(f"{reference}@1", kept.settings),
    "effect": lambda kept, reference: RecipeStore(kept.settings).find(reference),
}


@pytest.mark.parametrize("taker", list(TAKERS))
def test_a_reference_never_leads_out(kept: Kept, taker: str) -> None:
    (kept.settings.source_root / "out").symlink_to(kept.canary.parent)
    for given in OUTSIDE:
        reference = given.replace("{out}", kept.out).replace("{canary}", str(kept.canary))
        with pytest.raises(BadInput) as caught:
            TAKERS[taker](kept, reference)
        assert CANARY not in str(caught.value)
        assert isinstance(caught.value, DocumentError) or caught.value.where is not None, given


@pytest.mark.parametrize("url", [u for u in OUTSIDE if "\ud800" not in u and u])
def test_a_timeline_brings_only_names_below_the_source_folder(kept: Kept, url: str) -> None:
    """What an .otio file calls its media is cut down to a name, which is then held against the sources."""
    reference = url.replace("{out}", kept.out).replace("{canary}", str(kept.canary))
    media = {"OTIO_SCHEMA": "ExternalReference.1", "target_url": reference, "available_range": _range(10)}
    clip = {
        "OTIO_SCHEMA": "Clip.2",
        "name": "one",
        "source_range": _range(5),
        "media_references": {"DEFAULT_MEDIA": media},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }
    track = {"OTIO_SCHEMA": "Track.1", "kind": "Video", "name": "v", "children": [clip]}
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "s", "children": [track]}
    timeline = {"OTIO_SCHEMA": "Timeline.1", "name": "t", "tracks": stack}
    try:
        komposition, _, _ = from_otio(json.dumps(timeline), "t.otio", size=(160, 90))
    except BadInput as error:
        assert error.where is not None
        return
    with pytest.raises(DocumentError):
        Compiler(kept.settings, kept.catalogue.unchanged).compile_as(komposition, "komp_t")


def _range(frames: int) -> dict[str, Any]:
    def time(value: int) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": 25.0, "value": value}

    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(0), "duration": time(frames)}
