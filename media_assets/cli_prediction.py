"""media-assets analytics prediction: what operations will take, and how far off that was."""

from __future__ import annotations

import json as json_module
from typing import TYPE_CHECKING, Any

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


def prediction(data: Data = None, json: Json = False) -> None:
    """Learn anew what operations take, for the planner; show it, and how far off predictions were."""
    from media_assets.analytics.connection import connect
    from media_assets.analytics.estimates import keep_factors
    from media_assets.analytics.questions import prediction as learning
    from media_assets.analytics.questions import questions

    settings = Settings.from_environment(data)
    with connect(settings.warehouse_path) as connection:
        errors = questions()["prediction_error"].asked(connection)
        factors, table = learning.studied(connection)  # of the same sums
    keep_factors(factors, settings)
    learnt, off = _records(table), _records(errors)
    if json:
        console.print_json({"predictions": learnt, "errors": off})
        return
    if not learnt:
        console.say("Nothing was learnt yet: it takes five renders of an operation that were loaded.")
        return
    names = ["operation", "quantity", "events", "usually", "from", "to", "error", "traits"]
    console.print_table(names, [_shown(row) for row in learnt], "Learnt")
    if off:
        names = ["operation", "quantity", "renders", "error", "9 of 10", "predicted / measured"]
        rows = [
            [
                *(row["operation"], row["quantity"], row["events"]),
                *(_percent(row["error"]), _percent(row["error_90"]), f"{row['ratio']:.2f}"),
            ]
            for row in off
        ]
        console.print_table(names, rows, "Errors of predictions")


def _shown(row: dict[str, Any]) -> list[object]:
    low, high = row["typical"] * row["low"], row["typical"] * row["high"]
    amounts = [_amount(row["quantity"], value) for value in (row["typical"], low, high)]
    return [
        *(row["operation"], row["quantity"], row["events"]),
        *amounts,
        *(_percent(row["error"]), row["traits"]),
    ]


def _amount(quantity: str, value: float) -> str:
    return console.size(int(value)) if quantity.endswith("bytes") else f"{value:.2f} s"


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json_module.loads(table.to_json(orient="records", double_precision=9))
    return found
