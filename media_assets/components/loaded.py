"""The workflows of this process: every WorkflowComponent that was loaded, by name."""

from __future__ import annotations

from collections.abc import Iterable

from media_assets.errors import BadInput
from media_assets.planning.workflow import Workflow

_loaded: dict[str, Workflow] = {}
_saved: set[str] = set()


def remember(workflow: Workflow) -> None:
    """Note a workflow as its component is loaded; loading it again replaces it."""
    _loaded[workflow.name] = workflow


def forget_saved(names: Iterable[str]) -> None:
    """Forget the saved workflows of another data root, or of before; `names` are loaded next."""
    for name in _saved:
        _loaded.pop(name, None)
    _saved.clear()
    _saved.update(names)


def loaded_workflows() -> list[Workflow]:
    """Every workflow, by name."""
    return [_loaded[name] for name in sorted(_loaded)]


def loaded_workflow(name: str) -> Workflow:
    """The workflow of that name.

    Raises:
        BadInput: there is none; the names there are follow.
    """
    if name not in _loaded:
        known = ", ".join(sorted(_loaded)) or "none"
        raise BadInput(f"there is no workflow {name!r}", hint=f"there are: {known}")
    return _loaded[name]
