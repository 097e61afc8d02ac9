"""Where finished files may go, and how they get there: whole, or not at all."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import fsspec

from media_assets.errors import BadInput, DeliveryFailed, DiskFull, MediaAssetsError, UnsafePath
from media_assets.settings import Settings
from media_assets.store.outputs import publish
from media_assets.store.space import check_room
from media_assets.store.urls import is_url

JOBS = "jobs"
"""The folder under the output root that relative destinations go to."""

_LONGEST_NAME = 200
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# What is written there appears when it is whole; elsewhere a file is written aside and renamed.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss"})


@dataclass(frozen=True)
class _Place:
    """A destination that was checked: a path here, or a URL of a file system elsewhere."""

    path: Path | None
    url: str


def check_destination(destination: str, settings: Settings) -> str:
    """Where a finished file will go, held against what is allowed before anything is rendered.

    Args:
        destination: a path under `output/jobs/`; or an absolute path, a `file://` URL, or the URL of
            another file system, under one of `MEDIA_ASSETS_DESTINATIONS`.

    Returns:
        The path or URL in full.

    Raises:
        UnsafePath: it leaves its root, or is under none of those allowed.
        BadInput: it cannot be written to, or the package for its file system is missing.
    """
    place = _place(destination, settings)
    if place.path is None:
        return place.url
    _check_writable(place.path, destination)
    return str(place.path)


def deliver(path: Path, destination: str, settings: Settings) -> str:
    """Put a finished file at its destination; what is there already is replaced.

    Returns:
        The path or URL it now has.

    Raises:
        UnsafePath, BadInput: as `check_destination`.
        DiskFull: no room there. DeliveryFailed: the other file system refused; nothing is there.
    """
    place = _place(destination, settings)
    if place.path is None:
        return _upload(path, place.url)
    _check_writable(place.path, destination)
    nearest = next(parent for parent in place.path.parents if parent.exists())
    if nearest.stat().st_dev != path.stat().st_dev:
        check_room(nearest, path.stat().st_size, settings, where=destination)
    try:
        publish(path, place.path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull("no space was left at the destination", where=destination) from error
        raise BadInput(f"it cannot be written: {error.strerror}", where=destination) from error
    return str(place.path)


def _place(destination: str, settings: Settings) -> _Place:
    if not destination or not destination.isprintable():
        raise UnsafePath(
            "the destination is empty or holds unprintable characters", where=ascii(destination)
        )
    if destination.endswith(("/", "/.", "/..")):
        raise BadInput("the destination is a folder", where=destination, hint="name the file")
    if is_url(destination) and not destination.startswith("file://"):
        return _Place(None, _remote(destination, settings))
    path = _local_path(destination)
    if ".." in path.parts:
        raise UnsafePath("the destination leaves its folder", where=destination)
    if len(path.name.encode()) > _LONGEST_NAME:
        raise BadInput(f"the file name is longer than {_LONGEST_NAME} bytes", where=destination)
    if path.is_absolute():
        roots = [settings.output_root, *_local_roots(settings)]
    else:
        roots = [settings.output_root / JOBS]
        path = roots[0] / path
    try:
        resolved = path.resolve()
        inside = any(
            resolved != root and resolved.is_relative_to(root) for root in map(Path.resolve, roots)
        )
    except (OSError, RuntimeError):  # RuntimeError is how Python 3.11 tells a loop of links
        raise UnsafePath("the destination cannot be followed to a place", where=destination) from None
    if not inside:
        raise _not_allowed(destination)
    return _Place(resolved, str(resolved))


def _local_path(destination: str) -> Path:
    if not is_url(destination):
        return Path(destination)
    parts = urlsplit(destination)
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        raise UnsafePath("a file:// URL names no other machine and has no query", where=destination)
    path = Path(unquote(parts.path))
    if _UNPRINTABLE.search(str(path)):
        raise UnsafePath("the destination holds control characters", where=ascii(destination))
    return path


def _local_roots(settings: Settings) -> list[Path]:
    listed = (root for root in settings.destinations if not is_url(root) or root.startswith("file://"))
    return [path for path in map(_local_path, listed) if path.is_absolute()]


def _remote(url: str, settings: Settings) -> str:
    """The URL, if it is under a prefix that is allowed and its file system can be talked to."""
    scheme, _, rest = url.partition("://")
    if "::" in url or "?" in url or "#" in url or "@" in rest.split("/")[0]:
        text = "a destination has no chained file systems, password, query or fragment"
        raise UnsafePath(text, where=f"{scheme}://…")
    if any(part in ("", ".", "..") for part in rest.split("/")):
        raise UnsafePath("the destination has an empty part or one of dots", where=url)
    allowed = [root.rstrip("/") + "/" for root in settings.destinations if is_url(root)]
    if not any(url.startswith(prefix) for prefix in allowed):
        raise _not_allowed(url)
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise BadInput(f"writing to {scheme}:// needs a package: {error}", where=url) from None
    except ValueError:
        raise BadInput(f"there is no file system {scheme}://", where=url) from None
    return url


def _not_allowed(destination: str) -> UnsafePath:
    return UnsafePath(
        "the destination is under none of the places that jobs may write to",
        where=destination,
        hint="give a relative path, or list its folder or URL prefix in MEDIA_ASSETS_DESTINATIONS",
    )


def _check_writable(path: Path, destination: str) -> None:
    """Look whether the file could be written, making nothing yet."""
    try:
        taken = path.is_dir()
        nearest = next(parent for parent in path.parents if parent.exists())
        within = nearest.is_dir()
    except OSError as error:
        raise BadInput(f"it cannot be looked at: {error.strerror}", where=destination) from None
    if taken:
        raise BadInput("there is a folder of that name", where=destination)
    if not within:
        raise BadInput(f"{nearest.name} is a file, not a folder", where=destination)
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise BadInput(f"the folder {nearest.name} may not be written to", where=destination)


def _upload(path: Path, url: str) -> str:
    try:
        system, target = fsspec.core.url_to_fs(url)
        if system.isdir(target):
            raise BadInput("there is a folder of that name", where=url)
        if url.partition("://")[0] in _OBJECT_STORES:
            system.put_file(str(path), target)
        else:
            _upload_aside(system, path, target)
    except MediaAssetsError:
        raise
    # Each file system has errors of its own, with no common base.
    except Exception as error:
        words = str(error) or type(error).__name__
        raise DeliveryFailed(f"it could not be delivered: {words}", where=url) from error
    return url


def _upload_aside(system: Any, path: Path, target: str) -> None:
    folder, _, name = target.rpartition("/")
    aside = f"{folder}/.{name}.{os.getpid()}.part"
    system.makedirs(folder, exist_ok=True)
    try:
        system.put_file(str(path), aside)
        system.mv(aside, target)
    except BaseException:
        if system.exists(aside):
            system.rm_file(aside)
        raise
