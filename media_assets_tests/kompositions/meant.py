"""What the authors of the real documents meant, read from each by hand."""

from __future__ import annotations

from dataclasses import dataclass

PXL, LOOKIN, DAGNY = "PXL_20250306_132546255.mp4", "lookin.mp4", "Dagny-Baybay.mp4"
JJV, WZ, PANNING = "JJVtt947FfI_136.mp4", "_wZ5Hof5tXY_136.mp4", "panning back and forth.mp4"
BERGEN, BOAT, SONG = "hxSCyOeW0Gc_136.mp4", "Boat having a sad day.jpeg", "cxvdImFbNyQ.mp4"
SHIP, LANDING, ROWING = "66YthVY13aSXDGN3", "MlkHds9ENQc6brfy", "4hLuFPyvFPJq-AUw"
STILLS = (BOAT, SHIP, ROWING)
MUSIC = (
    "Subnautic Measures.flac",
    "16BL - Deep In My Soul (Original Mix).mp3",
    "Clarian_Ver_(11_Am_Mix).mp3",
    *("audio1", "file_28682b6d", "song1", "bFdjZNswS-e2Unkm"),
)
MUSIC_HZ, VOICE_HZ = 200, 1000
"""The tone of music, and that of footage that has sound."""
HEARD = (LOOKIN, DAGNY)


@dataclass(frozen=True)
class Shown:
    """A stretch of the timeline in which one source is seen and nothing else.

    Attributes:
        start, end: seconds on the timeline, transitions and fades left out.
        source: "" is the background.
        at: the second of the source with which it starts.
        rate: seconds of the source in a second; 0 where it is a still.
    """

    start: float
    end: float
    source: str
    at: float = 0.0
    rate: float = 1.0


@dataclass(frozen=True)
class Meant:
    """A whole document; `levels` are (second, Hz, decibels against the source or None for silence)."""

    seconds: float
    fps: int
    shown: tuple[Shown, ...]
    levels: tuple[tuple[float, int, float | None], ...] = ()


def _each(length: float, *takes: tuple[str, float]) -> tuple[Shown, ...]:
    """Takes of one length, one after another."""
    return tuple(Shown(n * length, (n + 1) * length, source, at) for n, (source, at) in enumerate(takes))


_PHONE_DOG_DAGNY = _each(8, (PXL, 0), (LOOKIN, 0), (DAGNY, 0))
_LONG_SPEECH = (Shown(0, 8, PXL), Shown(8, 24, LOOKIN), Shown(24, 32, DAGNY))
_JAVAZONE = 16 * 60 / 124
_TRANCE = 8 * 60 / 135
_VIDEOS = [(f"video{n}", at) for at in (5, 0, 10) for n in (1, 2, 3)]

MEANT = {
    "couchdb/Bergen_In_Motion.json": Meant(
        192.8333,
        30,
        (
            Shown(0, 10.385, BERGEN, 1.209542),
            Shown(10.386, 29.320, BERGEN, 11.636625),
            Shown(29.321, 41.666, BERGEN, 30.613917),
            Shown(183.333, 192.83, BERGEN, 191.608083),
        ),
        ((3, MUSIC_HZ, None),),
    ),
    "couchdb/Bergen_Json_Komposition.json": Meant(
        40,
        24,
        (
            Shown(0, 4, ""),
            Shown(4, 8, BERGEN, 138.930458, 6.381375 / 4),
            Shown(8, 16, ""),
            Shown(16, 24, BERGEN, 145.353542, 5.588916 / 8),
            Shown(24, 32, BERGEN, 109.818042, 6.25625 / 8),
            Shown(32, 40, BERGEN, 56.5565, 5.797458 / 8),
        ),
        ((1, MUSIC_HZ, 0),),
    ),
    "couchdb/Javazone_2016_demo_rehash.json": Meant(
        3 * _JAVAZONE,
        24,
        (
            Shown(0, _JAVAZONE, BERGEN, 30.613917, 12.345666 / _JAVAZONE),
            Shown(_JAVAZONE, 3 * _JAVAZONE, BERGEN, 71.988583, 6.548209 / (2 * _JAVAZONE)),
        ),
    ),
    "json/MUSIC_VIDEO_KOMPOSITION.json": Meant(
        32,
        24,
        (
            Shown(0, 8, DAGNY, 0, 10 / 8),
            Shown(8, 16, JJV, 5, 12 / 8),
            Shown(16, 24, BOAT, 0, 0),
            Shown(24, 32, DAGNY, 10, 10 / 8),
        ),
        ((4, MUSIC_HZ, 0), (4, VOICE_HZ, None)),
    ),
    "json/TRANSITION_EFFECTS_KOMPOSITION.json": Meant(
        48,
        25,
        (
            Shown(0, 15, DAGNY, 0, 12 / 16),
            Shown(17, 30.5, JJV, 5 + 15 / 16, 15 / 16),
            Shown(36, 48, BOAT, 0, 0),
        ),
    ),
    "json/correct_multi_video_komposition.json": Meant(
        24, 30, _PHONE_DOG_DAGNY, ((4, MUSIC_HZ, -7.96), (12, VOICE_HZ, None))
    ),
    "json/example_komposition.json": Meant(
        64, 30, (*_each(8, (SONG, 0), (SONG, 8)), Shown(16, 32, SONG, 16), Shown(32, 64, SONG, 32))
    ),
    "json/fancy_effects_komposition.json": Meant(
        32,
        30,
        _each(
            8,
            ("PXL_20240717_143726927.mp4", 2),
            (LOOKIN, 0),
            (PANNING, 5),
            ("PXL_20250219_151636921.mp4", 0),
        ),
        ((12, VOICE_HZ, 0),),
    ),
    "json/final_composition_with_panning.json": Meant(
        24,
        30,
        _each(8, (PXL, 0), (LOOKIN, 0), (PANNING, 0)),
        ((4, MUSIC_HZ, -6.02), (12, MUSIC_HZ, -13.98), (12, VOICE_HZ, -0.92)),
    ),
    "json/final_speech_music_video.json": Meant(
        32,
        30,
        _LONG_SPEECH,
        ((4, MUSIC_HZ, None), (16, MUSIC_HZ, -13.98), (16, VOICE_HZ, -0.92), (28, VOICE_HZ, 0)),
    ),
    "json/komposition_no_effects.json": Meant(24, 30, _each(8, (JJV, 23.4), (PXL, 0), (WZ, 0))),
    "json/komposition_with_effects.json": Meant(24, 30, ()),
    "json/music_video_komposition.json": Meant(36, 30, _each(4, *_VIDEOS), ((20, MUSIC_HZ, 0),)),
    "json/simple_music_video_komposition.json": Meant(24, 30, _PHONE_DOG_DAGNY, ((4, MUSIC_HZ, -6.02),)),
    "json/speech_music_video_komposition.json": Meant(
        32,
        30,
        _LONG_SPEECH,
        (
            *((9, MUSIC_HZ, -6.02), (11.5, MUSIC_HZ, -10.46)),
            *((11.5, VOICE_HZ, -1.94), (28, MUSIC_HZ, -6.02), (28, VOICE_HZ, None)),
        ),
    ),
    "json/test_kompost.json": Meant(
        16,
        30,
        (Shown(0, 4, JJV), Shown(4.5, 8, PXL, 0.5), Shown(8.5, 12, WZ, 22.4), Shown(12.5, 16, JJV, 71.3)),
    ),
    "json/test_music_video.json": Meant(
        33,
        30,
        (
            Shown(1, 10.5, "file_650d60c5", 1),
            Shown(11, 21, "file_650d60c5", 0.5),
            Shown(22, 32, "file_c510e800", 1),
        ),
    ),
    "json/transition_effects_demo.json": Meant(
        48, 25, (Shown(0, 15, DAGNY), Shown(17, 30.5, JJV, 1), Shown(33.5, 48, BOAT, 0, 0))
    ),
    "json/video_only_komposition.json": Meant(
        16, 30, _each(8, (LOOKIN, 0), (LOOKIN, 8)), ((4, VOICE_HZ, 0),)
    ),
    "json/video_only_multi_source.json": Meant(
        24, 30, _PHONE_DOG_DAGNY, ((4, VOICE_HZ, None), (12, VOICE_HZ, 0), (20, VOICE_HZ, 0))
    ),
    "markdown/trancy-boat-trip-v2.kompo.md": Meant(
        4 * _TRANCE,
        30,
        (
            Shown(0, _TRANCE, SHIP, 0, 0),
            Shown(_TRANCE, 3 * _TRANCE, LANDING),
            Shown(3 * _TRANCE, 4 * _TRANCE, ROWING, 0, 0),
        ),
        ((7, MUSIC_HZ, 0),),
    ),
    "markdown/v3_format_skeleton.kompo.md": Meant(
        48,
        30,
        (Shown(0, 8, "Y"), Shown(8, 16, "X", 18), Shown(16, 24, "Z"), Shown(24, 48, "X", 34)),
        ((4, MUSIC_HZ, 0), (30, MUSIC_HZ, None)),
    ),
    "newer/128_beat_music_video_komposition.json": Meant(
        64, 30, (Shown(0, 8, ""), Shown(10, 38, JJV, 10), Shown(40, 62, WZ, 14))
    ),
    "newer/v3_boat_single_layer.json": Meant(20, 25, (Shown(0, 20, "boat-vid"),)),
}
"""Each document that is rendered."""

_TOO_SHORT = "8 s is not before the end of the picture"
REFUSED = {
    "couchdb/Clarian_Ver__11_Am_Mix.json": "names parts of a sound and has no picture",
    "json/same_orientation_test.json": _TOO_SHORT,
    "json/working_composition.json": _TOO_SHORT,
    "other/effects.json": "describes 5 effects, and no timeline",
    "xml/Bergen_mix.kompo.xml": "there is nothing to see",
    "xml/Clarian_Ver__11_Am_Mix_.dvl.xml": "names parts of a sound and has no picture",
    "xml/blackimage.dvl.xml": "a list of pictures on the web, and no video",
}
"""Each that is not, and why."""
