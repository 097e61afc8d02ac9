"""Joins rendered pieces by copying their packets, and puts the sound beside them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from media_assets.errors import VerificationFailed
from media_assets.kompositions.encoding import timescale
from media_assets.kompositions.plan import KompositionPlan
from media_assets.media.concat import UNDECODED, concat_list
from media_assets.media.encode import profile
from media_assets.media.graph import Target, arguments, open_file
from media_assets.media.run import run_ffmpeg
from media_assets.media.verify import Expected, Properties, decode_end, verify
from media_assets.settings import Settings
from media_assets.store.outputs import Made, Output, OutputStore


def join(
    plan: KompositionPlan,
    pieces: Sequence[Output],
    sound: Output,
    path: Path,
    settings: Settings,
    store: OutputStore,
    *,
    cancel: threading.Event | None = None,
) -> Made:
    """Write the finished file from pieces in the order of the timeline; nothing is encoded.

    Raises:
        VerificationFailed: pieces whose encoder headers differ, or a result that is not as planned.
        FfmpegFailed, Cancelled, TimeLimitExceeded, DiskFull.
    """
    headers = {piece.made.properties.extradata for piece in pieces}
    if len(headers) != 1:
        raise VerificationFailed("pieces were encoded differently and cannot be joined", where=plan.id)
    with store.scratch() as scratch:
        listing = scratch / "pieces.txt"
        lengths = [planned.piece.frames / plan.output.rate for planned in plan.pieces]
        listing.write_text(concat_list([piece.path for piece in pieces], lengths, UNDECODED))
        picture = open_file(listing, f="concat", safe=0, **UNDECODED)
        streams = [picture.video(), open_file(sound.path).audio()]
        options = {
            **profile(plan.profile).options(video=False, audio=False),
            "c": "copy",
            "video_track_timescale": timescale(plan.output.rate),
        }
        done = run_ffmpeg(arguments([Target(streams, path, options)]), settings=settings, cancel=cancel)
    expected = Expected(
        video=True,
        audio=True,
        width=plan.output.width,
        height=plan.output.height,
        frames=plan.frames,
        duration=plan.duration,
        tolerance=float(1 / plan.output.rate),
    )
    properties = _verified(path, expected, settings)
    return Made.of([done], properties, plan.ffmpeg_version, sound.made.notes)


def _verified(path: Path, expected: Expected, settings: Settings) -> Properties:
    """What the file is: its packets are read while its end is decoded."""
    with ThreadPoolExecutor(1, "end") as pool:
        end = pool.submit(decode_end, path, expected.duration or 0.0, settings)
        # What is wrong with the packets says more than what a decoder makes of it.
        properties = verify(path, expected, settings, decode_tail=False)
        end.result()
    return properties
