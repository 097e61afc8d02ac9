"""What operations take beside media: tables of colours (LUTs), subtitles, fonts. Recognised by content."""

from __future__ import annotations

import math
from pathlib import Path

from media_assets.errors import CorruptMedia
from media_assets.media import binaries
from media_assets.media.capture import capture
from media_assets.media.info import MediaInfo
from media_assets.settings import Settings

_FONTS = (b"\x00\x01\x00\x00", b"OTTO", b"true", b"ttcf")
_FONT_SUFFIXES = (".ttf", ".otf", ".ttc")
_SUBTITLES = {".srt": "srt", ".vtt": "webvtt", ".ass": "ass", ".ssa": "ass"}
_LARGEST_TEXT = 64 << 20
_LARGEST_CUBE = 256
_LARGEST_LINE_TABLE = 65_536


def read_aid(path: Path) -> MediaInfo | None:
    """What `path` is, if its name and content are those of a LUT, subtitles or a font; None for the rest.

    Raises:
        CorruptMedia: it is named as one and does not hold what it should.
    """
    suffix = path.suffix.lower()
    size = path.stat().st_size
    if suffix in _FONT_SUFFIXES:
        with path.open("rb") as file:
            if file.read(4) not in _FONTS:
                raise CorruptMedia("it is named as a font and is none", where=str(path))
        return MediaInfo("font", suffix[1:], size)
    if suffix == ".cube":
        _check_cube(_text(path, size), path)
        return MediaInfo("lut", "cube", size)
    if suffix in _SUBTITLES:
        _check_subtitles(_text(path, size), _SUBTITLES[suffix], path)
        return MediaInfo("subtitle", _SUBTITLES[suffix], size)
    return None


def check_recognised(path: Path, aid: MediaInfo, settings: Settings, deadline: float) -> None:
    """See that ffmpeg takes subtitles for what they are named as.

    The filter that draws them goes by content alone: a list of other files under such a name would have
    ffmpeg open those.

    Args:
        deadline: when to give up, on the clock of `time.monotonic`.

    Raises:
        CorruptMedia: it takes them for something else.
    """
    if aid.kind != "subtitle":
        return
    formats = ",".join(sorted({*_SUBTITLES.values()}))
    arguments = ["-v", "error", "-show_entries", "format=format_name", "-of", "csv=p=0"]
    allowed = ["-protocol_whitelist", "fd", "-format_whitelist", formats, "-i", "fd:"]
    done = capture(binaries.ffprobe(settings).path, [*arguments, *allowed], path, deadline)
    if done.status != 0 or done.output.strip() != aid.container:
        raise CorruptMedia(
            f"it is named as subtitles ({path.suffix}) and holds something else", where=str(path)
        )


def _text(path: Path, size: int) -> str:
    if size > _LARGEST_TEXT:
        raise CorruptMedia(f"it is larger than {_LARGEST_TEXT >> 20} MiB", where=str(path))
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CorruptMedia(
            "its text is not UTF-8", where=str(path), hint="save it again with the encoding UTF-8"
        ) from None


def _check_cube(text: str, path: Path) -> None:
    """Hold it against Adobe's Cube LUT Specification 1.0: a size, and as many colours as that says."""
    wanted, rows = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("LUT_3D_SIZE", "LUT_1D_SIZE"):
            size = int(words[1]) if len(words) == 2 and words[1].isdigit() else 0
            most = _LARGEST_CUBE if words[0] == "LUT_3D_SIZE" else _LARGEST_LINE_TABLE
            if not 2 <= size <= most:
                raise CorruptMedia(f"line {number}: {words[0]} should be from 2 to {most}", where=str(path))
            wanted = size**3 if words[0] == "LUT_3D_SIZE" else size
        elif words[0][0].isalpha():
            continue
        elif len(words) == 3 and all(map(_is_finite, words)):
            rows += 1
        else:
            raise CorruptMedia(f"line {number}: three numbers should stand there", where=str(path))
    if not wanted:
        raise CorruptMedia("LUT_3D_SIZE or LUT_1D_SIZE is missing", where=str(path))
    if rows != wanted:
        raise CorruptMedia(f"it should hold {wanted} colours and holds {rows}", where=str(path))


def _is_finite(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _check_subtitles(text: str, container: str, path: Path) -> None:
    mark = "Dialogue:" if container == "ass" else "-->"
    if mark not in text:
        raise CorruptMedia(f"no line of it holds {mark!r}: there are no subtitles in it", where=str(path))
