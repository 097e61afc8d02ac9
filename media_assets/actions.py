"""What the commands do: each step of ingest → workflow → komposition → analytics, in this process."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from media_assets.analytics import warehouse
from media_assets.components.loaded import loaded_workflow
from media_assets.defs.content_analysis import CONTENT, SCREENSHOTS, outstanding_analyses
from media_assets.defs.effect_recipes import observe_changed
from media_assets.defs.komposition_sensor import outstanding_plans, sync_documents
from media_assets.defs.kompositions import PLAN, VIDEO
from media_assets.defs.resources import MediaResource
from media_assets.defs.source_sensor import ingest_config, source_changes, sync_partitions
from media_assets.defs.sources import (
    SOURCE_FILE,
    THUMBNAIL,
    THUMBNAIL_EDGES,
    THUMBNAIL_VERSION,
    forget_sources,
)
from media_assets.defs.versions import out_of_date
from media_assets.defs.workflow_assets import WorkflowAssets
from media_assets.defs.workflow_automation import stale_constants
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.kompositions.compiling import Compiler
from media_assets.kompositions.document import load
from media_assets.kompositions.files import adopt, video_path
from media_assets.kompositions.plan import KompositionPlan
from media_assets.session import Session, failures
from media_assets.store.scan import Found

ANALYTICS = [dg.AssetKey("operation_events"), dg.AssetKey("operation_performance")]
_LONGEST_WAIT_SECONDS = 30.0


class RunFailed(MediaAssetsError):
    """A Dagster run did not succeed; the message is what its steps said."""


@dataclass(frozen=True)
class Row:
    """One materialized partition in a report: sizes in bytes, times in seconds."""

    asset: str
    partition: str
    path: str | None
    duration: float | None
    size: int | None
    seconds: float | None
    cached: bool | None


@dataclass(frozen=True)
class Asked:
    """Partitions that were asked for, and what failed among them."""

    asked: tuple[str, ...]
    failed: list[str]


class Actions:
    """The commands on one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.settings = session.settings
        self.media = MediaResource(data_root=str(session.settings.data_root))
        self.media.store.sweep()

    def ingest(self) -> dict[str, Any]:
        """Read what is new or changed, forget what is gone, refresh thumbnails and plans.

        Returns:
            The report that `ingest --json` prints.
        """
        started = time.monotonic()
        session, catalogue = self.session, self.media.sources
        files, growing = self._settled()
        changes = source_changes(session.instance, catalogue)
        if changes.removed:
            forget_sources(session.instance, catalogue, changes.removed)
        failed = []
        if files:
            config = ingest_config([file.relative for file in files])
            failed += failures(session.run([SOURCE_FILE], run_config=config))
        sync_partitions(session.instance, catalogue)
        thumbnails = self.thumbnails()
        failed += thumbnails.failed
        problems = self.plans() + self.effects()
        read = {file.id for file in files}
        sources = [facts.to_json() | {"ingested": facts.id in read} for facts in catalogue]
        return {
            # What a script reads is short; the whole probe is in the record and in the UI.
            "sources": [source | _summary(source) for source in sources],
            "rejected": [rejection.to_json() for rejection in catalogue.rejections()],
            "removed": list(changes.removed),
            "growing": [file.relative for file in growing],
            "ingested": len(read),
            "thumbnails": list(thumbnails.asked),
            "failed": failed,
            "problems": problems,
            "seconds": round(time.monotonic() - started, 3),
        }

    def thumbnails(self) -> Asked:
        """Make thumbnails that are missing or stale."""
        keys = [key for key in self.session.partitions(THUMBNAIL) if key is not None]
        wanted = out_of_date(self.session.instance, THUMBNAIL, THUMBNAIL_VERSION, THUMBNAIL_EDGES, keys)
        failed = failures(self.session.run([THUMBNAIL], list(wanted))) if wanted else []
        return Asked(tuple(wanted), failed)

    def plans(self) -> list[str]:
        """Plan every komposition whose document or sources changed; returns which cannot be, and why."""
        sync_documents(self.session.instance, self.media)
        keys = [key for key in self.session.partitions(PLAN) if key is not None]
        wanted, problems = outstanding_plans(self.session.instance, self.media, keys)
        failed = failures(self.session.run([PLAN], list(wanted))) if wanted else []
        return failed + [f"{key}: {problem}" for key, problem in problems.items()]

    def effects(self) -> list[str]:
        """Observe the recipes of effects whose sources changed; returns which cannot be made, and why."""
        problems = observe_changed(self.session.instance, self.media)
        return [f"{key}: {problem}" for key, problem in problems.items()]

    def run_workflow(self, name: str, sources: Sequence[str] = ()) -> list[Row]:
        """Make every node of a workflow for the sources given, or for all it takes.

        Raises:
            BadInput: no such workflow, or it does not take a source; RunFailed: a partition failed.
        """
        assets = WorkflowAssets(loaded_workflow(name))
        session = self.session
        present = [key for key in session.partitions(assets.keys[0]) if key is not None]
        wanted = [self.media.sources.identify(source) for source in sources] or present
        for key in wanted:
            if key not in present:
                hint = "it takes: " + (", ".join(present[:10]) or "nothing yet; ingest first")
                raise BadInput(f"{name} does not take {key}", hint=hint)
        constants = stale_constants(assets, session.instance, self.media.sources)
        problems = failures(session.run(constants)) if constants else []
        if wanted and not problems:
            problems = failures(session.run(assets.keys, wanted))
        if problems:
            raise RunFailed("\n".join(problems), where=name)
        return [self.row(key, partition) for partition in wanted for key in assets.keys]

    def plan_komposition(self, path: Path) -> KompositionPlan:
        """What a document compiles to now, from ingested sources.

        Raises:
            DocumentError, UnknownSource: it cannot be planned.
        """
        load(path)
        key, _ = adopt(path, self.settings.komposition_root)
        return Compiler(self.settings, self.media.sources.unchanged).compile(key).plan

    def plan_and_look(self, path: Path) -> tuple[KompositionPlan, set[str]]:
        """The plan of a document, and the fingerprints of its pieces that are in the store.

        Raises:
            DocumentError, UnknownSource: it cannot be planned.
        """
        self.ingest()
        compiled = self.plan_komposition(path)
        prints = {piece.fingerprint for piece in compiled.pieces}
        return compiled, {found for found in prints if self.media.store.get(found) is not None}

    def render_komposition(self, path: Path) -> dict[str, Any]:
        """Plan and render a document.

        Returns:
            The report that `komposition render --json` prints.

        Raises:
            DocumentError, UnknownSource: it cannot be planned; RunFailed: a piece failed.
        """
        started = time.monotonic()
        compiled = self.plan_komposition(path)
        sync_documents(self.session.instance, self.media)
        problems = failures(self.session.run([PLAN, VIDEO], [compiled.id]))
        if problems:
            raise RunFailed("\n".join(problems), where=compiled.id)
        metadata = self.session.metadata(VIDEO, compiled.id)
        result: dict[str, Any] = dict(metadata["result"])
        return result | {
            "version": metadata.get("version"),
            "id": compiled.id,
            "output": str(video_path(compiled.id, "", self.settings)),
            "warnings": [{"place": place, "message": text} for place, text in compiled.warnings],
            "seconds": round(time.monotonic() - started, 3),
        }

    def analytics(self) -> list[dict[str, Any]]:
        """Load the events and compute statistics; returns the rows of `operation_performance`.

        Raises:
            RunFailed: an analytics asset failed.
        """
        problems = failures(self.session.run(ANALYTICS))
        if problems:
            raise RunFailed("\n".join(problems), where="analytics")
        with warehouse.connect(self.settings.warehouse_path, read_only=True) as connection:
            table = warehouse.operation_statistics(connection)
        # JSON has no NaN: a figure that there is none of is null.
        rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=6))
        return rows

    def analyse(self, sources: Sequence[str] = ()) -> Asked:
        """Analyse the sources given, or all whose analysis or screenshots are missing or stale.

        Raises:
            UnknownSource: there is no such source.
        """
        present = [key for key in self.session.partitions(CONTENT) if key is not None]
        wanted = [self.media.sources.facts(source).id for source in sources]
        wanted = wanted or list(outstanding_analyses(self.session.instance, present))
        failed = failures(self.session.run([CONTENT, SCREENSHOTS], wanted)) if wanted else []
        return Asked(tuple(wanted), failed)

    def row(self, asset: dg.AssetKey, partition: str) -> Row:
        """A line about the latest materialization of a partition."""
        found = self.session.metadata(asset, partition)
        return Row(
            asset=asset.to_user_string(),
            partition=partition,
            path=found.get("output") or found.get("path"),
            duration=found.get("duration"),
            size=found.get("size"),
            seconds=found.get("seconds"),
            cached=found.get("cached"),
        )

    def _settled(self) -> tuple[list[Found], list[Found]]:
        """Files to read, once none is growing any more; what still grows after half a minute is left."""
        deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
        while True:
            changes = source_changes(self.session.instance, self.media.sources)
            if not changes.growing or time.monotonic() > deadline:
                return list(changes.unread), list(changes.growing)
            time.sleep(min(0.2, self.settings.settle_seconds))


def _summary(source: dict[str, Any]) -> dict[str, Any]:
    """The properties a script asks a source for, beside its whole probe."""
    info = source["info"]
    video = info["videos"][0] if info["videos"] else {}
    return {
        "size": info["size"],
        "width": video.get("width"),
        "height": video.get("height"),
        "fps": video.get("fps"),
        "video_codec": video.get("codec"),
        "audio_codec": info["audios"][0]["codec"] if info["audios"] else None,
    }
