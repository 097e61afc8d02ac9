"""Run every fault in full: `make faults`. Prints a table; the exit status is 1 if anything did not hold."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from media_assets.console import print_table
from media_assets_tests.faults import damage, full, kills, together
from media_assets_tests.faults.ledger import Verdict
from media_assets_tests.warm import Warm

Fault = Callable[[Warm, Path, int, int], list[Verdict]]

FAULTS: Mapping[str, Fault] = {
    "kills": lambda warm, folder, seed, count: [kills.kills(warm, folder, random.Random(seed), count)],
    "together": lambda warm, folder, _seed, _count: [together.one_effect(warm, folder, 10)],
    "daemons": lambda warm, folder, _seed, _count: [together.two_daemons(warm, folder)],
    "disk": lambda warm, folder, seed, _: full.apart(folder, seed, ()),
    "files": lambda warm, folder, seed, _: [damage.files(warm, folder, random.Random(seed), 10)],
    "databases": lambda warm, folder, _seed, _count: [damage.databases(warm, folder)],
}


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*FAULTS, []], help="only these")
    parser.add_argument("--kills", type=int, default=50, help="rounds of kill -9 (50)")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to have the same again")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    print(f"seed: {seed}", flush=True)
    found: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="media-assets-faults-") as name:
        folder = Path(name)
        with Warm(folder / "log") as warm:
            for fault in options.names or FAULTS:
                found += FAULTS[fault](warm, folder, seed, options.kills)
    _show(found)
    return 0 if all(verdict.held for verdict in found) else 1


def _show(found: list[Verdict]) -> None:
    columns = ["fault", "how", "rounds", "acknowledged", "lost", "again", "wrong", "verify", "seconds"]
    rows = [
        (
            *(verdict.fault, verdict.how, verdict.rounds, verdict.acknowledged),
            *(len(verdict.lost), len(verdict.repeated), len(verdict.wrong)),
            f"{len(verdict.verify)} findings" if verdict.verify else "clean",
            f"{verdict.seconds:.0f}",
        )
        for verdict in found
    ]
    print_table(columns, rows)
    for verdict in found:
        for kind in ("lost", "repeated", "wrong", "verify"):
            for text in getattr(verdict, kind):
                print(f"{verdict.fault}: {kind}: {text}")


if __name__ == "__main__":
    sys.exit(main())
