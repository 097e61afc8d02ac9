"""Reads the sidecars and records of a data root; nothing is written."""

from __future__ import annotations

from typing import Any

from media_assets.errors import MediaAssetsError
from media_assets.ids import hash_file
from media_assets.kompositions.files import documents
from media_assets.kompositions.versions import versions
from media_assets.registry.records import Disk, Document
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.plans import read_plan
from media_assets.store.recipes import EffectRecipe, RecipeStore
from media_assets.store.sources import SourceCatalogue


def read_disk(settings: Settings) -> Disk:
    """All that the disk says of sources, outputs, effects and kompositions."""
    return Disk(
        sources={facts.id: facts for facts in SourceCatalogue(settings)},
        outputs={output.recipe.fingerprint: output for output in OutputStore(settings)},
        recipes=_recipes(settings),
        plans=_plans(settings),
        documents=_documents(settings),
    )


def _recipes(settings: Settings) -> dict[str, EffectRecipe]:
    store, found = RecipeStore(settings), {}
    for identifier in store:
        try:
            found[identifier] = store.get(identifier)
        except MediaAssetsError:  # a damaged one tells nothing; its job writes it anew
            continue
    return found


def _plans(settings: Settings) -> dict[str, dict[str, Any]]:
    paths = sorted(settings.plan_root.glob("komp_*.json"))
    found = {path.stem: read_plan(settings, path.stem) for path in paths}
    return {key: plan for key, plan in found.items() if plan is not None}


def _documents(settings: Settings) -> dict[str, Document]:
    if not settings.komposition_root.is_dir():
        return {}
    return {
        key: Document(
            path.relative_to(settings.data_root).as_posix(), hash_file(path), versions(key, settings)
        )
        for key, path in documents(settings.komposition_root).items()
    }
