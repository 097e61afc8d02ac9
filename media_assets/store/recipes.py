"""Recipes of effects on disk: what to do to which sources, so that each can be made again from it alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from media_assets.errors import BadInput, MediaAssetsError
from media_assets.settings import Settings
from media_assets.store.files import read_json, write_json

SHORTEST_PREFIX = 8
"""Hex digits of an effect's hash that are enough to look it up, if no other effect begins with them."""

_ID = re.compile(r"effect_[a-z0-9_]+_[0-9a-f]{16}")
_PREFIX = re.compile(r"(?:effect_(?P<operation>[a-z0-9_]+)_)?(?P<digits>[0-9a-f]{1,16})")
_SHOWN = 10
_HINT = "run the job that makes it"


class UnknownEffect(BadInput):
    """No recipe has that id, or more than one does."""


class DamagedRecipe(MediaAssetsError):
    """A recipe's file does not hold what it should; running its job again writes it anew."""


@dataclass(frozen=True)
class Step:
    """One operation of a recipe, under the id of the effect that it makes.

    Attributes:
        inputs: ids of sources, or of the effects that steps before it make.
        params: every parameter, as JSON values.
    """

    op: str
    inputs: tuple[str, ...]
    output: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class EffectRecipe:
    """All that an effect is made by. An id stands for one recipe: it is written once and never changes.

    Attributes:
        id: the effect.
        inputs: the source's path under the source root for each source id.
        operations: in an order in which each comes after what it takes; the effect itself last.
    """

    id: str
    inputs: Mapping[str, str]
    operations: tuple[Step, ...]

    @property
    def operation(self) -> str:
        """The name of the effect's own operation."""
        return self.operations[-1].op

    def to_json(self) -> dict[str, Any]:
        """As it is on disk."""
        return asdict(self)


class RecipeStore:
    """Recipes by effect id under `settings.effect_root`."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.effect_root

    def put(self, recipe: EffectRecipe) -> bool:
        """Keep a recipe; nothing is written where it is already.

        Returns:
            Whether it was written.
        """
        try:
            if self.get(recipe.id) == recipe:
                return False
        except (UnknownEffect, DamagedRecipe):
            pass
        path = self._path(recipe.id)
        write_json(path, recipe.to_json())
        path.chmod(0o444)  # an edit would be another effect under this one's name
        return True

    def get(self, identifier: str) -> EffectRecipe:
        """The recipe of an effect, by its whole id.

        Raises:
            UnknownEffect: there is none; DamagedRecipe: its file is not what was written.
        """
        path = self._path(identifier)
        if not _ID.fullmatch(identifier) or not path.is_file():
            raise UnknownEffect("there is no such effect", where=identifier, hint=_HINT)
        document = read_json(path)
        try:
            if document is None:
                raise ValueError("it is not a JSON object")
            return _recipe(document, identifier)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DamagedRecipe(
                f"the recipe is damaged: {error}", where=str(path), hint="run the job that makes it again"
            ) from None

    def find(self, reference: str) -> str:
        """The id that `reference` means: an id, or 8 or more digits of its hash that no other begins with.

        Raises:
            UnknownEffect: none, or several (which are named).
        """
        if _ID.fullmatch(reference) and self._path(reference).is_file():
            return reference
        match = _PREFIX.fullmatch(reference)
        if match is None or len(match["digits"]) < SHORTEST_PREFIX:
            raise UnknownEffect(
                "it is not the id of an effect",
                where=reference,
                hint="give an id such as effect_trim_0123456789abcdef, or "
                f"{SHORTEST_PREFIX} or more of its last 16 digits in small letters",
            )
        operation = match["operation"]
        found = [
            identifier
            for identifier in self
            if identifier.rpartition("_")[2].startswith(match["digits"])
            and operation in (None, identifier.removeprefix("effect_").rpartition("_")[0])
        ]
        if len(found) == 1:
            return found[0]
        if not found:
            raise UnknownEffect("there is no such effect", where=reference, hint=_HINT)
        listed = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        raise UnknownEffect(f"{len(found)} effects begin with it: {listed}", where=reference)

    def stamp(self) -> int:
        """Changes whenever a recipe is added or removed (ns)."""
        try:
            return self.root.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def __iter__(self) -> Iterator[str]:
        """The id of every recipe."""
        names = sorted(path.stem for path in self.root.glob("effect_*.json"))
        return (name for name in names if _ID.fullmatch(name))

    def _path(self, identifier: str) -> Path:
        return self.root / f"{identifier}.json"


def _recipe(document: Mapping[str, Any], identifier: str) -> EffectRecipe:
    steps = tuple(
        Step(str(step["op"]), tuple(map(str, step["inputs"])), str(step["output"]), dict(step["params"]))
        for step in document["operations"]
    )
    inputs = {str(source): str(path) for source, path in document["inputs"].items()}
    if document["id"] != identifier or not steps or steps[-1].output != identifier:
        raise ValueError("it is the recipe of another effect")
    known = set(inputs)
    for step in steps:
        missing = [name for name in step.inputs if name not in known]
        if missing:
            raise ValueError(f"nothing makes {missing[0]}")
        known.add(step.output)
    return EffectRecipe(identifier, inputs, steps)
