"""media-assets recommend: what to do next, with which parameters, and why; and how good that is."""

from __future__ import annotations

import json as json_form
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.errors import BadInput
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.analytics.recommender.asking import Done
    from media_assets.analytics.recommender.practice import Suggested
    from media_assets.analytics.recommender.recommend import Recommendation


class Kind(StrEnum):
    """Kinds of sources."""

    video = "video"
    audio = "audio"
    image = "image"


def recommend(
    identifier: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="A source, an effect or its file: what was done to it is looked up."
        ),
    ] = None,
    after: Annotated[
        list[str] | None,
        typer.Option("--after", help="An operation done already; again for more."),
    ] = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="What the source is.")] = None,
    user: Annotated[
        str | None, typer.Option("--user", help="For whom; for whoever is at work, without.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=20, help="Operations at the most.")] = 3,
    data: Data = None,
    json: Json = False,
) -> None:
    """Recommend the next operation and its parameters, from what was done before, and say why."""
    from media_assets.analytics.connection import connect
    from media_assets.analytics.recommender.asking import recommended

    settings = Settings.from_environment(data)
    done = _done(settings, identifier, after or [], kind)
    users = _hashes(settings, user)
    with connect(settings.warehouse_path) as connection:
        found = recommended(connection, done, users, fewest=settings.fewest_users, most=most)
    if json:
        console.print_json(
            {
                "after": list(done.chain),
                "kind": done.kind or None,
                "recommendations": [asdict(one) for one in found],
            }
        )
        return
    if not found:
        console.say("Nothing was learnt yet: `media-assets analytics` loads what was done.")
        return
    rows = [
        (
            one.operation or "(nothing more)",
            f"{one.probability:.0%}".replace("%", " %"),
            _parameters(one),
            one.reason,
        )
        for one in found
    ]
    console.print_table(["next", "chance", "parameters", "because"], rows)


def quality(data: Data = None, json: Json = False) -> None:
    """Show how often recommendations were right of what was then done, and how often simpler ones were."""
    from media_assets.analytics.connection import connect
    from media_assets.analytics.questions import questions

    settings = Settings.from_environment(data)
    with connect(settings.warehouse_path) as connection:
        frame = questions()["recommendation_quality"].asked(connection)
    if json:
        console.print_json({"quality": json_form.loads(frame.to_json(orient="records"))})
        return
    names = ["kind", "variant", "operations", "hit_1", "hit_3", "mrr", "ends_told"]
    rows = [
        [f"{value:.3f}" if isinstance(value, float) else value for value in row]
        for row in frame[names].astype(object).to_numpy().tolist()
    ]
    console.print_table(names, rows)


def _done(settings: Settings, identifier: str | None, after: list[str], kind: Kind | None) -> Done:
    from media_assets.analytics.recommender.asking import Done, done_to
    from media_assets.operations.registry import operation

    if identifier is None:
        return Done(tuple(operation(name).name for name in after), kind.value if kind else "")
    if after or kind:
        raise BadInput("an id tells what was done to it", where="--after, --kind", hint="leave them out")
    return done_to(settings, identifier)


def _hashes(settings: Settings, user: str | None) -> tuple[str, ...]:
    """The person's hashes; none where there is no key, or after an opt-out."""
    from media_assets.analytics.origin import NOBODY, hashes_of, keyring_of, user_of, user_tag

    keyring = keyring_of(settings)
    name = user or user_of(settings)
    if keyring is None or user_tag(name, keyring) == NOBODY:
        return ()
    return hashes_of(name, keyring)


def _parameters(one: Recommendation) -> str:
    """Those values that are not what the operation takes without being told."""
    from media_assets.operations.registry import operation

    fields = operation(one.operation).parameters.model_fields if one.operation else {}
    return " ".join(
        f"{given.name}={_shown(given)}"
        for given in one.parameters
        if given.name not in fields or fields[given.name].default != given.value
    )


def _shown(given: Suggested) -> str:
    return f"{given.value:g}" if isinstance(given.value, float) else str(given.value)
