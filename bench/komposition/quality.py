"""How good the picture is: VMAF of ours and of the hand-written command's.

Each is held against a lossless render of what its own filters gave the encoder: only encoding is compared.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from bench.komposition.document import RATE, Sources, compiled, document, fresh
from bench.komposition.rivals import LOSSLESS, by_hand
from media_assets.kompositions.render import render
from media_assets.media import binaries
from media_assets.media.concat import concat_list
from media_assets.settings import Settings

_SCORE = re.compile(r"VMAF score: ([\d.]+)")
# Every third picture: within 0.02 of all of them, in a third of the time.
_EVERY = 3


def measure(settings: Settings, sources: Sources, folder: Path) -> dict[str, Any]:
    """VMAF of both, their bytes, and how much lower ours is (negative where it is higher)."""
    ours, size = _ours(settings, sources, folder)
    (folder / "hand").mkdir()
    hand = by_hand(settings, sources, folder)
    reference = by_hand(settings, sources, folder / "hand", LOSSLESS)
    theirs = _vmaf(settings, hand, reference)
    return {
        "vmaf": {"ours": ours, "hand": theirs},
        "bytes": {"ours": size, "hand": hand.stat().st_size},
        "vmaf_lost_to_hand": round(theirs - ours, 3),
    }


def _ours(settings: Settings, sources: Sources, folder: Path) -> tuple[float, int]:
    """The score of the finished file, held against all pieces without loss, and its bytes."""
    there, store = fresh(settings, folder / "quality")
    planned, wanted = compiled(there, sources, document())
    finished = render(planned, wanted, there, store)
    lossless = []
    for number, piece in enumerate(planned.pieces):
        output = store.get(piece.fingerprint)
        assert output is not None
        command = list(output.made.commands[-1])
        # The same inputs and filters; all after the mapped stream is about the encoder and the file.
        end = command.index("-map") + 2
        lossless.append(folder / f"lossless{number}.mp4")
        subprocess.run([*command[:end], *LOSSLESS, str(lossless[-1])], check=True, capture_output=True)
    # Whole against whole: a measure of its own for each piece would take its first picture for a still.
    listing = folder / "lossless.txt"
    listing.write_text(
        concat_list(lossless, [p.piece.frames / planned.output.rate for p in planned.pieces])
    )
    reference = folder / "lossless.mp4"
    joined = ("-f", "concat", "-safe", "0", "-i", str(listing), "-c", "copy", str(reference))
    subprocess.run([_program(there), *joined], check=True, capture_output=True)
    score = _vmaf(there, finished.final.output.path, reference)
    return score, finished.final.output.made.properties.size


def _vmaf(settings: Settings, path: Path, reference: Path) -> float:
    """The mean VMAF of the pictures of `path`, paired by number with those of `reference`."""
    numbered = f"settb=1/{RATE},setpts=N"
    measured = f"libvmaf=n_threads=2:n_subsample={_EVERY}"
    paired = f"[0:v]{numbered}[a];[1:v]{numbered}[b];[a][b]{measured}"
    inputs = ("-i", str(path), "-i", str(reference))
    command = [_program(settings), *inputs, "-lavfi", paired, "-f", "null", "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (score,) = _SCORE.findall(done.stderr)
    return round(float(score), 3)


def _program(settings: Settings) -> str:
    return str(binaries.ffmpeg(settings).path)
