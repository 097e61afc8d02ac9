"""The data root of a soak: tiny real footage in several takes, documents, and jobs."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from media_assets.media import binaries
from media_assets.settings import Settings
from media_assets_tests.making import clip, make

SETTLE_SECONDS = 1.0
TAKES = ("a", "b", "c")
# Size, pictures a second, and whether it has sound.
_VIDEOS = {
    "red.mp4": ("160x90", "30", True),
    "Wide Shot.mp4": ("320x180", "25", False),
    "sub/tall.mov": ("90x160", "30", True),
    "quick.mkv": ("128x96", "50", True),
}
_PICTURES = {"a": "testsrc2", "b": "smptebars", "c": "rgbtestsrc"}
_TUNES = {"a": 220, "b": 330, "c": 440}
SONG, TITLE = "song.wav", "title.png"
VIDEOS = tuple(_VIDEOS)
# A box that players pass over: other bytes, the same pictures.
_FREE_BOX = b"\0\0\0\x10freemore!!!!"


@dataclass(frozen=True)
class Studio:
    """A data root, and the takes its files are filled from.

    Attributes:
        root: the data root.
        takes: a folder beside it with each file in several takes.
        recorded: where each ffmpeg command of the soak is written down, or None.
        analyze: `eager` to have every source analysed.
        videos: names of the first videos; later ones are takes of them too.
    """

    root: Path
    takes: Path
    recorded: Path | None = None
    analyze: str = "manual"
    videos: tuple[str, ...] = VIDEOS

    @property
    def names(self) -> tuple[str, ...]:
        """The first sources."""
        return (*self.videos, SONG, TITLE)

    @property
    def settings(self) -> Settings:
        """The settings that the daemon and the commands have."""
        plain = Settings.from_environment(self.root)
        return replace(plain, settle_seconds=SETTLE_SECONDS, analyze=self.analyze)

    @property
    def environment(self) -> dict[str, str]:
        """The same as variables, with ffmpeg recorded."""
        dropped = ("DAGSTER_HOME", "MEDIA_ASSETS_DATA")
        chosen = {
            "MEDIA_ASSETS_DATA": str(self.root),
            "MEDIA_ASSETS_SETTLE_SECONDS": str(SETTLE_SECONDS),
            "MEDIA_ASSETS_ANALYZE": self.analyze,
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        if self.recorded is not None:
            chosen["MEDIA_ASSETS_FFMPEG"] = str(self.takes / "ffmpeg")
        return {k: v for k, v in os.environ.items() if k not in dropped} | chosen

    def content(self, name: str, take: str) -> bytes:
        """What a file holds in a take; a take with `+` has other bytes and the same pictures."""
        data = (self.takes / take[0] / name).read_bytes()
        return data + _FREE_BOX if take.endswith("+") else data

    def source(self, name: str) -> Path:
        """Where a source lies."""
        return self.settings.source_root / name

    def put(self, name: str, content: bytes) -> None:
        """Have a source appear at once, as a copy does that is renamed into place."""
        path = self.source(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(f".{path.name}.soak")
        hidden.write_bytes(content)
        hidden.replace(path)

    def document(self, name: str) -> Path:
        """Where a document lies."""
        return self.settings.komposition_root / f"{name}.json"

    def write(self, name: str, document: dict[str, Any]) -> None:
        """Save a document as an editor does: beside it, then renamed."""
        path = self.document(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(f".{path.name}.soak")
        hidden.write_text(json.dumps(document, indent=1))
        hidden.replace(path)

    def asked(self) -> list[str]:
        """The videos that there is a job for."""
        documents = (json.loads(path.read_text()) for path in sorted(self._jobs.glob("*.json")))
        return [document["inputs"][0]["source"] for document in documents]

    @property
    def _jobs(self) -> Path:
        return self.takes / "jobs"

    def job(self, name: str) -> Path:
        """A job on one of the videos: cut, then made smaller; written if it is not there yet."""
        stem = name.replace("/", "_").replace(" ", "_")
        path = self._jobs / f"{stem}.json"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            cut = {"op": "trim", "input": "video", "output": "cut", "start": "500ms", "duration": "1s"}
            small = {
                "op": "scale",
                "input": "cut",
                "output": "small",
                "params": {"width": 64, "height": -2},
            }
            document = {
                "inputs": [{"id": "video", "source": name}],
                "operations": [cut, small],
                "outputs": [{"id": "cut"}, {"id": "small"}],
            }
            path.write_text(json.dumps(document))
        return path


def make_takes(folder: Path, settings: Settings, videos: tuple[str, ...]) -> None:
    """Make every file in every take, once."""
    for take in TAKES:
        for name in videos:
            size, rate, heard = _VIDEOS[name]
            sound = f"sine=f={_TUNES[take]}:r=48000" if heard else None
            target = folder / take / name
            clip(settings, target, size=size, rate=rate, picture=_PICTURES[take], sound=sound)
        tune = f"sine=f={_TUNES[take]}:b=4:d=8:r=48000"
        make(settings, folder / take / SONG, "-f", "lavfi", "-i", tune)
        picture = f"{_PICTURES[take]}=s=161x91"
        make(settings, folder / take / TITLE, "-f", "lavfi", "-i", picture, "-frames:v", "1")


def open_studio(folder: Path, *, analyze: str, record: bool, videos: tuple[str, ...] = VIDEOS) -> Studio:
    """A studio under `folder` with all its files in the first take and three documents."""
    root, takes = folder / "data", folder / "takes"
    settings = Settings.from_environment(root)
    make_takes(takes, settings, videos)
    recorded = folder / "ffmpeg.jsonl" if record else None
    if recorded is not None:
        _recorder(takes / "ffmpeg", recorded, binaries.ffmpeg(settings).path)
    studio = Studio(root, takes, recorded, analyze, videos)
    for name in studio.names:
        studio.put(name, studio.content(name, "a"))
    chance = random.Random(0)  # noqa: S311 - the same documents each time
    for name in ("opening", "reel"):
        studio.write(name, drawn_document(chance, videos))
    studio.write("nested", nesting("komp_reel"))
    return studio


def copy_of(studio: Studio, folder: Path) -> Studio:
    """A studio that has the sources and documents of another, and nothing that was made from them."""
    other = replace(studio, root=folder, recorded=None)
    for mine, theirs in (
        (studio.settings.source_root, other.settings.source_root),
        (studio.settings.komposition_root, other.settings.komposition_root),
    ):
        shutil.copytree(mine, theirs)
    return other


def drawn_document(chance: random.Random, sources: tuple[str, ...]) -> dict[str, Any]:
    """A komposition of two to four cuts, in beats or seconds, with a song or without."""
    bpm = chance.choice((None, 120, 150))
    unit = 2 if bpm else 1
    segments: list[dict[str, Any]] = []
    for index in range(chance.randint(2, 4)):
        cut: dict[str, Any] = {
            "source": chance.choice(sources),
            "in_point": chance.choice((0, 0.5, 1)),
            "duration": chance.choice((1, 2)) * unit / 2,
        }
        if index and chance.random() < 0.3:
            cut["transition"] = {"type": "crossfade", "duration": unit / 5}
        segments.append(cut)
    if chance.random() < 0.3:
        segments.append({"source": TITLE, "duration": unit / 2})
    document: dict[str, Any] = {
        "version": 1,
        "output": {"width": 160, "height": 90, "fps": 30},
        "segments": segments,
    }
    document |= {"bpm": bpm} if bpm else {"unit": "seconds"}
    if chance.random() < 0.5:
        document["music"] = {"source": SONG, "gain_db": chance.choice((-3, -6)), "fade_out": 0.5}
    return document


def nesting(inner: str) -> dict[str, Any]:
    """A komposition that shows another one after a title."""
    segments = [{"source": TITLE, "duration": 0.5}, {"source": inner, "duration": 1}]
    output = {"width": 160, "height": 90, "fps": 30}
    return {"version": 1, "unit": "seconds", "output": output, "segments": segments}


def _recorder(path: Path, log: Path, ffmpeg: Path) -> None:
    """An ffmpeg that writes down when it is started, with what, and is the real one then."""
    path.write_text(
        f"#!{sys.executable} -SI\n"
        "import json, os, sys, time\n"
        f"line = json.dumps([time.time(), os.getpid(), sys.argv[1:]]) + '\\n'\n"
        f"file = os.open({str(log)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)\n"
        "os.write(file, line.encode())\n"
        "os.close(file)\n"
        f"os.execv({str(ffmpeg)!r}, [{str(ffmpeg)!r}, *sys.argv[1:]])\n"
    )
    path.chmod(0o755)
