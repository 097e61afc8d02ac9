"""Notices effects whose sources changed: they show as stale, and are made again when someone asks."""

import dagster as dg

from media_assets.defs.effect_recipes import EFFECT_RECIPE, observe_changed
from media_assets.defs.resources import MediaResource

_SECONDS = 5
_looked: set[str] = set()


@dg.sensor(
    name="effect_sensor",
    asset_selection=dg.AssetSelection.assets(EFFECT_RECIPE),
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Observes recipes of effects whose sources, operations or ffmpeg changed; runs nothing.",
)
def effect_sensor(context: dg.SensorEvaluationContext, media: MediaResource) -> dg.SensorResult:
    """Compare what each recipe gives now with what was observed."""
    root = str(media.settings.data_root)
    # The first tick of a process plans all: what it was started with may be other code.
    problems = observe_changed(context.instance, media, thorough=root not in _looked)
    _looked.add(root)
    for key, problem in problems.items():
        context.log.warning(f"{key} cannot be made now: {problem}")
    return dg.SensorResult()
