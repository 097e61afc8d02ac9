"""Picture transitions: which of them the installed ffmpeg has."""

from __future__ import annotations

import difflib
import re
import subprocess
from functools import lru_cache

from media_assets.errors import BadInput, FfmpegMissing
from media_assets.media import binaries
from media_assets.media.binaries import Program
from media_assets.settings import Settings

_ANSWER_SECONDS = 30.0
_LISTED = re.compile(r"^     (\w+) +(-?\d+) +\S+ ", re.MULTILINE)
_KNOWN = """
    fade wipeleft wiperight wipeup wipedown slideleft slideright slideup slidedown circlecrop rectcrop
    distance fadeblack fadewhite radial smoothleft smoothright smoothup smoothdown circleopen circleclose
    vertopen vertclose horzopen horzclose dissolve pixelize diagtl diagtr diagbl diagbr hlslice hrslice
    vuslice vdslice hblur fadegrays wipetl wipetr wipebl wipebr squeezeh squeezev zoomin fadefast fadeslow
    hlwind hrwind vuwind vdwind coverleft coverright coverup coverdown revealleft revealright revealup
    revealdown
"""

TRANSITIONS: tuple[str, ...] = tuple(_KNOWN.split())
"""The transitions of the ffmpeg that comes with the project: what schemas and people are shown."""


@lru_cache(maxsize=16)
def offered(program: Program) -> tuple[str, ...]:
    """The transitions of `program` (an ffmpeg), as its filter xfade lists them.

    Raises:
        FfmpegMissing: it does not answer, or has no such filter.
    """
    try:
        done = subprocess.run(
            [str(program.path), "-hide_banner", "-h", "filter=xfade"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FfmpegMissing("it does not answer to -h filter=xfade", where=str(program.path)) from error
    listed = _LISTED.findall(done.stdout.decode("utf-8", "replace"))
    names = tuple(name for name, number in listed if int(number) >= 0)
    if not names:
        raise FfmpegMissing("it has no filter xfade", where=str(program.path), hint="replace the program")
    return names


def require(name: str, settings: Settings) -> str:
    """`name`, if the ffmpeg in use has that transition; the shipped list counts where there is no ffmpeg.

    Raises:
        BadInput: it has none of that name; the nearest follow.
    """
    try:
        names: tuple[str, ...] = offered(binaries.ffmpeg(settings))
    except FfmpegMissing:
        names = TRANSITIONS
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "it has " + ", ".join(names)
    lacks = " (a newer one has)" if name in TRANSITIONS else ""
    raise BadInput(f"the ffmpeg in use has no transition {name!r}{lacks}", hint=hint)
