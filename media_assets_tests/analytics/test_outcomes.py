"""What is told of operations that were done: their chain, what they were given, and what they cost."""

from __future__ import annotations

from typing import Any

from media_assets.analytics.chains import step_of
from media_assets.analytics.events import read_events
from media_assets.analytics.origin import origin_of
from media_assets.analytics.outcomes import Parts, Place, Tally, log_failure, log_result, log_whole
from media_assets.errors import Cancelled, DiskFull
from media_assets.media.hardware import encoders
from media_assets.planning.execute import execute
from media_assets.planning.plan import Plan, make_plan
from media_assets.planning.specs import OperationSpec
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets_tests.clips import Clips

CHAIN: tuple[dict[str, Any], ...] = (
    {"op": "trim", "input": "video", "output": "cut", "params": {"start": 0.5, "duration": 1}},
    {"op": "resize", "input": "cut", "output": "small", "params": {"width": 80}},
    {"op": "to_mp3", "input": "cut", "output": "sound", "params": {}},
)


def planned(clips: Clips, settings: Settings) -> Plan:
    specs = [OperationSpec.model_validate(spec) for spec in CHAIN]
    return make_plan(specs, {"video": clips["plain"]}, encoders(settings))


def told(settings: Settings) -> list[dict[str, Any]]:
    """All events, the oldest first."""
    return read_events(settings.event_root, 100)[::-1]


def test_a_chain_in_one_command_is_told_operation_by_operation(clips: Clips, settings: Settings) -> None:
    plan, store = planned(clips, settings), OutputStore(settings)
    wanted = {plan.nodes[name].recipe.id for name in ("small", "sound")}
    for _ in range(2):
        seen: set[str] = set()
        for result in execute(plan, ["small", "sound"], store, settings):
            place = Place(settings, "effect_output", result.node.recipe.id, "a-run")
            log_result(place, plan, result, wanted=wanted, told=seen)
    events = told(settings)
    assert [(e["operation"], e["outcome"]) for e in events] == [
        ("trim", "fused"),
        ("resize", "rendered"),
        ("to_mp3", "rendered"),
        ("trim", "fused"),
        ("resize", "cached"),
        ("to_mp3", "cached"),
    ]
    assert [(e["position"], e["previous"]) for e in events[:3]] == [(1, ""), (2, "trim"), (2, "trim")]
    assert len({e["chain"] for e in events}) == 1
    cut, small, sound = events[:3]
    assert (cut["cpu_seconds"], cut["duration_ms"], cut["bytes_written"]) == (0, 0, 0)
    assert small["cpu_seconds"] > 0
    assert (small["ffmpeg_runs"], sound["ffmpeg_runs"]) == (1, 0)
    source = clips["plain"]
    assert (small["source_kind"], small["source_codec"], small["size_category"]) == (
        "video",
        "h264",
        "tiny",
    )
    assert small["bytes_read"] == source.info.size
    assert (cut["width"], cut["height"], cut["resolution_class"]) == (160, 90, "sd")
    assert small["expected_cpu_seconds"] > 0
    assert small["expected_bytes"] > 0
    assert sound["output_format"] == "mp3"
    assert all(e["cpu_seconds"] == e["bytes_written"] == e["ffmpeg_runs"] == 0 for e in events[3:])
    assert small["output"] == plan.nodes["small"].recipe.id


def test_a_failure_is_told_as_an_operation_and_as_an_error(clips: Clips, settings: Settings) -> None:
    plan = planned(clips, settings)
    step = step_of(plan, "small")
    place = Place(settings, "web_preview/small", "src_a_mp4", "a-run", workflow="web_preview")
    recipe = step.node.recipe
    error = DiskFull("no room", where="/home/ann/wedding.mp4")
    log_failure(place, error, operation="resize", output=recipe.id, parameters=recipe.parameters, step=step)
    operation, failed = told(settings)
    assert (operation["outcome"], operation["error"], operation["previous"]) == (
        "failed",
        "DiskFull",
        "trim",
    )
    assert (failed["kind"], failed["stage"], failed["error"]) == ("error", "operation", "DiskFull")
    assert failed["retryable"]
    assert (failed["width"], failed["source_codec"], failed["workflow"]) == (160, "h264", "web_preview")
    assert failed["parameters"]["width"] == 80
    assert "ann" not in str([operation, failed])


def test_a_whole_is_told_with_its_counts(clips: Clips, settings: Settings) -> None:
    plan, store = planned(clips, settings), OutputStore(settings)
    (result,) = execute(plan, ["cut"], store, settings)
    assert result.outcome is not None
    parts = Parts(Place(settings, None, "komp_wedding"))
    parts.ended("komposition_segment", "komp_wedding/s1", result.outcome)
    parts.ended("komposition", "komp_wedding", result.outcome)
    tally = Tally()
    tally.add(Cancelled("stopped"))
    log_whole(Place(settings, None, "src_a_mp4", workflow="web_preview"), "workflow", tally, 1.5)
    done, cancelled = [event for event in told(settings) if event["kind"] == "workflow"]
    assert (done["type"], done["outcome"], done["operations"], done["rendered"]) == (
        "komposition",
        "done",
        2,
        2,
    )
    assert done["subject"] == origin_of(settings).subject("komp_wedding")
    assert (cancelled["outcome"], cancelled["success"], cancelled["failed"]) == ("cancelled", False, 1)
    assert (cancelled["duration_ms"], cancelled["workflow"]) == (1500.0, "web_preview")
    assert "wedding" not in str(told(settings))
