"""Ticks of the project's own sensors on a real instance, and the runs that they ask for."""

from __future__ import annotations

import dagster as dg

from media_assets.actions import Actions
from media_assets.defs.batches import covered

SENSORS = (
    "source_sensor",
    "thumbnail_sensor",
    "web_preview_sensor",
    "content_analysis_sensor",
    "komposition_sensor",
)
Asked = tuple[str, tuple[str, ...]]
"""The first asset of a run, and the partitions or files it takes, in order."""


def tick(actions: Actions, sensor: str, cursor: str | None = None) -> dg.SensorResult:
    """What a sensor answers, from that cursor."""
    definitions = actions.session.definitions
    definition = definitions.get_repository_def().get_sensor_def(sensor)
    with dg.build_sensor_context(
        instance=actions.session.instance,
        cursor=cursor,
        definitions=definitions,
        resources={"media": actions.media},
    ) as context:
        found = definition.evaluate_tick(context)
    return dg.SensorResult(run_requests=found.run_requests, skip_reason=found.skip_message)


def runs(actions: Actions, result: dg.SensorResult) -> list[Asked]:
    """What was asked for, for people to read."""
    return [_asked(actions, request) for request in result.run_requests or []]


def carry_out(actions: Actions, result: dg.SensorResult) -> list[dg.ExecuteInProcessResult]:
    """Run what was asked for."""
    results = []
    for request in result.run_requests or []:
        assets = list(request.asset_selection or [])
        if request.run_config:
            results += actions.session.run(assets, run_config=request.run_config, tags=request.tags)
        else:
            results += actions.session.run(assets, list(_asked(actions, request)[1]))
    return results


def settle(actions: Actions, sensors: tuple[str, ...] = SENSORS) -> list[Asked]:
    """Tick and run until no sensor asks for anything; everything that was asked for."""
    done: list[Asked] = []
    for _ in range(10):
        before = len(done)
        for sensor in sensors:
            result = tick(actions, sensor)
            done += runs(actions, result)
            carry_out(actions, result)
        if len(done) == before:
            return done
    raise AssertionError(f"it never comes to rest: {done}")


def _asked(actions: Actions, request: dg.RunRequest) -> Asked:
    asset = (request.asset_selection or [])[0]
    if request.run_config:
        return asset.to_user_string(), tuple(request.run_config["ops"]["source_file"]["config"]["paths"])
    # In the order of the asset's own set: a range means other keys in another set's order.
    order = [key for key in actions.session.partitions(asset) if key is not None]
    keys = covered(dg.DagsterRun(job_name="asked", tags=request.tags), order)
    return asset.to_user_string(), tuple(key for key in order if key in keys)
