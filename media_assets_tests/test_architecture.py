"""Imports point one way, and each outside program has one place that talks to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import media_assets

ROOT = Path(media_assets.__file__).parent
# What each part may import, from the top down. Modules beside the folders are parts of their own.
BASE = {"ids", "settings", "errors", "progress", "drawing"}
MEDIA = BASE | {"media"}
STORE = MEDIA | {"store"}
OPERATIONS = STORE | {"operations"}
PLANNING = OPERATIONS | {"planning"}
MIDDLE = PLANNING | {"kompositions", "analytics", "library", "registry"}
TOP = (
    MIDDLE
    | {"defs", "components", "definitions", "samples", "console", "actions", "demo"}
    | {"homes", "importing", "instances", "session", "statuses"}
    | {"cli_common", "cli_kompositions", "cli_workflows", "cli_operations", "cli_jobs"}
    | {"cli_analyze", "cli_checks", "checking", "cli_proposing", "cli_documents"}
    | {"job_plans", "jobs", "explaining"}
    | {"editing", "cli_versions", "cli_watching", "cli_interchange"}
    | {"tracing", "cli_registry", "cli_usage", "cli_kpis", "cli_prediction", "cli_recommend"}
    | {"cli_abuse", "cli_analytics", "cli_sql", "cli_privacy"}
    | {"adopting", "cli_templates"}
    | {"recovering", "upkeep", "backing_up", "forgetting", "cli_upkeep"}
)
ALLOWED = {
    "ids": BASE,
    "settings": BASE,
    "errors": BASE,
    "progress": BASE,
    "drawing": BASE,
    "media": MEDIA,
    "store": STORE,
    "operations": MEDIA | {"operations"},
    "planning": PLANNING,
    "kompositions": PLANNING | {"kompositions"},
    "analytics": PLANNING | {"analytics"},
    "registry": PLANNING | {"kompositions", "registry"},
}


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        part = path.relative_to(ROOT).parts[0].removesuffix(".py")
        yield part, path


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize(("part", "path"), list(_modules()), ids=lambda v: str(v).rsplit("/", 1)[-1])
def test_imports_point_one_way(part: str, path: Path) -> None:
    for name in _imports(path):
        words = name.split(".")
        if words[0] == "media_assets" and len(words) > 1 and words[1] != "__version__":
            assert words[1] in ALLOWED.get(part, TOP), f"{part} imports {name}"


def _users(module: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for _, path in _modules()
        if any(name == module or name.startswith(f"{module}.") for name in _imports(path))
    }


def test_one_module_names_ffmpeg_python() -> None:
    assert _users("ffmpeg") == {"media/graph.py"}


def test_only_media_starts_programs() -> None:
    assert {user.split("/")[0] for user in _users("subprocess")} == {"media"}


def test_the_core_knows_nothing_of_dagster() -> None:
    allowed = {"defs", "components", "definitions.py", "actions.py", "demo.py"}
    allowed |= {"instances.py", "session.py", "statuses.py"}
    allowed |= {"recovering.py", "upkeep.py", "forgetting.py"}
    allowed |= {"jobs.py", "explaining.py", "tracing.py", "checking.py"}
    assert {user.split("/")[0] for user in _users("dagster")} <= allowed


def test_no_shell_anywhere() -> None:
    for _, path in _modules():
        assert "shell=True" not in path.read_text()
        assert "os.system" not in path.read_text()


def test_modules_stay_small() -> None:
    sizes = {path.name: len(path.read_text().splitlines()) for _, path in _modules()}
    assert {name: size for name, size in sizes.items() if size > 400} == {}
