"""Two hours of a studio's life in some minutes; exits with 1, and keeps the data root if it failed."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from soak.report import examine
from soak.running import live
from soak.studio import open_studio


def main() -> int:
    """Parse the command line, live, and look at what came of it."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long things change (10)")
    parser.add_argument("--seed", type=int, help="draws the changes; odd ones analyse every source")
    parser.add_argument("--folder", type=Path, help="where the data root is made; a temporary one else")
    parser.add_argument("--keep", action="store_true", help="keep the data root in any case")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10_000) if options.seed is None else options.seed
    folder = options.folder or Path(tempfile.mkdtemp(prefix="media-assets-soak-"))
    # In the background of a shell it is ignored, and Dagster, which inherits that, would not end by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.monotonic()

    def tell(words: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {words}", file=sys.stderr, flush=True)

    tell(f"seed {seed}, {folder}")
    studio = open_studio(folder.resolve(), analyze="eager" if seed % 2 else "manual", record=True)
    os.environ.update(studio.environment)
    subprocess.run(
        [sys.executable, "-m", "media_assets.cli", "home"], check=True, stdout=subprocess.DEVNULL
    )
    soak, lived = live(studio, seed, options.minutes, tell)
    (folder / "changes.txt").write_text("\n".join(soak.changes.told) + "\n")
    tell("held against a cold build")
    report = examine(soak, lived)
    report.show()
    for text in soak.commands.told:
        print(f"a command said: {text}")
    tell(f"seed {seed}: " + ("all holds" if report.holds else f"kept: {folder}"))
    if report.holds and not options.keep:
        shutil.rmtree(folder)
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
