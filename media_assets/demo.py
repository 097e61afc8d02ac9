"""`make demo`: everything once, on samples or on a folder of one's own."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from media_assets import progress
from media_assets.actions import Actions, Row
from media_assets.console import say
from media_assets.defs.kompositions import VIDEO
from media_assets.defs.sources import SOURCE_FILE, THUMBNAIL
from media_assets.errors import BadInput
from media_assets.kompositions.document import komposition_id
from media_assets.media.run import commands_started
from media_assets.samples import make_samples
from media_assets.settings import PROJECT_ROOT, Settings
from media_assets.store.files import write_json
from media_assets.store.sources import SourceFacts

WORKFLOW = "web_preview"
DOCUMENT = "sample.json"
_CLIPS = 8
_CLIP_SECONDS = 2.0


def data_root_for(media: Path, settings: Settings) -> Path:
    """A data root of its own for a folder of media, which is linked to and only read.

    Raises:
        BadInput: there is no such folder.
    """
    folder = media.expanduser().resolve()
    if not folder.is_dir():
        raise BadInput("there is no such folder", where=str(media))
    short = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    root = settings.data_root / "roots" / f"{folder.name}_{short}"
    root.mkdir(parents=True, exist_ok=True)
    link = root / "source"
    if not link.is_symlink():
        link.symlink_to(folder, target_is_directory=True)
    return root


def run_demo(actions: Actions) -> dict[str, Any]:
    """Samples → ingest → workflow → komposition → analytics; what the table at its end shows."""
    settings = actions.settings
    root = settings.source_root
    if not any(root.iterdir()):
        say("data/source is empty: making sample clips")
        make_samples(root, settings, lambda _, fraction: progress.report("samples", fraction))
    before = commands_started()
    report = actions.ingest()
    for rejected in report["rejected"]:
        say(f"rejected {rejected['path']}: {rejected['message']}")
    rows = _source_rows(actions, report)
    rows += actions.run_workflow(WORKFLOW)
    document = _document(settings, list(actions.media.sources))
    if document is not None:
        actions.render_komposition(document)
        rows.append(actions.row(VIDEO, komposition_id(DOCUMENT)))
    operations = actions.analytics()
    started = commands_started() - before
    return {
        "rows": [asdict(row) for row in rows],
        "ffmpeg_runs": started,
        "rejected": report["rejected"],
        "operations": operations,
    }


def _source_rows(actions: Actions, report: dict[str, Any]) -> list[Row]:
    rows = []
    for source in report["sources"]:
        rows.append(
            Row(
                asset=SOURCE_FILE.to_user_string(),
                partition=source["id"],
                path=source["path"],
                duration=source["duration"],
                size=source["size"],
                seconds=None,
                cached=None,
            )
        )
        thumbnail = actions.row(THUMBNAIL, source["id"])
        if source["id"] not in report["thumbnails"]:
            thumbnail = replace(thumbnail, cached=True, seconds=0.0)
        rows.append(thumbnail)
    return rows


def _document(settings: Settings, sources: list[SourceFacts]) -> Path | None:
    """The sample komposition where its sources are there, else one of what is there, if anything."""
    target = settings.komposition_root / DOCUMENT
    shipped = PROJECT_ROOT / "data" / "kompositions" / DOCUMENT
    if target.exists():
        return target
    if any(source.relative == "city.mp4" for source in sources) and shipped.exists():
        shutil.copyfile(shipped, target)
        return target
    proposal = propose(sources)
    if proposal is None:
        say("There is no picture among the sources: no komposition was made.")
        return None
    write_json(target, proposal)
    return target


def propose(sources: list[SourceFacts]) -> dict[str, Any] | None:
    """A first cut of what is there: two seconds from each of the first clips, over the first long sound."""
    pictures = [source for source in sources if source.info.kind in ("video", "image")][:_CLIPS]
    music = next((s for s in sources if s.info.kind == "audio" and (s.info.duration or 0) >= 5), None)
    if not pictures:
        return None
    segments = [{"source": source.relative, "duration": _length(source)} for source in pictures]
    document: dict[str, Any] = {
        "version": 1,
        "title": "A first cut",
        "unit": "seconds",
        "output": {"width": 1280, "height": 720, "fps": "30"},
        "segments": segments,
        "loudness": {"target_lufs": -14, "true_peak_db": -1},
    }
    if music is not None:
        document["music"] = {"source": music.relative, "fade_out": 1.0, "loop": True}
    return document


def _length(source: SourceFacts) -> float:
    return min(_CLIP_SECONDS, max(0.2, round(source.info.duration or _CLIP_SECONDS, 1)))
