"""What is planted in synthetic events: chains, habits, costs, failures and abuse, all of it known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Chain = tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """What an operation takes: fixed + rate x input seconds x megapixels of a frame, in milliseconds.

    Sound has no pixels: it counts as a twentieth of a megapixel.
    """

    fixed: float
    rate: float


@dataclass(frozen=True)
class Guarded:
    """What always, or mostly, fails: an operation with inputs or parameters of one kind.

    Attributes:
        operation: which one.
        field: a parameter (`parameters.width`), or a column of the event (`source_codec`).
        value: the value that fails; `odd` stands for odd numbers.
        share: of such events that fail, 0 to 1.
        error: the class of error.
    """

    operation: str
    field: str
    value: str
    share: float
    error: str


@dataclass(frozen=True)
class Planted:
    """All that is planted.

    Attributes:
        chains: by source kind, the chains that people run often, with their share among all chains.
        habits: the parameter values that most people use, by operation.
        spread: other values that some people use.
        costs: by operation.
        guards: what fails.
        slowed: an operation that takes `slowdown` times as long in the last quarter of the days.
        abusers: keyed hashes of users, made while generating.
        abuses: of which measure each of them has too much, by hash.
    """

    chains: Mapping[str, Mapping[Chain, float]]
    habits: Mapping[str, Mapping[str, object]]
    spread: Mapping[str, Mapping[str, tuple[object, ...]]]
    costs: Mapping[str, Cost]
    guards: tuple[Guarded, ...]
    slowed: str
    slowdown: float
    abusers: tuple[str, ...] = field(default=())
    abuses: Mapping[str, str] = field(default_factory=dict)


PLANTED = Planted(
    chains={
        "video": {
            ("trim", "resize", "color_correction", "encode"): 0.22,
            ("trim", "stabilize", "color_correction", "fade", "encode"): 0.14,
            ("deinterlace", "denoise_video", "resize"): 0.08,
            ("trim", "normalize_audio", "subtitles", "encode"): 0.10,
        },
        "audio": {
            ("trim", "denoise_audio", "normalize_audio", "to_mp3"): 0.40,
            ("silence_remove", "normalize_audio", "to_mp3"): 0.20,
        },
        "image": {
            ("crop", "image_to_video", "fade"): 0.40,
            ("resize", "image_to_video"): 0.15,
        },
    },
    habits={
        "trim": {"start": 2.0, "duration": 12.0},
        "resize": {"width": 1280},
        "normalize_audio": {"target_lufs": -16.0},
        "denoise_audio": {"strength": 14.0},
        "encode": {"crf": 21, "video_codec": "h264"},
        "fade": {"fade_in": 0.5, "fade_out": 0.5},
        "speed": {"factor": 1.5},
        "color_correction": {"contrast": 1.1, "saturation": 1.15},
        "stabilize": {"smoothing": 0.5, "zoom": "fixed"},
        "denoise_video": {"strength": 0.4, "method": "hqdn3d"},
        "deinterlace": {"rate": "frame"},
        "silence_remove": {"threshold": -40.0, "min_silence": 0.6},
        "image_to_video": {"duration": 5.0, "zoom": 1.15},
        "crop": {"aspect": "16:9"},
        "to_mp3": {"bitrate": "192k"},
    },
    spread={
        "trim": {"start": (0.0, 0.5, 5.0, 30.0), "duration": (4.0, 8.0, 20.0, 60.0)},
        "resize": {"width": (640, 1920, 854, 1281, 853)},
        "normalize_audio": {"target_lufs": (-14.0, -23.0)},
        "denoise_audio": {"strength": (8.0, 20.0, 30.0)},
        "encode": {"crf": (18, 23, 28), "video_codec": ("h265", "vp9")},
        "fade": {"fade_in": (0.25, 1.0, 2.0), "fade_out": (1.0, 3.0)},
        "speed": {"factor": (0.5, 2.0)},
        "color_correction": {"contrast": (1.0, 1.3), "saturation": (1.0, 0.8, 1.4)},
        "stabilize": {"smoothing": (0.2, 1.0)},
        "denoise_video": {"strength": (0.2, 0.7)},
        "silence_remove": {"threshold": (-50.0, -35.0), "min_silence": (0.3, 1.0)},
        "image_to_video": {"duration": (3.0, 8.0), "zoom": (1.0, 1.3)},
        "crop": {"aspect": ("9:16", "1:1")},
        "to_mp3": {"bitrate": ("128k", "320k")},
    },
    costs={
        "trim": Cost(120.0, 2.0),
        "resize": Cost(150.0, 9.0),
        "color_correction": Cost(140.0, 14.0),
        "stabilize": Cost(400.0, 60.0),
        "deinterlace": Cost(160.0, 18.0),
        "denoise_video": Cost(200.0, 80.0),
        "encode": Cost(250.0, 45.0),
        "fade": Cost(110.0, 8.0),
        "speed": Cost(120.0, 11.0),
        "subtitles": Cost(220.0, 16.0),
        "text": Cost(180.0, 12.0),
        "overlay": Cost(200.0, 20.0),
        "crop": Cost(90.0, 6.0),
        "image_to_video": Cost(300.0, 30.0),
        "normalize_audio": Cost(90.0, 40.0),
        "denoise_audio": Cost(80.0, 90.0),
        "silence_remove": Cost(80.0, 25.0),
        "volume": Cost(60.0, 10.0),
        "mix": Cost(90.0, 30.0),
        "to_mp3": Cost(70.0, 45.0),
    },
    guards=(
        Guarded("resize", "parameters.width", "odd", 1.0, "FfmpegFailed"),
        Guarded("stabilize", "source_codec", "prores", 0.6, "FfmpegFailed"),
    ),
    slowed="color_correction",
    slowdown=1.8,
)

OTHERS: Mapping[str, tuple[str, ...]] = {
    "video": (
        *("trim", "resize", "color_correction", "stabilize", "encode", "fade", "speed", "text"),
        *("overlay", "crop", "subtitles", "normalize_audio"),
    ),
    "audio": (
        "trim",
        "normalize_audio",
        "denoise_audio",
        "silence_remove",
        "volume",
        "mix",
        "to_mp3",
        "fade",
    ),
    "image": ("crop", "resize", "image_to_video", "fade", "color_correction", "text"),
}
"""What chains that are not planted are drawn from, by source kind."""
