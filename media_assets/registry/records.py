"""What the registry is derived from: what the disk says, and what Dagster's event log says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from media_assets.kompositions.versions import Version
from media_assets.store.outputs import Output
from media_assets.store.recipes import EffectRecipe
from media_assets.store.sources import SourceFacts


@dataclass(frozen=True)
class Document:
    """A komposition's document: its path under the data root, the SHA-256 of its bytes, its versions."""

    path: str
    sha256: str
    versions: tuple[Version, ...]


@dataclass(frozen=True)
class Disk:
    """The sidecars and records of a data root.

    Attributes:
        sources: every source on record, by id.
        outputs: every whole output, by fingerprint.
        recipes: every effect's recipe, by its id.
        plans: every komposition's plan as it was kept, by its id.
        documents: every komposition's document, by its id.
    """

    sources: Mapping[str, SourceFacts]
    outputs: Mapping[str, Output]
    recipes: Mapping[str, EffectRecipe]
    plans: Mapping[str, Mapping[str, Any]]
    documents: Mapping[str, Document]


@dataclass(frozen=True)
class Parent:
    """What an asset depends on.

    Attributes:
        partitions: `same`, `whole` (the asset has none), or the partitions that are taken.
    """

    asset: str
    partitions: Literal["same", "whole"] | tuple[str, ...]


@dataclass(frozen=True)
class AssetFacts:
    """An asset as it is defined now, and the partitions that it has; one None where it has none."""

    asset: str
    code_version: str | None
    parents: tuple[Parent, ...]
    partitions: tuple[str | None, ...]
    workflow: str | None = None
    operation: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Materialized:
    """The latest materialization of a partition, or observation of an external asset.

    Attributes:
        time: seconds since the epoch.
        inputs: data version of each asset that it was made from.
        metadata: those of its values that are short.
        lost: what became of its file since, where it was cleaned away or found missing or damaged.
    """

    storage_id: int
    time: float
    version: str
    code_version: str | None
    inputs: Mapping[str, str]
    metadata: Mapping[str, Any]
    lost: str | None = None


@dataclass(frozen=True)
class Log:
    """Dagster's side: assets, what was materialized by (asset, partition), what was observed of recipes."""

    assets: tuple[AssetFacts, ...]
    materialized: Mapping[tuple[str, str | None], Materialized]
    observed: Mapping[str, Materialized]
