"""What Dagster shows of an analysis and of screenshots: short tables and small pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg

from media_assets.defs.recording import as_metadata, picture
from media_assets.defs.tables import table
from media_assets.media.analysis.speech import Ranges
from media_assets.store.content import Content
from media_assets.store.outputs import Outcome, Output

_MOST_ROWS = 20
_MOST_PREVIEW_BYTES = 60_000


def content_metadata(
    content: Content, seconds: float, sheet: Output | None, wave: Output | None
) -> dict[str, dg.MetadataValue]:
    """What was found in a source, as a person wants to read it.

    Args:
        content: all of it.
        seconds: that the analysis took; next to nothing where it was kept.
        sheet, wave: the contact sheet and the waveform, where there are such.
    """
    seen, heard, beats = content.picture, content.sound, content.beats
    return as_metadata(
        {
            "contact_sheet": _preview(sheet),
            "waveform": _preview(wave),
            "scenes": _scenes(content),
            "scene_count": len(seen.scenes) if seen and content.kind == "video" else None,
            "colors": " ".join(color for color, _ in seen.colors) if seen else None,
            "sharpness": _mean(seen.sharpness) if seen else None,
            "motion": _mean(seen.motion) if seen and content.kind == "video" else None,
            "brightness": _mean(seen.brightness) if seen else None,
            "black": _told(seen.black) if seen and content.kind == "video" else None,
            "frozen": _told(seen.frozen) if seen and content.kind == "video" else None,
            "hash": seen.scenes[0].hash if seen and seen.scenes else None,
            "loudness": _loudness(content),
            "true_peak": heard.true_peak if heard else None,
            "silence": _told(heard.silences) if heard else None,
            "speech": _told(heard.speech) if heard else None,
            "tempo": f"{beats.bpm:.2f} beats a minute" if beats and beats.bpm else None,
            "beats": len(beats.times) if beats and beats.bpm else None,
            "looked_at_seconds": seen.seconds if seen and content.kind == "video" else None,
            "listened_to_seconds": heard.seconds if heard else None,
            "seconds": round(seconds, 3),
            "files": _hashes({"contact_sheet": sheet, "waveform": wave}),
        }
    )


def screenshots_metadata(
    made: Mapping[int, Outcome], published: Sequence[Path]
) -> dict[str, dg.MetadataValue]:
    """How many there are, where, and how many were made now."""
    return as_metadata(
        {
            "screenshots": len(made),
            "made_now": sum(not outcome.cached for outcome in made.values()),
            "folder": dg.MetadataValue.path(str(published[0].parent)) if published else None,
            "size": sum(outcome.output.made.properties.size for outcome in made.values()),
            "files": _hashes(
                {path.name: one.output for path, one in zip(published, made.values(), strict=True)}
            ),
        }
    )


def _hashes(files: Mapping[str, Output | None]) -> dg.MetadataValue:
    """By their names, so that what is lost is known."""
    return dg.MetadataValue.json({name: one.content_hash for name, one in files.items() if one is not None})


def _scenes(content: Content) -> dg.MetadataValue | None:
    """A line for each of the first scenes of a video."""
    if content.picture is None or content.kind != "video":
        return None
    scenes = content.picture.scenes
    rows = (
        (number, f"{s.start:.2f}", f"{s.end:.2f}", " ".join(color for color, _ in s.colors[:3]), s.hash)
        for number, s in enumerate(scenes, 1)
    )
    return table(("scene", "from", "to", "colours", "hash"), rows, most=_MOST_ROWS)


def _loudness(content: Content) -> str | None:
    if content.sound is None:
        return None
    found = content.sound.integrated
    return "silent" if found is None else f"{found:.1f} LUFS"


def _told(ranges: Ranges) -> str:
    shown = ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in ranges[:_MOST_ROWS]) or "nowhere"
    return f"{shown} … ({len(ranges)})" if len(ranges) > _MOST_ROWS else shown


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None


def _preview(output: Output | None) -> dg.MetadataValue | None:
    """A picture inside the page, unless it is so large that it would burden the event log."""
    if output is None or output.made.properties.size > _MOST_PREVIEW_BYTES:
        return None
    return picture(output.path)
