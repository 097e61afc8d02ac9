"""Recommendations for what is there: a chain, a source, an effect that was made."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from media_assets.analytics.connection import Connection
from media_assets.analytics.recommender.history import learnt_weight
from media_assets.analytics.recommender.model import ANY, learn
from media_assets.analytics.recommender.practice import read_practice
from media_assets.analytics.recommender.recommend import Recommendation, recommend
from media_assets.analytics.recommender.uses import ROLLUP, read_uses
from media_assets.analytics.rollups import refresh
from media_assets.errors import BadInput
from media_assets.settings import Settings
from media_assets.store.recipes import RecipeStore, UnknownEffect
from media_assets.store.sources import SourceCatalogue

_SHORT = re.compile(r"_([0-9a-f]{8})\.[a-z0-9]+$")


@dataclass(frozen=True)
class Done:
    """The operations that were done to a source, in order, and its kind."""

    chain: tuple[str, ...]
    kind: str


def done_to(settings: Settings, reference: str) -> Done:
    """What was done to what `reference` names: an effect, its file in the output folder, or a source.

    Of an operation with several inputs, the first one is followed.

    Raises:
        UnknownEffect: there is no such effect or source.
    """
    catalogue, recipes = SourceCatalogue(settings), RecipeStore(settings)
    short = _SHORT.search(Path(reference).name)
    with contextlib.suppress(BadInput):
        return Done((), catalogue.facts(reference).info.kind)
    try:
        recipe = recipes.get(recipes.find(short[1] if short else reference))
    except UnknownEffect as error:
        raise UnknownEffect(
            f"no source; and as an effect: {error.message}",
            where=reference,
            hint="give a source's path or id, or the id or the file of an effect",
        ) from None
    steps = {step.output: step for step in recipe.operations}
    chain, at = [], recipe.id
    while at in steps:
        chain.append(steps[at].op)
        at = steps[at].inputs[0] if steps[at].inputs else ""
    kind = ANY
    with contextlib.suppress(BadInput):  # its source may be gone
        kind = catalogue.facts(at).info.kind
    return Done(tuple(reversed(chain)), kind)


def recommended(
    connection: Connection, done: Done, users: Sequence[str], *, fewest: int, most: int = 3
) -> list[Recommendation]:
    """What to do next, from the events that are loaded.

    Args:
        connection: to the warehouse, from `connect`; its rollup is brought up to the events.
        users: keyed hashes of the person it is for; none for anybody.
        fewest: people who must have done what others are told of.
    """
    refresh(connection, [ROLLUP])
    model = learn(read_uses(connection), fewest=fewest, weight=learnt_weight(connection))
    practice = read_practice(connection, fewest=fewest, users=users)
    return recommend(model, done.chain, done.kind, users, practice=practice, most=most)
