"""The sources that have been read: a record each, and a memo that spares reading them again.

Records are the truth; the memo is derived from them and rebuilt when it is lost.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from media_assets.errors import (
    BadInput,
    CorruptMedia,
    FfmpegMissing,
    MediaAssetsError,
    UnknownSource,
    UnsafePath,
)
from media_assets.ids import hash_file, source_id
from media_assets.media.info import MediaInfo
from media_assets.media.probe import probe
from media_assets.settings import Settings
from media_assets.store.files import read_json, write_json
from media_assets.store.memo import Memo, passing
from media_assets.store.scan import Found, Stat, look, scan
from media_assets.store.source_facts import Changes, Rejection, SourceFacts

__all__ = ["Changes", "Rejection", "SourceCatalogue", "SourceFacts"]

_STAT = TypeAdapter(Stat)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"src_[a-z0-9_]{1,100}")


class SourceCatalogue:
    """The sources under `settings.source_root` and their records."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = settings.source_root
        self._records = settings.metadata_root / "sources"
        self._rejections = settings.metadata_root / "rejected"
        self._memo = Memo(settings.metadata_root / "memo.json", self._rebuilt_memo)
        self.root.mkdir(parents=True, exist_ok=True)

    def changes(self, now: float | None = None) -> Changes:
        """Compare the disk with the memo: one `stat` a file, nothing read.

        Args:
            now: seconds since the epoch; a file modified less than `settle_seconds` ago is growing.
        """
        moment = time.time() if now is None else now
        memo = self._memo.entries()
        found = scan(self.root)
        unread: list[Found] = []
        growing: list[Found] = []
        for file in found.values():
            known = memo.get(file.id, [])
            # A source that has become a link that leads out has the times of the file it leads to.
            if known[:3] == _signature(file.stat) and not (file.problem and known[3]):
                continue
            age = moment - file.stat.mtime_ns / 1e9
            # A time stamp in the future says nothing of when the file was last written.
            (growing if 0 <= age < self.settings.settle_seconds else unread).append(file)
        return Changes(tuple(unread), tuple(sorted(set(memo) - set(found))), tuple(growing), found)

    def ingest(self, files: Sequence[Found]) -> Iterator[SourceFacts | Rejection]:
        """Read files side by side, yielding each as it is done, in order.

        A file is hashed and probed unless its record (or that of the file it was renamed from)
        already tells. What is wrong with a file is a Rejection, never an exception.

        Raises:
            FfmpegMissing: there is nothing to probe with; what was read before is kept.
        """
        memo = self._memo.entries()
        by_signature = {tuple(entry[:3]): identifier for identifier, entry in memo.items()}
        done: list[SourceFacts | Rejection] = []
        try:
            with ThreadPoolExecutor(self.settings.workers) as pool:
                for result in pool.map(lambda file: self._ingest_one(file, by_signature), files):
                    done.append(result)
                    yield result
        finally:
            with self._memo.updating() as latest:
                latest.update({result.id: _entry(result) for result in done})

    def facts(self, reference: str) -> SourceFacts:
        """The record of a source, by id or by path under the source root.

        Raises:
            UnknownSource: there is no such source; UnsafePath: the path leaves the root.
        """
        identifier = self.identify(reference)
        facts = self._record(identifier)
        if facts is None:
            rejected = self._rejection(identifier)
            if rejected is not None:
                raise UnknownSource(f"it was rejected: {rejected.message}", where=reference)
            raise UnknownSource(
                "there is no such source", where=reference, hint="put the file under data/source and ingest"
            )
        return facts

    def unchanged(self, reference: str) -> SourceFacts:
        """The record of a source, held against its file.

        Raises:
            BadInput: the file changed after it was read; UnknownSource: there is no such source.
            UnsafePath: its place leads out of the source folder.
        """
        facts = self.facts(reference)
        file = look(self.root, facts.relative)
        if file is None:
            raise UnknownSource("its file is gone", where=reference, hint="put it back, or ingest")
        if file.problem:
            raise UnsafePath(file.problem, where=reference, hint="put the file itself there")
        if file.stat != facts.stat:
            raise BadInput("the file changed after it was ingested", where=reference, hint="ingest again")
        return facts

    def identify(self, reference: str) -> str:
        """The source id that a reference (an id, or a path under the root) means.

        Raises:
            UnsafePath: it is a URL, absolute outside the root, or leaves the root.
        """
        if "://" in reference:
            raise UnsafePath("a URL is not a source", where=reference, hint="download it into data/source")
        if _ID.fullmatch(reference) and not (self.root / reference).exists():
            return reference
        path = Path(reference)
        relative = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        if relative.is_absolute() or ".." in relative.parts or not relative.parts or "\0" in reference:
            raise UnsafePath("the path leaves the source folder", where=reference)
        try:
            return source_id(relative.as_posix())
        except UnicodeEncodeError:
            raise UnsafePath("the name is not valid text", where=ascii(reference)) from None

    def forget(self, ids: Iterable[str]) -> None:
        """Drop the records of sources that are gone."""
        gone = list(ids)
        with self._memo.updating() as memo:
            for identifier in gone:
                memo.pop(identifier, None)
                if not _ID.fullmatch(identifier):
                    continue  # what somebody wrote into the memo names no record
                for folder in (self._records, self._rejections):
                    (folder / f"{identifier}.json").unlink(missing_ok=True)

    def versions(self) -> dict[str, str]:
        """SHA-256 of every source on record, by id; from the memo, so no record is read."""
        return {identifier: entry[3] for identifier, entry in self._memo.entries().items() if entry[3]}

    def stamp(self) -> int:
        """Changes whenever a record does (ns)."""
        return self._memo.stamp()

    def __iter__(self) -> Iterator[SourceFacts]:
        """Every source on record, by id."""
        for path in sorted(self._records.glob("src_*.json")):
            facts = self._record(path.stem)
            if facts is not None:
                yield facts

    def matching(self, name: str, test: Callable[[SourceFacts], bool]) -> list[str]:
        """Ids of the sources on record that pass a test, in order.

        Args:
            name: of the test: another one for another test, since answers are remembered under it.
            test: takes the facts of a source; asked once for each state of a record.
        """

        def passes(identifier: str) -> bool:
            facts = self._record(identifier)
            return facts is not None and test(facts)

        return passing(self._records, name, passes)

    def rejections(self) -> list[Rejection]:
        """Every rejected file, by id."""
        paths = sorted(self._rejections.glob("src_*.json"))
        return [found for path in paths if (found := self._rejection(path.stem)) is not None]

    def _ingest_one(
        self, file: Found, by_signature: Mapping[tuple[int, ...], str]
    ) -> SourceFacts | Rejection:
        try:
            result: SourceFacts | Rejection = self._read(file, self._known(file, by_signature))
        except FfmpegMissing:
            raise  # says nothing of the file: it must be read again
        except MediaAssetsError as error:
            result = Rejection(file.id, file.relative, file.stat, error.code, error.message)
        except OSError as error:
            words = error.strerror or str(error)
            result = Rejection(file.id, file.relative, file.stat, "BadInput", f"it cannot be read: {words}")
        self._remember(result)
        return result

    def _read(self, file: Found, known: SourceFacts | None) -> SourceFacts:
        if file.problem:
            raise UnsafePath(file.problem)
        path, started = self.root / file.relative, time.monotonic()
        if file.stat.size == 0:
            raise CorruptMedia("the file is empty")
        same_file = known is not None and known.stat == file.stat
        sha256 = known.sha256 if known is not None and same_file else hash_file(path)
        info = known.info if known is not None and known.sha256 == sha256 else probe(path, self.settings)
        after = look(self.root, file.relative)
        if after is None or after.stat != file.stat:
            raise BadInput("it changed while it was being read")
        seconds = time.monotonic() - started
        return SourceFacts(file.id, path, file.relative, sha256, info, file.stat, seconds)

    def _known(self, file: Found, by_signature: Mapping[tuple[int, ...], str]) -> SourceFacts | None:
        """The record of this file, or of the one it was renamed from (same inode, size and time)."""
        own = self._record(file.id)
        if own is not None:
            return own
        twin = by_signature.get(tuple(_signature(file.stat)))
        return self._record(twin) if twin else None

    def _record(self, identifier: str) -> SourceFacts | None:
        """What is on record; None where that is not what was written: the file is read again then."""
        document = read_json(self._records / f"{identifier}.json")
        try:
            if document is None or not identifier == document["id"] == source_id(document["path"]):
                return None
            if not _SHA256.fullmatch(document["sha256"]):
                return None
            return SourceFacts(
                id=identifier,
                path=self.root / document["path"],
                relative=document["path"],
                sha256=document["sha256"],
                info=MediaInfo.from_json(document["info"]),
                stat=_STAT.validate_python(document["stat"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def _rejection(self, identifier: str) -> Rejection | None:
        """The same of a file that was rejected."""
        document = read_json(self._rejections / f"{identifier}.json")
        try:
            if document is None or document["id"] != identifier:
                return None
            stat = _STAT.validate_python(document["stat"])
            return Rejection(
                identifier, str(document["path"]), stat, str(document["error"]), str(document["message"])
            )
        except (KeyError, TypeError, ValueError):
            return None

    def _remember(self, result: SourceFacts | Rejection) -> None:
        accepted = isinstance(result, SourceFacts)
        home, other = (self._records, self._rejections) if accepted else (self._rejections, self._records)
        write_json(home / f"{result.id}.json", result.to_json())
        (other / f"{result.id}.json").unlink(missing_ok=True)

    def _rebuilt_memo(self) -> dict[str, Any]:
        found = (self._record(path.stem) for path in sorted(self._records.glob("src_*.json")))
        known: list[SourceFacts | Rejection] = [one for one in found if one is not None]
        return {one.id: _entry(one) for one in (*known, *self.rejections())}


def _signature(stat: Stat) -> list[int]:
    return [stat.size, stat.mtime_ns, stat.inode]


def _entry(result: SourceFacts | Rejection) -> list[Any]:
    """What the memo keeps: the file's state, and its hash if it is a source."""
    return [*_signature(result.stat), result.sha256 if isinstance(result, SourceFacts) else None]
