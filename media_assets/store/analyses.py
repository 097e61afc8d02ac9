"""What listening to and looking at files gave, kept by their content: the work is done once.

A document is `metadata/analyses/<kind>/<sha256>.json`. One that is missing, damaged or of an older version
is made again. Two processes that want the same at once: one works, the other waits and reads.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast, overload

from filelock import FileLock

from media_assets.errors import MediaAssetsError
from media_assets.ids import hash_file
from media_assets.media.analysis.beats import Beats, analyse_beats
from media_assets.media.analysis.picture import PictureContent, analyse_picture
from media_assets.media.analysis.sound import SoundContent, analyse_sound
from media_assets.media.info import MediaInfo
from media_assets.media.probe import probe
from media_assets.settings import Settings
from media_assets.store.files import read_json, write_json

AnalysisKind = Literal["beats", "sound", "picture"]
Analysis = Beats | SoundContent | PictureContent


class Analysed(Protocol):
    """A file that can be analysed: where it is, its SHA-256, what it holds. Records of sources are such."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def sha256(self) -> str:
        """64 hex digits of its content."""

    @property
    def info(self) -> MediaInfo:
        """What probing said."""


@dataclass(frozen=True)
class AnyFile:
    """A file from anywhere, read for its analysis."""

    path: Path
    sha256: str
    info: MediaInfo

    @classmethod
    def read(cls, path: Path, settings: Settings) -> AnyFile:
        """Probe and hash a file.

        Raises:
            BadInput: there is no such file; NotMedia, CorruptMedia: it is no media.
        """
        info = probe(path, settings)
        return cls(path, hash_file(path), info)


@dataclass(frozen=True)
class _Way:
    """How a kind of analysis is made and read back; the version is raised when it gives something else."""

    version: int
    make: Callable[[Path, MediaInfo, Settings, Path], Analysis]
    read: Callable[[Mapping[str, Any]], Analysis]


_WAYS: Mapping[AnalysisKind, _Way] = {
    "beats": _Way(1, analyse_beats, Beats.from_json),
    "sound": _Way(2, analyse_sound, SoundContent.from_json),
    "picture": _Way(3, analyse_picture, PictureContent.from_json),
}


class AnalysisStore:
    """The analyses under `settings.metadata_root / "analyses"`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._root = settings.metadata_root / "analyses"

    @overload
    def analysis(self, kind: Literal["beats"], source: Analysed) -> Beats: ...
    @overload
    def analysis(self, kind: Literal["sound"], source: Analysed) -> SoundContent: ...
    @overload
    def analysis(self, kind: Literal["picture"], source: Analysed) -> PictureContent: ...
    @overload
    def analysis(self, kind: AnalysisKind, source: Analysed) -> Analysis: ...
    def analysis(self, kind: AnalysisKind, source: Analysed) -> Analysis:
        """An analysis of a file: the kept one, or a new one.

        Raises:
            NotMedia: the file has no sound, or no picture; CorruptMedia: it cannot be decoded;
            TimeLimitExceeded: that took longer than `settings.render_timeout`.
        """
        path = self._root / kind / f"{source.sha256}.json"
        found = self._kept(kind, path)
        if found is not None:
            return found
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            found = self._kept(kind, path)
            if found is not None:
                return found
            way = _WAYS[kind]
            with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as scratch:
                found = way.make(source.path, source.info, self.settings, Path(scratch))
            write_json(path, {"version": self._version(kind), "analysis": found.to_json()})
        # Whoever waited for the lock has it open, and whoever comes now finds the document.
        path.with_suffix(".lock").unlink(missing_ok=True)
        return found

    def kept(self, kind: AnalysisKind, source: Analysed) -> Analysis | None:
        """An analysis that was made before; None where it would have to be made."""
        return self._kept(kind, self._root / kind / f"{source.sha256}.json")

    def analyses(
        self, wanted: Iterable[tuple[str, AnalysisKind]], sources: Mapping[str, Analysed]
    ) -> dict[tuple[str, AnalysisKind], Analysis | MediaAssetsError]:
        """Analyses of several files, by name and kind, made side by side.

        What is wrong with a file is in the place of its analysis. Names without a source are left out.
        """
        asked = [(name, kind) for name, kind in dict.fromkeys(wanted) if name in sources]

        def one(need: tuple[str, AnalysisKind]) -> Analysis | MediaAssetsError:
            try:
                return self.analysis(need[1], sources[need[0]])
            except MediaAssetsError as error:
                return error

        if not asked:
            return {}
        with ThreadPoolExecutor(min(len(asked), self.settings.workers)) as pool:
            return dict(zip(asked, pool.map(one, asked), strict=True))

    def _version(self, kind: AnalysisKind) -> int | str:
        """What a document must have been made by: another detector finds other cuts."""
        version = _WAYS[kind].version
        other = kind == "picture" and self.settings.scenes != "scdet"
        return f"{version}-{self.settings.scenes}" if other else version

    def _kept(self, kind: AnalysisKind, path: Path) -> Analysis | None:
        """What is on disk, if it is whole and of this version."""
        try:
            document = read_json(path)
            if document is None or document.get("version") != self._version(kind):
                return None
            return _WAYS[kind].read(cast("Mapping[str, Any]", document["analysis"]))
        except (KeyError, TypeError, ValueError, AttributeError, OSError):
            return None
