"""Adopting a template saves a workflow that Dagster loads, overwrites nothing, and is counted since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from media_assets import cli
from media_assets.adopting import adopt, templates_now
from media_assets.analytics.connection import connect
from media_assets.analytics.templating.adoptions import adoptions
from media_assets.components.loaded import forget_saved, loaded_workflow, loaded_workflows
from media_assets.components.saved import read_saved
from media_assets.defs.analytics.events import WarehouseResource, operation_events
from media_assets.defs.analytics.sequences import operation_sequences
from media_assets.defs.analytics.templates import workflow_templates
from media_assets.defs.saved_workflows import saved_workflow_definitions
from media_assets.errors import BadInput, DocumentError
from media_assets.settings import Settings
from media_assets_tests.analytics.test_sequences import add

DAYS = ("2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A data root whose warehouse has two chains that many people run."""
    monkeypatch.setenv("MEDIA_ASSETS_DATA", str(tmp_path))
    found = Settings.from_environment()
    with connect(found.warehouse_path) as connection:
        for day in DAYS:
            add(connection, ("trim", "fade"), 12, day, users=12)
            add(connection, ("concatenate", "fade"), 12, day, users=12)
    yield found
    forget_saved([])


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, list(words))
    return done.exit_code, done.stdout


def test_what_is_on_offer_is_listed_shown_adopted_and_loaded(settings: Settings) -> None:
    status, out = run("templates", "list", "--json")
    states = {row["name"]: row["state"] for row in json.loads(out)["templates"]}
    assert (status, states) == (0, {"video_fading": "offered", "video_assembly": "candidate"})
    status, document = run("templates", "show", "video_fading")
    assert "op: trim" in document
    status, out = run("templates", "adopt", "video_fading", "--json")
    path = Path(json.loads(out)["path"])
    assert (status, path) == (0, settings.workflow_root / "video_fading" / "defs.yaml")
    assert path.read_text() in document
    found = [
        one for one in saved_workflow_definitions().assets or [] if isinstance(one, dg.AssetsDefinition)
    ]
    assert {key.to_user_string() for one in found for key in one.keys} == {
        "video_fading/trim",
        "video_fading/fade",
    }
    assert loaded_workflow("video_fading").template == "video_fading"
    assert templates_now(settings).set_index("name")["state"]["video_fading"] == "adopted"
    (adoption,) = adoptions(settings.workflow_root)
    assert adoption.sequence == "trim>fade"


def test_nothing_is_overwritten(settings: Settings) -> None:
    first = adopt(settings, "video_fading").read_bytes()
    with pytest.raises(BadInput, match="there is a workflow"):
        adopt(settings, "video_fading")
    assert read_saved(settings.workflow_root / "video_fading" / "defs.yaml").name == "video_fading"
    assert (settings.workflow_root / "video_fading" / "defs.yaml").read_bytes() == first


def test_a_folder_of_that_name_is_left_as_it_is(settings: Settings) -> None:
    templates_now(settings)
    (settings.workflow_root / "video_fading").mkdir(parents=True)
    with pytest.raises(BadInput, match="there is a workflow"):
        adopt(settings, "video_fading")
    assert list((settings.workflow_root / "video_fading").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "why"), [("video_assembly", "not on offer"), ("../../x", "no template"), ("x", "no template")]
)
def test_what_is_not_on_offer_is_not_adopted(settings: Settings, name: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        adopt(settings, name)
    assert not settings.workflow_root.exists()


def test_a_removed_document_ends_the_adoption(settings: Settings) -> None:
    adopt(settings, "video_fading").unlink()
    assert templates_now(settings).set_index("name")["state"]["video_fading"] == "offered"


def test_a_name_of_a_persons_own_workflow_is_never_given(settings: Settings) -> None:
    path = adopt(settings, "video_fading")
    path.with_name("template.json").unlink()
    with connect(settings.warehouse_path) as connection:
        connection.execute("DROP TABLE templates")
    assert "video_fading" not in set(templates_now(settings)["name"])


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("[1, 2", "it is not a YAML document"),
        ("type: something.Else", "type"),
        ("type: media_assets.components.workflow.WorkflowComponent", "attributes"),
        ("TRIM name: other", "attributes.name"),
        ("TRIM name: mine, automation: sometimes", "automation"),
        ("TRIM name: mine, template: ../x", "template"),
        ("TRIM name: mine, colour: red", "attributes.colour"),
    ],
)
def test_a_saved_document_that_does_not_hold_is_named(
    settings: Settings, document: str, place: str
) -> None:
    begin = (
        "type: media_assets.components.workflow.WorkflowComponent\nattributes: {operations: [{op: trim, "
    )
    text = document.replace("TRIM", begin + "inputs: [source], output: cut, params: {duration: 1}}],")
    path = settings.workflow_root / "mine" / "defs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text + "}" if text != document else document)
    with pytest.raises(BadInput) as caught:
        read_saved(path)
    told = str(caught.value) + str(getattr(caught.value, "findings", ""))
    assert place in told
    assert str(path) in told


def test_a_workflow_of_the_project_keeps_its_name(settings: Settings) -> None:
    adopted = adopt(settings, "video_fading")
    adopted.parent.rename(settings.workflow_root / "web_preview")
    with pytest.raises(DocumentError, match="does not hold"):
        saved_workflow_definitions()


def test_saved_workflows_of_another_data_root_are_forgotten(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt(settings, "video_fading")
    saved_workflow_definitions()
    monkeypatch.setenv("MEDIA_ASSETS_DATA", str(tmp_path / "other"))
    saved_workflow_definitions()
    assert "video_fading" not in {workflow.name for workflow in loaded_workflows()}


def test_both_answers_are_assets_with_tables_and_plots(settings: Settings) -> None:
    assets = [operation_events, operation_sequences, workflow_templates]
    with dg.DagsterInstance.ephemeral() as instance:
        versions = []
        for _ in range(2):
            result = dg.materialize(
                [operation_sequences, workflow_templates, operation_events.to_source_asset()],
                instance=instance,
                resources={"warehouse_db": WarehouseResource()},
            )
            assert result.success
            events = [one.materialization for one in result.get_asset_materialization_events()]
            made = {one.asset_key: one for one in events}
            versions.append({key: (one.tags or {})["dagster/data_version"] for key, one in made.items()})
    assert versions[0] == versions[1]
    assert set(made) == {asset.key for asset in assets[1:]}
    sequences, templates = made[operation_sequences.key].metadata, made[workflow_templates.key].metadata
    assert "trim>fade" in str(sequences["sequences"].value)
    assert "data:image/svg+xml" in str(sequences["Frequent sequences"].value)
    assert "data:image/svg+xml" in str(sequences["Where they start"].value)
    assert "data:image/svg+xml" in str(sequences["Week by week"].value)
    assert templates["offered"].value == 1
    assert "name: video_fading" in str(templates["drafts"].value)
    assert "u_1_" not in "".join(str(entry.value) for entry in [*sequences.values(), *templates.values()])
