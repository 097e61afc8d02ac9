"""A short komposition is one step of a run; a long one is spread over workers, and loses no part."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from media_assets.actions import Actions
from media_assets.defs import komposition_reports
from media_assets.defs.batches import range_tags
from media_assets.defs.komposition_sensor import outstanding_plans
from media_assets.defs.kompositions import PLAN, VIDEO
from media_assets.media.probe import probe
from media_assets.store.outputs import OutputStore
from media_assets_tests.defs.conftest import BLUE, RED, TONE, statuses, write_document
from media_assets_tests.measuring import pictures

FIRST, LAST = "komposition.plan_and_render", "komposition.finish"


def prepared(actions: Actions) -> None:
    """Sources and documents known to Dagster, nothing planned or rendered."""
    actions.ingest()


def succeeded(result: dg.ExecuteInProcessResult) -> list[str]:
    """Steps of a run that ended well, in order."""
    return [str(event.step_key) for event in result.all_events if event.is_step_success]


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every komposition is long: what takes a hundredth of a CPU-second is worth a worker."""
    monkeypatch.setenv("MEDIA_ASSETS_CHUNK_CPU_SECONDS", "0.01")


def test_a_short_komposition_is_one_step_and_says_what_it_is_made_of(
    actions: Actions, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(komposition_reports, "_SECONDS_BETWEEN_LINES", 0.0)
    write_document(root, "outer.json", [("komp_both", 0.5), (RED, 0.0)])
    prepared(actions)
    (result,) = actions.session.run([PLAN, VIDEO], ["komp_both", "komp_outer"])
    assert result.success
    assert succeeded(result) == [FIRST]
    lines = [entry.user_message for entry in logged(actions, result.run_id)]
    assert "komp_both: 100% rendered" in lines
    found = actions.session.metadata(VIDEO, "komp_outer")
    assert found["derived_from"] == ["komp_both", "src_blue_mp4", "src_red_mp4"]
    assert found["version"] == 1
    rows = found["segments"].split("\n")
    assert rows[0] == "| segment | source | effects | rendered or cached | seconds |"
    assert [row.split(" | ")[:2] for row in rows[2:]] == [
        ["| s1", "komp_both"],
        ["| s2", "src_red_mp4"],
        ["| sound", "komp_both, src_red_mp4"],
    ]
    # What is nested and changes makes what nests it out of date.
    write_document(root, "both.json", [(BLUE, 0.0), (BLUE, 0.5)])
    keys = ["komp_both", "komp_outer"]
    wanted, problems = outstanding_plans(actions.session.instance, actions.media, keys)
    assert (sorted(wanted), problems) == (keys, {})


def test_a_long_one_is_rendered_in_chunks_to_the_same_video(
    actions: Actions, root: Path, long: None
) -> None:
    prepared(actions)
    (result,) = actions.session.run([PLAN, VIDEO], ["komp_both"])
    assert result.success
    steps = succeeded(result)
    assert steps[0] == FIRST
    assert steps[-1] == LAST
    assert len(steps) >= 4
    assert all(step.startswith("komposition.render_chunk[komp_both_") for step in steps[1:-1])
    settings = actions.settings
    assert len(pictures(settings, settings.output_root / "kompositions" / "both.mp4")) == 60
    found = statuses(actions)
    assert (
        found["komposition_video", "komp_both"] == found["komposition_plan", "komp_both"] == "materialized"
    )
    # Everything was rendered by chunks: the last step only joins.
    assert {
        row["cached"] for row in actions.session.metadata(VIDEO, "komp_both")["result"]["segments"]
    } == {True}
    (again,) = actions.session.run([PLAN, VIDEO], ["komp_both"])
    assert succeeded(again) == [FIRST]


def test_what_fails_fails_alone_and_says_which_piece(actions: Actions, root: Path, long: None) -> None:
    write_document(root, "bad.json", [(RED, 0.0), (TONE, 0.0)])
    write_document(root, "other.json", [(BLUE, 0.0)])
    prepared(actions)
    red = root / "source" / RED
    before = red.stat()
    with red.open("r+b") as file:  # the same file by its size and time, and nothing in it
        file.write(b"\0" * before.st_size)
    os.utime(red, ns=(before.st_atime_ns, before.st_mtime_ns))
    (result,) = actions.session.run([PLAN, VIDEO], ["komp_bad", "komp_both", "komp_other"])
    assert not result.success
    assert LAST not in succeeded(result)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == LAST
    error = failure.step_failure_data.error
    assert error is not None
    assert "2 of 3 partitions failed" in error.message
    assert "komp_bad" in error.message
    texts = [e.user_message for e in logged(actions, result.run_id)]
    assert any(text.startswith("komp_both, chunk ") and "s1" in text for text in texts)
    found = statuses(actions)
    assert found["komposition_video", "komp_other"] == "materialized"
    assert found["komposition_video", "komp_both"] == "missing"
    assert not (root / "output" / "kompositions" / "both.mp4").exists()
    kept = [o.recipe for o in OutputStore(actions.settings) if o.recipe.operation == "komposition_segment"]
    assert {recipe.derived_from for recipe in kept} == {("src_blue_mp4",)}


def logged(actions: Actions, run_id: str) -> list[dg.EventLogEntry]:
    """Everything a run logged."""
    return list(actions.session.instance.all_logs(run_id))


def test_renditions_are_published_beside_the_video(actions: Actions, root: Path) -> None:
    tall = {"id": "tall", "width": 90, "height": 160, "fit": "cover"}
    write_document(root, "both.json", [(RED, 0.0), (BLUE, 0.5)], renditions=[tall])
    prepared(actions)
    (result,) = actions.session.run([PLAN, VIDEO], ["komp_both"])
    assert result.success
    folder = root / "output" / "kompositions"
    assert sorted(path.name for path in folder.iterdir()) == ["both.mp4", "both_tall.mp4"]
    video = probe(folder / "both_tall.mp4", actions.settings).videos[0]
    assert (video.width, video.height, video.frames) == (90, 160, 60)
    assert actions.session.metadata(PLAN, "komp_both")["renditions"] == {"tall": "90x160"}
    write_document(root, "both.json", [(RED, 0.0), (BLUE, 0.5)], renditions=[tall | {"fit": "contain"}])
    wanted, _ = outstanding_plans(actions.session.instance, actions.media, ["komp_both"])
    assert list(wanted) == ["komp_both"]


def test_a_tick_asks_for_what_must_be_listened_to_first(actions: Actions, root: Path) -> None:
    prepared(actions)
    write_document(root, "both.json", [(RED, 0.0)], unit="beats", bpm="auto", music={"source": TONE})
    wanted, problems = outstanding_plans(actions.session.instance, actions.media, ["komp_both"])
    assert wanted == {"komp_both": f"{TONE} must be analysed first (materialize the plan)"}
    assert problems == {}
    assert not list((root / "metadata").glob("analyses/*/*.json"))


def spread() -> dg.JobDefinition:
    """The komposition graph with a process for each step."""
    from media_assets.definitions import defs

    job = dg.define_asset_job("spread", [PLAN, VIDEO], executor_def=dg.multiprocess_executor)
    return dg.Definitions.merge(defs(), dg.Definitions(jobs=[job])).get_job_def("spread")


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_is_killed_is_replaced(actions: Actions, root: Path, long: None) -> None:
    prepared(actions)
    killed: list[int] = []
    over = threading.Event()

    def kill_the_first() -> None:
        """Workers name what they write after themselves."""
        while not over.wait(0.002):
            for folder in (root / "store" / "pending").iterdir():
                pid = int(folder.name.split("-")[0])
                if pid != os.getpid() and not killed:
                    killed.append(pid)
                    os.kill(pid, signal.SIGKILL)
                    return

    modules = ["media_assets.definitions", "media_assets_tests.defs.conftest"]
    executor: dict[str, Any] = {"start_method": {"forkserver": {"preload_modules": modules}}}
    thread = threading.Thread(target=kill_the_first)
    thread.start()
    try:
        result = dg.execute_job(
            dg.reconstructable(spread),
            actions.session.instance,
            run_config={"execution": {"config": executor}},
            tags=range_tags(["komp_both"]),
            raise_on_error=False,
        )
    finally:
        over.set()
        thread.join()
    assert len(killed) == 1
    assert result.success
    steps = [str(event.step_key) for event in result.all_events if event.is_step_success]
    assert len(steps) >= 4
    assert [event.event_type_value for event in result.all_events].count("STEP_UP_FOR_RETRY") == 1
    settings = actions.settings
    assert len(pictures(settings, settings.output_root / "kompositions" / "both.mp4")) == 60
    assert statuses(actions)["komposition_video", "komp_both"] == "materialized"
