"""Sources of one content share what is made of them; one that went comes back whole."""

from __future__ import annotations

import json
from pathlib import Path

from media_assets.actions import Actions
from media_assets.jobs import run_job
from media_assets.upkeep import verify
from media_assets_tests.defs.conftest import BLUE, RED, put


def test_an_effect_of_a_source_with_anothers_content_has_a_name_of_its_own(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    twin = "twin.mp4"
    put(root, twin, (prototypes / RED).read_bytes())
    paths = {}
    for name in (RED, twin):
        cut = {"op": "trim", "input": "video", "output": "cut", "start": 0.5, "duration": 1}
        document = {"inputs": [{"id": "video", "source": name}], "operations": [cut]}
        job = root / f"{name}.json"
        job.write_text(json.dumps(document | {"outputs": [{"id": "cut"}]}))
        (output,) = run_job(actions, job).outputs
        paths[name] = Path(str(output.path))
    assert paths[RED].read_bytes() == paths[twin].read_bytes()
    assert [paths[name].name.startswith(f"trim_src_{name[:-4]}_mp4_") for name in (RED, twin)] == [
        True,
        True,
    ]
    # The first changes: what the second shows, and what is on record of it, stay as they are.
    put(root, RED, (prototypes / BLUE).read_bytes())
    run_job(actions, root / f"{RED}.json")
    assert paths[RED].read_bytes() != paths[twin].read_bytes()
    assert verify(actions.session).checked.findings == ()


def test_a_source_that_comes_back_has_its_screenshots_again(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    actions.ingest()
    assert actions.analyse([RED]).failed == []
    folder = root / "output" / "screenshots" / "src_red_mp4"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (root / "source" / RED).unlink()
    actions.ingest()
    assert not folder.exists()
    put(root, RED, (prototypes / RED).read_bytes())
    actions.ingest()
    (status,) = actions.session.status("screenshots", "src_red_mp4")
    assert status.status == "stale"  # the same content, but nothing is published
    assert "src_red_mp4" in actions.analyse().asked
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (status,) = actions.session.status("screenshots", "src_red_mp4")
    assert status.status == "materialized"
