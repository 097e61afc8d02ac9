"""Other forms of a komposition's video: sizes and shapes for other screens, and a first look."""

from __future__ import annotations

from media_assets.errors import BadInput
from media_assets.kompositions.model import Komposition, OutputFormat, Rendition
from media_assets.operations.clip import even

PREVIEW = "preview"
_PREVIEW_LONGER_SIDE = 640


def rendition_of(komposition: Komposition, identifier: str) -> Komposition:
    """The document whose output is one of its renditions; `preview` is there even where it names none.

    Its segments, layers and sound are the same, so it shows the same frames at the same times.

    Raises:
        BadInput: it names no such rendition; those that it names follow.
    """
    found = next((r for r in komposition.renditions if r.id == identifier), None)
    if found is None and identifier == PREVIEW:
        found = preview_of(komposition.output)
    if found is None:
        names = ", ".join(rendition.id for rendition in komposition.renditions)
        hint = f"it has {names}" if names else "list it under `renditions`"
        raise BadInput(f"the komposition has no rendition {identifier!r}", hint=hint)
    own = komposition.output
    output = own.model_copy(
        update={
            "width": found.width,
            "height": found.height,
            "fps": found.fps or own.fps,
            "fit": found.fit or own.fit,
        }
    )
    return komposition.model_copy(update={"output": output, "profile": found.profile, "renditions": ()})


def preview_of(output: OutputFormat) -> Rendition:
    """A rendition for a first look: of the same shape, at most 640 pixels long, quickly encoded."""
    scale = min(1.0, _PREVIEW_LONGER_SIDE / max(output.width, output.height))
    width, height = max(16, even(output.width * scale)), max(16, even(output.height * scale))
    return Rendition(id=PREVIEW, width=width, height=height, profile="preview")
