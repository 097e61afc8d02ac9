"""Reads a file with ffprobe or ffmpeg in a way that keeps it from reading anything else.

The file is opened here and handed over as standard input (`fd:`), the only protocol that is allowed: no
name reaches the program, so no character in it matters, and nothing inside the file can name another
file or a URL to open. Formats are an allow-list for the same reason: playlists are not on it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from media_assets.errors import BadInput, TimeLimitExceeded

_MOVING = (
    "mov matroska avi flv live_flv mpegts mpeg asf ogg mxf gxf nut ivf obu rm wtv dv yuv4mpegpipe "
    "h264 hevc vvc av1 m4v mpegvideo h263 vc1 dirac cavsvideo dnxhd mjpeg"
)
_SOUND = (
    "aac ac3 eac3 aiff amr ape au caf dts dtshd flac loas mlp truehd mp3 mpc mpc8 oma qoa tak tta voc w64 "
    "wav wv xwma dsf iff"
)
_PICTURES = (
    "gif apng ico bmp_pipe dds_pipe dpx_pipe exr_pipe hdr_pipe j2k_pipe jpeg_pipe jpegls_pipe jpegxl_pipe "
    "jpegxl_anim pam_pipe pbm_pipe pcx_pipe pfm_pipe pgm_pipe phm_pipe png_pipe ppm_pipe psd_pipe qoi_pipe "
    "sgi_pipe sunrast_pipe tiff_pipe webp_pipe webp_anim"
)
ACCEPTED_FORMATS = tuple(f"{_MOVING} {_SOUND} {_PICTURES}".split())
"""Demuxers that read one file and nothing else."""

_KEPT_LINES = 4
# What ffmpeg adds about itself after it has said what is wrong.
_AFTERMATH = re.compile(
    r"Task finished with|Terminating thread|Could not open encoder|Decode error rate|Nothing was written"
    r"|Error while filtering|Error sending frames|Conversion failed|Cannot determine format"
)
_CONTEXT_ADDRESS = re.compile(r" @ 0x[0-9a-f]+\]")
_INPUT_NAME = re.compile(r"(?:\[in#0[^\]]*\] )?\bfd:(?=:)")


@dataclass(frozen=True)
class Captured:
    """What a program printed: its `output`, its `log` on stderr, and of that the `words` for a person."""

    status: int
    output: str
    log: str

    @property
    def words(self) -> str:
        """Its first complaints in one line, the same for the same file; may be empty."""
        return _words(self.log)


def capture(program: Path, arguments: Sequence[str], source: Path, deadline: float) -> Captured:
    """Run `program` over `source` and return what it printed.

    Args:
        program: ffprobe or ffmpeg.
        arguments: all after the program; `INPUT` spliced in where the file is to be read.
        source: an ordinary file.
        deadline: when to give up, on the clock of `time.monotonic`.

    Raises:
        BadInput: the file cannot be opened.
        TimeLimitExceeded: the program was still running at the deadline; its process group was ended.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise BadInput(
            f"it cannot be opened: {error.strerror}", where=str(source), hint="check its permissions"
        ) from None
    with file:
        process = subprocess.Popen(
            [str(program), *arguments],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    with process:
        try:
            output, log = process.communicate(timeout=max(0.0, deadline - time.monotonic()))
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise TimeLimitExceeded(
                    f"{program.name} did not finish reading it in time and was ended",
                    where=str(source),
                    hint="look at the file, or raise MEDIA_ASSETS_PROBE_TIMEOUT",
                ) from None
            raise
    return Captured(process.returncode, output.decode("utf-8", "replace"), log.decode("utf-8", "replace"))


INPUT = ("-protocol_whitelist", "fd", "-format_whitelist", ",".join(ACCEPTED_FORMATS), "-i", "fd:")
"""Arguments that open the file handed over as standard input."""


def _words(log: str) -> str:
    """The telling lines of a log, without addresses and repetitions."""
    lines: dict[str, None] = {}
    for line in log.splitlines():
        text = _INPUT_NAME.sub("the file", _CONTEXT_ADDRESS.sub("]", line)).strip()
        if text and not text.startswith("Last message repeated"):
            lines[text] = None
    telling = [line for line in lines if not _AFTERMATH.search(line)] or list(lines)[:1]
    return "; ".join(telling[:_KEPT_LINES])
