"""Which file each reference of a document names.

The rules: `file://X` is X; of an absolute path the file's name counts; of an address on the web the last
part of its path does; a page of YouTube is the file `<video id>_<format>.<extension>`, as its downloads are
called. A reference that no source has as its id is a file's name, or that of the one source whose id begins
with the same word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from media_assets.kompositions.dialects.reading import Member

_SOUND = frozenset({"mp3", "flac", "wav", "m4a", "aac", "ogg", "opus"})
_STILL = frozenset({"jpg", "jpeg", "png", "webp", "gif", "bmp", "tiff"})
_PICTURE = frozenset({"mp4", "mov", "webm", "mkv", "avi", "m4v", "mts"}) | _STILL
_PAGES = ("youtube.com", "youtu.be")
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_FIRST_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Source:
    """A source that a document lists.

    Attributes:
        file: the file it names; None where it names none.
        sound: whether it is only heard.
        note: what its user is to know of that file.
    """

    id: str
    file: str | None
    sound: bool
    member: Member
    note: str = ""


@dataclass
class Sources:
    """The sources that a document lists, and which of them were asked for."""

    listed: Sequence[Source] = ()
    asked: set[str] = field(default_factory=set)

    def file(self, reference: str, member: Member) -> str | None:
        """The file that `reference` (the value of `member`) names; None where it names none."""
        for source in self.listed:
            if reference in (source.id, source.file):
                return self._used(source)
        if "://" in reference or _is_absolute(reference) or ".." in reference.split("/"):
            return file_of(reference, member)
        like = [source for source in self.listed if _first_word(source.id) == _first_word(reference)]
        if len(like) == 1 and "." not in reference:
            member.warn(f"{reference!r} is no source; it is taken for {like[0].id!r}")
            return self._used(like[0])
        if self.listed and "." not in reference:
            ids = ", ".join(source.id for source in self.listed)
            member.fail(f"there is no source {reference!r}; sources are {ids}")
            return None
        if "." not in reference:
            member.warn(f"names no file: one called {reference!r} is looked for in the source folder")
        return reference

    def _used(self, source: Source) -> str:
        self.asked.add(source.id)
        note = source.note or (
            "" if source.file else f"names no file: one called {source.id!r} is looked for"
        )
        if note:
            source.member.warn(note)
        return source.file or source.id

    def unused_sound(self) -> list[Source]:
        """Sound that nothing asked for."""
        return [s for s in self.listed if s.sound and s.id not in self.asked]

    def tell_unused(self) -> None:
        """Warn of sources that nothing shows."""
        for source in self.listed:
            if source.id not in self.asked:
                source.member.warn("no segment shows it")


def read_sources(member: Member | None) -> Sources:
    """The sources of a document: a list, or an object by id."""
    if member is None:
        return Sources()
    by_id = isinstance(member.value, dict)
    return Sources([_source(item, str(item.place[-1]) if by_id else "") for item in member.items()])


def _source(member: Member, named: str) -> Source:
    if isinstance(member.value, str):
        file, note = _named_file(member.value)
        return Source(named or member.value, file, _is_sound("", file), member, note)
    member.describe("checksums", "checksum", "md5checksum", "description", "title", "metadata")
    identifier = member.text("id", "text", "name") or named
    link = member.get("url", "href", "file", "filename", "path", "fileName")
    kind = member.text("mediatype", "mediaType", "type").lower()
    member.describe("type")
    extension, form = member.text("extension"), member.text("format")
    file, note = _named_file(str(link.value), extension, form) if link else (None, "")
    offset = member.number("startingOffset")
    if offset is not None and offset > 0:
        member.warn("startingOffset is left out: nothing says what it counts")
    return Source(identifier or file or "", file, _is_sound(kind, file), member, note)


def file_of(link: str, member: Member, *, extension: str = "") -> str | None:
    """The file that an address or a path names; None where it names none.

    Args:
        extension: how the file's name ends, as the document says beside it.
    """
    file, note = _named_file(link, extension)
    if note:
        member.warn(note)
    return file


def _named_file(link: str, extension: str = "", form: str = "") -> tuple[str | None, str]:
    """The file, and what its user is to know; `form` is the number of the format that was downloaded."""
    if link.startswith("file:"):
        link = unquote(link.removeprefix("file:").removeprefix("//"))
    elif "://" in link:
        name = _downloaded(link, extension, form)
        if name is None:
            return None, ""
        return name, f"is on the web: download it, as {name!r}, into the source folder"
    if _is_absolute(link) or ".." in link.replace("\\", "/").split("/"):
        name = link.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
        return name or None, f"is a path of another machine: {name!r} is looked for in the source folder"
    return link or None, ""


def _downloaded(link: str, extension: str, form: str) -> str | None:
    """The name of the file that something on the web becomes when it is fetched."""
    try:
        parts = urlsplit(link)
        host = parts.hostname or ""
    except ValueError:
        return None
    video = parse_qs(parts.query).get("v", [""])[0]
    name = unquote(parts.path.rstrip("/").rsplit("/", 1)[-1])
    if host.removeprefix("www.") in _PAGES:
        stem = video or name
        name = f"{stem}_{form}" if form.isdigit() else stem
        extension = extension or ("mp4" if form.isdigit() or not form else form)
    name = name.replace("\\", "_")
    if not name or name in (".", ".."):
        return None
    if extension and not name.lower().endswith("." + extension.lower()):
        name = f"{name}.{extension}"
    return name


def _is_absolute(link: str) -> bool:
    return link.startswith(("/", "~", "\\")) or _DRIVE.match(link) is not None


def _is_sound(kind: str, file: str | None) -> bool:
    extension = (file or "").rsplit(".", 1)[-1].lower()
    return extension in _SOUND or (kind.startswith("audio") and extension not in _PICTURE)


def is_sound(file: str) -> bool:
    """Whether a file is sound alone, going by its name."""
    return file.rsplit(".", 1)[-1].lower() in _SOUND


def is_still(file: str) -> bool:
    """Whether a file is a still, going by its name."""
    return file.rsplit(".", 1)[-1].lower() in _STILL


def _first_word(text: str) -> str:
    found = _FIRST_WORD.search(text.lower())
    return found.group() if found else ""
