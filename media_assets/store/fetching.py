"""Fetches a source by URL into the source folder, so that no URL ever reaches ffmpeg."""

from __future__ import annotations

import errno
import os
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpcore
import httpx
from filelock import FileLock

from media_assets.errors import BadInput, DiskFull, FetchFailed, TimeLimitExceeded, UnsafePath
from media_assets.settings import Settings
from media_assets.store.connections import CheckedNetwork, Resolver, resolve
from media_assets.store.files import read_json, write_json
from media_assets.store.space import check_room
from media_assets.store.urls import check_url, digest, file_name, without_query

FOLDER = "fetched"
"""The folder under the source root that fetched files go to."""

_REDIRECTS = 5
_REDIRECTING = (301, 302, 303, 307, 308)
# Longer than any server needs between two packets.
_STALL_SECONDS = 30.0
_TIMEOUTS = dict.fromkeys(("connect", "read", "write", "pool"), _STALL_SECONDS)
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "media-assets"}


def fetch(
    url: str,
    settings: Settings,
    *,
    max_bytes: int | None = None,
    timeout: float | None = None,
    refresh: bool = False,
    resolver: Resolver = resolve,
    certificates: ssl.SSLContext | None = None,
) -> Path:
    """The file that `url` holds, under the source root; fetched unless it was before.

    Args:
        max_bytes, timeout: limits (bytes, seconds) below those of the settings.
        refresh: ask the server whether it has changed.
        resolver: what looks hosts up.
        certificates: whom to trust, instead of the usual authorities.

    Raises:
        UnsafePath: the URL, or where it leads, is not on the open internet.
        BadInput: there is no such file, it is a web page, or it is too large.
        TimeLimitExceeded: it took too long. FetchFailed: another try may do. DiskFull: no room.
    """
    check_url(url, settings.fetch_hosts)
    records = settings.metadata_root / FOLDER
    records.mkdir(parents=True, exist_ok=True)
    record = records / f"{digest(url)}.json"
    limit = min(max_bytes or settings.fetch_max_bytes, settings.fetch_max_bytes)
    # Two that ask for one URL fetch it once.
    with FileLock(record.with_suffix(".lock")):
        known = read_json(record) or {}
        path = _whole(known, settings.source_root)
        if path is not None and not refresh:
            if path.stat().st_size > limit:
                raise _too_large(url, limit)
            return path
        deadline = time.monotonic() + min(timeout or settings.fetch_timeout, settings.fetch_timeout)
        download = _Download(url, settings, limit, deadline, resolver, certificates)
        try:
            fetched = download.run(path, known, record)
        except httpcore.TimeoutException:
            raise TimeLimitExceeded("the download took too long", where=without_query(url)) from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            words = str(error) or type(error).__name__
            raise FetchFailed(f"the download failed: {words}", where=without_query(url)) from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise DiskFull("no space was left for a download", where=without_query(url)) from None
            raise
        if path is not None and path != fetched:  # another content type, and so another extension
            path.unlink(missing_ok=True)
        return fetched


@dataclass(frozen=True)
class _Download:
    """One download: the request, its redirects, and the file written."""

    url: str
    settings: Settings
    limit: int
    deadline: float
    resolver: Resolver
    certificates: ssl.SSLContext | None

    def run(self, path: Path | None, known: Mapping[str, Any], record: Path) -> Path:
        """Fetch, unless `path` is there and the server says it is still so."""
        headers = dict(_HEADERS)
        if path is not None:
            validators = {"If-None-Match": "etag", "If-Modified-Since": "last_modified"}
            headers |= {name: known[key] for name, key in validators.items() if known.get(key)}
        network = CheckedNetwork(self.settings.fetch_hosts, self.resolver, self.deadline)
        trusted = self.certificates or httpx.create_ssl_context(trust_env=False)
        with httpcore.ConnectionPool(
            trusted, max_keepalive_connections=0, network_backend=network
        ) as connections:
            url = self.url
            for _ in range(_REDIRECTS + 1):
                target, host = _addressed(url)
                asked = [("Host", host), *headers.items()]
                with connections.stream(
                    "GET", target, headers=asked, extensions={"timeout": _TIMEOUTS}
                ) as answer:
                    told = httpx.Headers(answer.headers)
                    if answer.status in _REDIRECTING and "location" in told:
                        url = self._next(url, told["location"])
                        continue
                    if answer.status == 304 and path is not None:
                        return path
                    return self._store(answer, told, record)
        text = f"it leads through more than {_REDIRECTS} redirects"
        raise BadInput(text, where=without_query(self.url))

    def _next(self, url: str, location: str) -> str:
        target = urljoin(url, location)
        parts = check_url(target, self.settings.fetch_hosts)
        if url.startswith("https:") and parts.scheme == "http":
            raise UnsafePath("a redirect leads from https to http", where=without_query(self.url))
        return target

    def _store(self, answer: httpcore.Response, told: httpx.Headers, record: Path) -> Path:
        where = without_query(self.url)
        _check_answer(answer.status, told, where)
        if int(told.get("content-length") or 0) > self.limit:
            raise _too_large(self.url, self.limit)
        folder = self.settings.source_root / FOLDER
        check_room(folder, int(told.get("content-length") or 0), self.settings, where=where)
        folder.mkdir(parents=True, exist_ok=True)
        name = file_name(self.url, told.get("content-type", ""))
        # Hidden, so that it is no source; of one name, so that one try clears up after another.
        unfinished = folder / f".{digest(self.url)}.part"
        try:
            with unfinished.open("wb") as file:
                size = 0
                for chunk in answer.iter_stream():
                    size += len(chunk)
                    if size > self.limit:
                        raise _too_large(self.url, self.limit)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if size == 0:
                raise BadInput("the server sent an empty file", where=where)
            path = unfinished.replace(folder / name)
        finally:
            unfinished.unlink(missing_ok=True)
        validators = {"etag": told.get("etag"), "last_modified": told.get("last-modified")}
        write_json(record, {"url": where, "file": f"{FOLDER}/{name}", "size": size, **validators})
        return path


def _addressed(url: str) -> tuple[httpcore.URL, str]:
    """The URL as it is sent (host names in their ASCII form), and its Host header."""
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UnsafePath(f"this is not a URL: {error}", where=without_query(url)) from None
    target = httpcore.URL(scheme=read.raw_scheme, host=read.raw_host, port=read.port, target=read.raw_path)
    return target, read.netloc.decode("ascii")


def _check_answer(status: int, told: httpx.Headers, where: str) -> None:
    words = f"the server answered {status} {httpx.codes.get_reason_phrase(status)}".rstrip()
    if status in (408, 425, 429) or status >= 500:
        raise FetchFailed(words, where=where)
    if status != 200:
        raise BadInput(words, where=where)
    if told.get("content-encoding", "identity").lower() not in ("", "identity"):
        # Unpacking would let a small answer become a huge file; media are packed already.
        text = "the server sent the file packed (Content-Encoding), which was not asked for"
        raise BadInput(text, where=where)
    kind = told.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        hint = "give the address of the file itself, not of the page that shows it"
        raise BadInput("this is a web page, not a media file", where=where, hint=hint)
    length = told.get("content-length")
    if length is not None and not re.fullmatch("[0-9]{1,18}", length):
        raise BadInput(f"the server says that it sends {length[:40]!r} bytes", where=where)


def _whole(known: Mapping[str, Any], root: Path) -> Path | None:
    """The file of a record, if it is still there as it was fetched."""
    path = root / str(known.get("file", ""))
    try:
        # A record that was changed by hand names nothing else: what it names may be replaced.
        inside = path.parent == root / FOLDER and not path.is_symlink()
        whole = inside and path.is_file() and path.stat().st_size == known.get("size")
    except (OSError, ValueError):
        return None
    return path if whole else None


def _too_large(url: str, limit: int) -> BadInput:
    hint = "MEDIA_ASSETS_FETCH_MAX_BYTES is the largest size; a job may ask for less"
    return BadInput(f"the file is larger than {limit} bytes", where=without_query(url), hint=hint)
