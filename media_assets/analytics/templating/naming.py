"""Names of templates from what their operations do: the same chain has the same name every day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

LONGEST_NAME = 40

# What a chain is for, by the operation that shows it best; the first that a chain has names it.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "captioning": ("subtitles", "text"),
    "transition": ("crossfade_transition", "gradient_wipe", "opacity_transition"),
    "compositing": ("chroma_key", "overlay"),
    "assembly": ("concatenate",),
    "dubbing": ("replace_audio", "trim_and_replace_audio", "mix"),
    "stabilization": ("stabilize",),
    "tone_mapping": ("tonemap",),
    "restoration": ("deinterlace", "denoise_video"),
    "enhancement": ("denoise_audio",),
    "tightening": ("silence_remove",),
    "retiming": ("speed", "fps", "reverse", "loop", "freeze_frame"),
    "styling": (
        "leica_look",
        "leica_look_enhanced",
        "apply_leica_and_trim",
        "film_noir",
        "vintage_color",
        "warm_cinematic",
        "horror_desaturated",
        "social_media_pack",
        "dreamy_soft",
        "glitch_aesthetic",
        "vhs_look",
        "gaussian_blur",
        "chromatic_aberration",
        "vignette",
    ),
    "animation": ("image_to_video",),
    "grading": ("color_correction", "lut"),
    "preview": ("gif_preview", "webp_preview", "contact_sheet"),
    "picture": ("waveform", "spectrogram"),
    "leveling": ("normalize_audio", "volume"),
    "extraction": ("extract_audio",),
    "framing": ("crop", "pad", "rotate", "flip"),
    "fading": ("fade", "fade_in", "fade_out"),
    "resizing": ("resize",),
    "downmix": ("to_mono",),
    "cut": ("trim",),
    "delivery": ("encode", "to_mp3"),
}
_SPOKEN = frozenset({"denoise_audio", "silence_remove", "normalize_audio"})
_DELIVERED = frozenset({"to_mp3", "encode"})


def named(operations: Sequence[str], kinds: Collection[str], taken: Mapping[str, Sequence[str]]) -> str:
    """A name for a chain that is not among those taken.

    Where another chain has the name, the first operation that tells the two apart follows; after that, a
    number.

    Args:
        operations: of the chain.
        kinds: of the sources it is run on.
        taken: names that are in use, with their operations.

    >>> named(["denoise_audio", "normalize_audio", "to_mp3"], ["audio"], {})
    'podcast_enhancement'
    """
    plain = f"{_subject(operations, kinds)}_{_deed(operations)}"[:LONGEST_NAME]
    if plain not in taken:
        return plain
    other = taken[plain]
    telling = [name for name in dict.fromkeys(operations) if name not in other]
    for word in telling:
        if (name := f"{plain}_{word}"[:LONGEST_NAME]) not in taken:
            return name
    for number in range(2, len(taken) + 3):
        if (name := f"{plain[: LONGEST_NAME - 4]}_{number}") not in taken:
            return name
    raise AssertionError("one of more numbers than names is free")


def described(operations: Sequence[str]) -> str:
    """The chain in words.

    >>> described(["trim", "to_mp3"])
    'Trim, to mp3.'
    """
    words = ", ".join(name.replace("_", " ") for name in operations)
    return words[:1].upper() + words[1:] + "."


def _subject(operations: Sequence[str], kinds: Collection[str]) -> str:
    """What the chain is about."""
    if set(kinds) == {"audio"}:
        return "podcast" if _SPOKEN & set(operations) and _DELIVERED & set(operations) else "sound"
    if set(kinds) == {"image"}:
        return "picture"
    return "video" if set(kinds) == {"video"} else "media"


def _deed(operations: Sequence[str]) -> str:
    """What it does, by its most telling operation; an operation of no family tells by its own name."""
    for deed, members in FAMILIES.items():
        if any(name in members for name in operations):
            return deed
    return operations[-1] if operations else "work"
