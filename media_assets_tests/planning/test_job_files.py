"""What a job takes from outside and gives back: sources by file and URL, limits, destinations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import DocumentError, FetchFailed
from media_assets.media.hardware import Encoders
from media_assets.planning.delivery import check_destinations, deliver_outputs
from media_assets.planning.jobspec import Job, open_job, read_job
from media_assets.planning.limits import check_plan
from media_assets.planning.plan import Plan, make_plan
from media_assets.planning.sourcing import facts, references
from media_assets.settings import Settings
from media_assets.store.scan import look
from media_assets.store.sources import SourceCatalogue
from media_assets_tests.making import clip
from media_assets_tests.planning.test_plan import source
from media_assets_tests.store.serving import serving

TRIM = {"op": "trim", "input": "a", "output": "x", "params": {"duration": 4}}


def job(sources: dict[str, Any], operations: list[dict[str, Any]] | None = None, **more: Any) -> Job:
    """A job on sources by id, each a reference or more."""
    inputs = [
        {"id": name, **(said if isinstance(said, dict) else {"source": said})}
        for name, said in sources.items()
    ]
    return read_job(
        {"inputs": inputs, "operations": operations or [TRIM], "outputs": [{"id": "x"}], **more}
    )


def joined(*names: str) -> list[dict[str, Any]]:
    return [{"op": "concatenate", "inputs": list(names), "output": "x"}]


def planned(asked: Job) -> Plan:
    """The plan over a ten-second video of 320x180."""
    return make_plan(asked.operations, {"a": source()}, Encoders("9.0"))


def test_a_url_is_an_ordinary_source_in_the_end(settings: Settings) -> None:
    with serving() as served:
        own = replace(settings, fetch_hosts=("127.0.0.1",))
        asked = job(
            {"a": served.url("/file/a.mp4"), "unused": served.url("/nothing"), "b": "b.mp4"},
            joined("a", "b"),
        )
        found = references(asked, own)
    assert set(found) == {"a", "b"}
    assert found["b"] == "b.mp4"
    assert look(own.source_root, found["a"]) is not None


def test_every_url_that_cannot_be_taken_is_told_with_its_line(settings: Settings, tmp_path: Path) -> None:
    with serving() as served:
        path = tmp_path / "job.yaml"
        path.write_text(
            "inputs:\n"
            f"  - {{id: a, source: '{served.url('/page')}'}}\n"
            f"  - {{id: b, source: '{served.url('/file/x.mp4')}'}}\n"
            "  - {id: c, source: 'http://10.0.0.1/x.mp4'}\n"
            "operations: [{op: concatenate, inputs: [a, b, c], output: x}]\n"
            "outputs: [{id: x}]\n"
            "limits: {max_fetch_size: 1kB}\n"
        )
        own = replace(settings, fetch_hosts=("127.0.0.1",))
        with pytest.raises(DocumentError) as caught:
            references(open_job(path), own)
        said = dict(caught.value.findings)
        assert set(said) == {f"$.inputs[{index}].source" for index in range(3)}
        assert "line 2: " in said["$.inputs[0].source"]
        assert "larger than 1000 bytes" in said["$.inputs[1].source"]
        assert "open internet" in said["$.inputs[2].source"]
        with pytest.raises(FetchFailed, match="503"):
            references(job({"a": served.url("/busy")}), own)


def test_sources_are_held_against_what_they_are(settings: Settings) -> None:
    root = settings.source_root
    catalogue = SourceCatalogue(settings)
    for name in ("good.mp4", "changed.mp4"):
        clip(settings, root / name, seconds=0.2)
    (root / "broken.mp4").write_bytes(b"no video")
    list(catalogue.ingest(list(catalogue.changes(now=0).unread)))
    (root / "changed.mp4").write_bytes(b"other")
    names = {
        "a": {"source": "good.mp4", "type": "video"},
        "b": {"source": "src_good_mp4", "type": "audio"},
        "c": "missing.mp4",
        "d": "/etc/passwd",
        "e": "changed.mp4",
        "f": "broken.mp4",
    }
    asked = job(names, joined(*names))
    with pytest.raises(DocumentError) as caught:
        facts(asked, references(asked, settings), catalogue)
    said = dict(caught.value.findings)
    assert {place: text for place, text in said.items() if place.endswith("type")} == {
        "$.inputs[1].type": "src_good_mp4 is video, not audio"
    }
    assert set(said) == {"$.inputs[1].type", *(f"$.inputs[{index}].source" for index in range(2, 6))}
    good = job({"a": names["a"]})
    assert facts(good, references(good, settings), catalogue)["a"].id == "src_good_mp4"


@pytest.mark.parametrize(
    ("limits", "place"),
    [
        ({"max_duration": 3.9}, "max_duration"),
        ({"max_resolution": "320x179"}, "max_resolution"),
        ({"max_cpu_seconds": 99}, "max_cpu_seconds"),
        ({"max_memory": "1MB"}, "max_memory"),
        (
            {"max_duration": 4, "max_resolution": "180x320", "max_cpu_seconds": 100, "max_memory": "1GB"},
            None,
        ),
        ({}, None),
    ],
)
def test_a_plan_beyond_its_limits_is_refused(limits: dict[str, Any], place: str | None) -> None:
    asked = job({"a": "a.mp4"}, limits=limits)
    if place is None:
        check_plan(asked, planned(asked), 100.0, 10_000_000)
        return
    with pytest.raises(DocumentError) as caught:
        check_plan(asked, planned(asked), 100.0, 10_000_000)
    assert [found for found, _ in caught.value.findings] == [f"$.limits.{place}"]


@pytest.mark.parametrize(
    ("operation", "output", "fits"),
    [
        (TRIM, {"destination": "a.mp4"}, True),
        (TRIM, {"destination": "a.m4v", "format": "mp4"}, True),
        (TRIM, {"destination": "a"}, True),
        (TRIM, {"destination": "a.webm"}, True),
        (TRIM, {"destination": "a.webm", "format": "mkv"}, False),
        (TRIM, {"destination": "a.png"}, False),
        (TRIM, {"format": "png"}, False),
        (TRIM, {"format": "MP4"}, True),
        ({"op": "to_mp3", "input": "a", "output": "x"}, {"destination": "a.mp3"}, True),
        ({"op": "to_mp3", "input": "a", "output": "x"}, {"destination": "a.wav"}, False),
    ],
)
def test_an_extension_says_what_is_in_the_file(
    operation: dict[str, Any], output: dict[str, Any], fits: bool
) -> None:
    asked = job({"a": "a.mp4"}, [operation], outputs=[{"id": "x", **output}])
    if fits:
        check_plan(asked, planned(asked))
        return
    with pytest.raises(DocumentError) as caught:
        check_plan(asked, planned(asked))
    (place,) = dict(caught.value.findings)
    assert place == f"$.outputs[0].{'destination' if 'destination' in output else 'format'}"


def test_destinations_are_held_before_and_filled_after(settings: Settings, tmp_path: Path) -> None:
    trims = [{**TRIM, "output": name, "start": index} for index, name in enumerate("xyz")]
    places = ("one.mp4", "deep/../one.mp4", "s3://bucket/a.mp4")
    outputs = [{"id": name, "destination": place} for name, place in zip("xyz", places, strict=True)]
    with pytest.raises(DocumentError) as caught:
        check_destinations(job({"a": "a.mp4"}, trims, outputs=outputs), settings)
    assert {place for place, _ in caught.value.findings} == {
        "$.outputs[1].destination",
        "$.outputs[2].destination",
    }
    asked = job({"a": "a.mp4"}, trims, outputs=[outputs[0], {"id": "y"}, {"id": "z"}])
    jobs = settings.output_root / "jobs"
    assert check_destinations(asked, settings) == {"x": str(jobs / "one.mp4")}
    finished = tmp_path / "finished.mp4"
    finished.write_bytes(b"pictures")
    assert deliver_outputs(asked, {"x": finished, "y": finished}, settings) == {
        "x": str(jobs / "one.mp4"),
        "y": str(finished),
    }
    assert (jobs / "one.mp4").read_bytes() == b"pictures"
