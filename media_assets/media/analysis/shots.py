"""Cuts by PySceneDetect, where that is installed and asked for: by colour, not by brightness alone.

It is given pictures that ffmpeg decoded: the reader that comes with it would open whatever a file names.
"""

from __future__ import annotations

from fractions import Fraction

from media_assets.errors import BadInput
from media_assets.media.analysis.decoding import Grays

FASTEST = Fraction(30)
"""Pictures a second that are looked at, at the most."""


def check_installed() -> None:
    """See that it can be asked.

    Raises:
        BadInput: PySceneDetect is not installed.
    """
    try:
        import scenedetect  # noqa: F401 - an extra, which takes a second to import
    except ImportError as error:
        raise BadInput(
            f"PySceneDetect cannot be used: {error}",
            where="MEDIA_ASSETS_SCENES",
            hint="install media-assets[scenes], or unset it",
        ) from None


def cuts_by_content(pictures: Grays, rate: Fraction) -> tuple[float, ...]:
    """Seconds of each cut, by PySceneDetect's ContentDetector with its own settings.

    Args:
        pictures: (pictures, height, width, 3): blue, green, red.
        rate: of the pictures, in a second.

    Raises:
        BadInput: PySceneDetect is not installed.
    """
    check_installed()
    from scenedetect import ContentDetector, FrameTimecode

    detector = ContentDetector()
    found = []
    for number, picture in enumerate(pictures):
        found += detector.process_frame(FrameTimecode(number, fps=float(rate)), picture)
    if len(pictures):
        found += detector.post_process(FrameTimecode(len(pictures) - 1, fps=float(rate)))
    return tuple(round(float(cut.frame_num / rate), 3) for cut in found)
