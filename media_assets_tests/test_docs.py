"""Documentation does not rot: every command, operation and setting is described, and examples hold."""

from __future__ import annotations

import json
import re

import yaml
from typer.core import TyperGroup
from typer.main import get_command

from media_assets.analytics.schema import KINDS, Event, columns
from media_assets.cli import app
from media_assets.cli_documents import published_schema
from media_assets.components.workflow import WorkflowComponent
from media_assets.kompositions.dialects.detecting import DIALECTS
from media_assets.kompositions.document import parse
from media_assets.operations.described import page
from media_assets.settings import PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text()
DOCS = {path.name: path.read_text() for path in (PROJECT_ROOT / "docs").glob("*.md")}
EVERYTHING = README + "".join(DOCS.values())


def commands() -> list[str]:
    """Every visible command, as it is typed."""
    found = []
    top = get_command(app)
    assert isinstance(top, TyperGroup)
    for name, command in top.commands.items():
        if isinstance(command, TyperGroup):
            found += [f"{name} {sub}" for sub in command.commands]
        elif not command.hidden:
            found.append(name)
    return found


def test_every_command_is_in_the_docs() -> None:
    missing = [name for name in commands() if name not in EVERYTHING]
    assert missing == []


def test_the_page_of_operations_is_what_the_registry_says() -> None:
    assert DOCS["operations.md"] == page(), "run `make docs`"


def test_every_setting_is_in_the_docs() -> None:
    code = (PROJECT_ROOT / "media_assets" / "settings.py").read_text()
    named = set(re.findall(r"MEDIA_ASSETS_[A-Z]+(?:_[A-Z]+)*", code))
    assert named
    assert {name for name in named if f"`{name}`" not in DOCS["settings.md"]} == set()


def test_the_workflow_in_the_docs_holds() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", DOCS["workflows.md"], re.DOTALL)
    attributes = yaml.safe_load(block)["attributes"]
    component = WorkflowComponent.resolve_from_yaml(yaml.safe_dump(attributes))
    assert component.workflow("docs").name == "podcast"


def test_the_komposition_in_the_docs_holds() -> None:
    blocks = re.findall(r"```json\n(.*?)```", DOCS["kompositions.md"], re.DOTALL)
    assert [len(parse(json.loads(block), "docs").segments) for block in blocks] == [3, 4]


def test_every_field_of_a_komposition_is_in_the_docs() -> None:
    definitions = published_schema()["$defs"].values()
    named = {name for part in [published_schema(), *definitions] for name in part["properties"]}
    assert {name for name in named - {"op", "params"} if f"`{name}`" not in DOCS["kompositions.md"]} <= {
        "ranges",
        "x",
        "y",
    }


def test_every_form_of_documents_is_in_the_docs() -> None:
    assert {d.name for d in DIALECTS if f"`{d.name}`" not in DOCS["dialects.md"]} == set()


def test_links_in_the_docs_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (PROJECT_ROOT / target).exists(), target


def test_every_kind_and_field_of_an_event_is_in_the_docs() -> None:
    parts = re.split(r"^## (.+)$", DOCS["events.md"], flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))

    def listed(section: str) -> set[str]:
        firsts = re.findall(r"^\|([^|]*)\|", sections[section], re.MULTILINE)
        return set(re.findall(r"`([a-z_]+)`", " ".join(firsts)))

    assert listed("All kinds") == set(columns(Event))
    for kind in KINDS:
        assert listed(kind.kind) == set(columns(kind)) - set(columns(Event))
