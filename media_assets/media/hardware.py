"""Hardware encoders: which of them work here, found by encoding a few pictures, not by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from media_assets.errors import MediaAssetsError
from media_assets.media import binaries
from media_assets.media.binaries import Program
from media_assets.media.codecs import VideoCodec
from media_assets.media.encode import Profile
from media_assets.media.graph import Option, Target, arguments, generate
from media_assets.media.run import run_ffmpeg
from media_assets.settings import Settings


def _none_works(options: Mapping[str, Option]) -> bool:
    return False


@dataclass(frozen=True)
class Encoders:
    """What planning knows of the machine: ffmpeg's version, and whether picture options work with it."""

    version: str
    works: Callable[[Mapping[str, Option]], bool] = _none_works


def encoders(settings: Settings) -> Encoders:
    """The encoders of the ffmpeg in use.

    Raises:
        FfmpegMissing: there is no usable ffmpeg.
    """
    program = binaries.ffmpeg(settings)
    return Encoders(program.version, lambda options: _works(program, settings, tuple(options.items())))


def on_this_machine(profile: Profile, machine: Encoders) -> tuple[Profile, str]:
    """`profile` with the first hardware encoder that works, or as it is, and a sentence that says which."""
    if not profile.hardware:
        return profile, ""
    for options in profile.hardware:
        if machine.works(options):
            chosen = replace(profile, video=options, alpha=None, hardware=())
            return chosen, f"encoded by hardware ({options['c:v']})"
    software = (profile.video or {}).get("c:v")
    return replace(profile, hardware=()), f"no hardware encoder works here: {software} is used"


def variants(codec: VideoCodec, quality: int) -> tuple[Mapping[str, Option], ...]:
    """Picture options for each kind of hardware that has encoders of `codec`, at about that quality.

    NVIDIA, Intel, AMD, Apple. (VAAPI takes pictures from its own memory, and so another filter graph.)
    """
    if not codec.hardware:
        return ()
    families: dict[str, Mapping[str, Option]] = {
        "nvenc": {"preset": "p5", "rc": "vbr", "cq": quality, "b:v": 0},
        "qsv": {"global_quality": quality},
        "amf": {"rc": "cqp", "qp_i": quality, "qp_p": quality},
        "videotoolbox": {"q:v": max(1, 100 - 2 * quality)},
    }
    kept = {name: value for name, value in codec.encoding().items() if name in _KEPT}
    return tuple({**kept, "c:v": f"{codec.hardware}_{name}", **own} for name, own in families.items())


_KEPT = ("tag:v", "enc_time_base:v", "color_primaries", "color_trc", "colorspace", "color_range")


@lru_cache(maxsize=64)
def _works(program: Program, settings: Settings, options: tuple[tuple[str, Option], ...]) -> bool:
    chosen = dict(options)
    if chosen.get("c:v") not in binaries.capabilities(program)[0]:
        return False
    picture = generate("testsrc2=s=256x256:r=30:d=0.2").video().filter("format", "yuv420p")
    try:
        run_ffmpeg(arguments([Target([picture], None, chosen)]), settings=settings)
    except MediaAssetsError:
        return False
    return True
