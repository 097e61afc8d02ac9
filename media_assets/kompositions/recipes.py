"""What the store is asked for: recipes of a komposition's pieces, its sound, and the finished file."""

from __future__ import annotations

from typing import Any

from media_assets.ids import effect_id, output_name
from media_assets.kompositions.plan import KompositionPlan, PlannedPiece
from media_assets.media.encode import profile
from media_assets.store.outputs import Recipe


def piece_recipe(planned: PlannedPiece, plan: KompositionPlan) -> Recipe:
    """A piece of the picture; named by what it shows, not by where it stands."""
    piece = planned.piece
    operation = "komposition_segment" if piece.kind == "body" else "komposition_crossfade"
    parameters: dict[str, Any] = {
        "frames": piece.frames,
        "output": plan.output.model_dump(mode="json"),
        "layers": [content.to_json(plan.references) for content in piece.contents],
    }
    name = output_name(operation, planned.sources, {"frames": piece.frames}, planned.fingerprint[:8], "mp4")
    identifier = effect_id(operation, planned.sources, parameters)
    return Recipe(identifier, planned.fingerprint, operation, parameters, planned.sources, name)


def sound_recipe(plan: KompositionPlan) -> Recipe:
    """The whole sound."""
    track = plan.soundtrack
    parameters = track.to_json(plan.references)
    sources = tuple(dict.fromkeys(plan.references[name] for name in track.sources))
    extension, key = profile("aac").extension, plan.sound_fingerprint
    name = output_name("komposition_sound", (), {"samples": track.samples}, key[:8], extension)
    identifier = effect_id("komposition_sound", sources, parameters)
    return Recipe(identifier, key, "komposition_sound", parameters, sources, name)


def final_recipe(plan: KompositionPlan) -> Recipe:
    """The finished file."""
    parameters = {"output": plan.output.model_dump(mode="json"), "frames": plan.frames}
    extension = profile(plan.profile).extension
    name = output_name(plan.id, (), {}, plan.fingerprint[:8], extension)
    sources = tuple(sorted(plan.sources))
    return Recipe(plan.id, plan.fingerprint, "komposition", parameters, sources, name)
