"""media-assets check: whether files are intact and outputs are what they should be."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from media_assets import console
from media_assets.cli_common import Data, Json, with_actions

if TYPE_CHECKING:
    from media_assets.actions import Actions
    from media_assets.checking import Checked


def check(
    asset: Annotated[str | None, typer.Argument(help="Such as source_file or komposition_video.")] = None,
    partition: Annotated[str | None, typer.Argument(help="Such as src_city_mp4.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Compare checksums; reads the files.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Run Dagster's asset checks on what is materialized; exits with 1 if one fails."""

    def run(actions: Actions) -> list[Checked]:
        from media_assets.checking import check as run_checks

        return run_checks(actions.session, asset, partition, full=full)

    found: list[Checked] = with_actions(data, run)
    failed = [one for one in found if not one.passed]
    if json:
        console.print_json({"checks": [asdict(one) for one in found], "failed": len(failed)})
    else:
        rows = [(one.asset, one.partition, one.check, one.message) for one in failed]
        if rows:
            console.print_table(["asset", "partition", "check", "what is wrong"], rows)
        console.say(f"{len(found)} checks, {len(failed)} failed")
    raise typer.Exit(1 if failed else 0)
