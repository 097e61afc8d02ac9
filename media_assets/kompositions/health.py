"""Whether a finished video is what was planned, as loud as it should be, and neither black nor silent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from media_assets.errors import MediaAssetsError
from media_assets.media.analysis.speech import Ranges
from media_assets.media.loudness import measure_loudness
from media_assets.media.probe import probe
from media_assets.media.verify import Expected, verify
from media_assets.settings import Settings
from media_assets.store.analyses import AnalysisStore, AnyFile
from media_assets.store.intact import Verdict

LOUDNESS_TOLERANCE = 1.0
"""LU from the target."""
# A quarter of a second at either end is less than can be told.
_SLACK_SECONDS = 0.5
_AGAIN = "materialize komposition_video again"


def as_planned(path: Path, plan: Mapping[str, Any], settings: Settings, *, full: bool) -> Verdict:
    """Whether streams, size, frames and duration of a video are those of its plan (as kept on disk).

    Args:
        path: the video.
        plan: its plan's JSON.
        settings: says which ffprobe.
        full: also decode the end of it.
    """
    output = plan["output"]
    expected = Expected(
        video=True,
        audio=True,
        width=output["width"],
        height=output["height"],
        frames=plan["frames"],
        duration=plan["duration"],
    )
    try:
        found = verify(path, expected, settings, decode_tail=full)
    except MediaAssetsError as error:
        return Verdict(False, error.message, str(path), f"delete the file; {_AGAIN}")
    text = f"{found.frames} frames of {found.width}x{found.height}, {found.duration:.2f} s, with sound"
    return Verdict(True, text, str(path), details={"frames": found.frames, "duration": found.duration})


def loudness_on_target(path: Path, plan: Mapping[str, Any], settings: Settings) -> Verdict:
    """Whether the integrated loudness is within one LU of what the document asks for; measured anew."""
    target = plan["sound"].get("target_lufs")
    if target is None:
        return Verdict(True, "no loudness is asked for", str(path))
    try:
        found = measure_loudness(path, settings)
    except MediaAssetsError as error:
        return Verdict(False, error.message, str(path), _AGAIN)
    details = {"target_lufs": target, "loudness_lufs": found.integrated, "true_peak_db": found.true_peak}
    if found.integrated is None:
        text = f"it is silent and should have {target:g} LUFS"
        return Verdict(False, text, str(path), "check the document's sources and gains", details)
    text = f"{found.integrated:.1f} LUFS of {target:g} that are asked for"
    if abs(found.integrated - target) > LOUDNESS_TOLERANCE:
        hint = "raise loudness.true_peak_db or lower loudness.target_lufs: its peaks leave no room"
        return Verdict(False, text, str(path), hint if found.integrated < target else _AGAIN, details)
    return Verdict(True, text, str(path), details=details)


def seen_and_heard(path: Path, sha256: str, plan: Mapping[str, Any], settings: Settings) -> Verdict:
    """Whether there is more than black to see, and more than silence to hear where there should be sound.

    It is looked at and listened to once; what was found is kept by its content.
    """
    analyses = AnalysisStore(settings)
    try:
        file = AnyFile(path, sha256, probe(path, settings))
        picture, sound = analyses.analysis("picture", file), analyses.analysis("sound", file)
    except MediaAssetsError as error:
        return Verdict(False, error.message, str(path), _AGAIN)
    details = {"black": _told(picture.black), "silence": _told(sound.silences)}
    black = sum(end - start for start, end in picture.black)
    if picture.seconds > 0 and black >= picture.seconds - _SLACK_SECONDS:
        text = "all of its picture is black"
        return Verdict(False, text, str(path), "check the sources and effects of the document", details)
    audible = bool(plan["sound"].get("voices") or plan["sound"].get("music"))
    if audible and sound.integrated is None:
        text = "it is silent, and the document has something to hear"
        return Verdict(False, text, str(path), "check gains and in points of the document", details)
    said = "something is seen" + (" and heard" if sound.integrated is not None else "; silence is planned")
    return Verdict(True, said, str(path), details=details)


def _told(ranges: Ranges) -> str:
    return ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in ranges[:20]) or "nowhere"
