"""Operations that hold a whole clip in memory: how much that is, and where it is refused."""

from __future__ import annotations

from collections.abc import Sequence

from media_assets.errors import BadInput
from media_assets.operations.clip import SOUND_RATE, Clip
from media_assets.operations.conform import frames_seconds

MOST_BYTES = 2 << 30
"""What one operation may hold."""

_SAMPLE_BYTES = 2 * 4  # stereo, 32-bit float


def held_frames(clips: Sequence[Clip]) -> int:
    """Pictures of the first clip at its constant rate."""
    clip = clips[0]
    if clip.picture is None:
        return 0
    return round(frames_seconds(clip.duration or 0.0, clip.picture) * clip.picture.fps)


def check_held(name: str, clip: Clip) -> None:
    """Hold a clip against what may be kept in memory.

    Raises:
        BadInput: it is too long; the hint says how long a part can be.
    """
    second = 0.0
    if clip.picture is not None:
        planes = 2.5 if clip.picture.alpha else 1.5
        second += clip.picture.width * clip.picture.height * planes * float(clip.picture.fps)
    if clip.sound is not None:
        second += SOUND_RATE * _SAMPLE_BYTES
    whole = second * (clip.duration or 0.0)
    if whole > MOST_BYTES:
        takes = f"{clip.duration:.1f} s would take {whole / 2**30:.1f} GiB"
        raise BadInput(
            f"{name} holds the whole clip in memory, and {takes}",
            hint=f"trim it to at most {int(10 * MOST_BYTES / second) / 10:g} s, or make it smaller first",
        )
