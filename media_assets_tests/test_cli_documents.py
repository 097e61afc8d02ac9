"""Documents are checked and converted from the command line; the schema is published."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from media_assets.cli_documents import schema_page
from media_assets.cli_kompositions import app
from media_assets.errors import BadInput, DocumentError
from media_assets.kompositions.document import read
from media_assets.settings import PROJECT_ROOT

FOREIGN = {
    "metadata": {"bpm": 120, "totalBeats": 64},
    "segments": [
        {
            **{"id": "a", "sourceRef": "a.mp4", "startBeat": 0, "endBeat": 16},
            "effects": [{"type": "neural_style"}],
        }
    ],
}


def _document(folder: Path) -> Path:
    path = folder / "foreign.json"
    path.write_text(json.dumps(FOREIGN))
    return path


def test_check_tells_the_form_the_findings_and_the_canonical_document(tmp_path: Path) -> None:
    path = _document(tmp_path)
    refused = CliRunner().invoke(app, ["check", str(path)])
    assert isinstance(refused.exception, DocumentError)
    done = CliRunner().invoke(app, ["check", str(path), "--lenient", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["valid"], told["dialect"]) == (True, "beats")
    assert told["document"]["segments"] == [{"id": "a", "source": "a.mp4", "duration": 16.0}]
    assert {"$.metadata.totalBeats", "$.segments[0].effects[0]"} <= {w["place"] for w in told["warnings"]}


def test_convert_writes_the_canonical_form_and_over_nothing(tmp_path: Path) -> None:
    path, out = _document(tmp_path), tmp_path / "canonical.json"
    done = CliRunner().invoke(app, ["convert", str(path), "-o", str(out), "--lenient"])
    assert done.exit_code == 0, done.output
    assert read(out).komposition == read(path, lenient=True).komposition
    assert read(out).dialect == "canonical"
    again = CliRunner().invoke(app, ["convert", str(path), "-o", str(out), "--lenient"])
    assert isinstance(again.exception, BadInput)


def test_the_published_schema_is_that_of_the_model() -> None:
    assert (PROJECT_ROOT / "docs" / "komposition.schema.json").read_text() == schema_page(), (
        "run `make docs`"
    )
    done = CliRunner().invoke(app, ["schema"])
    assert json.loads(done.stdout) == json.loads(schema_page())
