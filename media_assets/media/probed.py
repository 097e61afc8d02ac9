"""A file that is being probed, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from media_assets.media import binaries
from media_assets.media.capture import INPUT, Captured, capture
from media_assets.settings import Settings


@dataclass(frozen=True)
class ProbedFile:
    """What every step of a probe needs: which file, with which programs, until when."""

    path: Path
    size: int
    settings: Settings
    deadline: float

    def ffprobe(self, *arguments: str) -> Captured:
        """Ask ffprobe about it."""
        program = binaries.ffprobe(self.settings).path
        return capture(program, ["-v", "error", *arguments, *INPUT], self.path, self.deadline)

    def show(self, index: int) -> Captured:
        """Decode the first picture of a stream, and say on the log what it is."""
        program = binaries.ffmpeg(self.settings).path
        arguments = ["-nostdin", "-threads", "1", "-noautorotate", *INPUT, "-map", f"0:{index}"]
        limits = ["-vf", "showinfo=checksum=0", "-frames:v", "1", "-f", "null", "-"]
        return capture(program, [*arguments, *limits], self.path, self.deadline)

    def decode(self, indices: Sequence[int]) -> Captured:
        """Decode the first picture or a moment of sound of some streams; a line each on the output."""
        mapped = [word for index in indices for word in ("-map", f"0:{index}")]
        program = binaries.ffmpeg(self.settings).path
        limits = ["-frames:v", "1", "-frames:a", "4", "-f", "framecrc", "-"]
        arguments = ["-v", "error", "-nostdin", "-threads", "1", *INPUT, *mapped, *limits]
        return capture(program, arguments, self.path, self.deadline)
