"""Which URLs and addresses a source may be fetched from, and the name its file gets. Pure functions."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, unquote, urlsplit

from media_assets.errors import UnsafePath

_LONGEST_URL = 2048
_LONGEST_STEM = 80
# Neither belongs in a URL, and what reads it next may cut it there.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
# What Python 3.11 does not count among the private: shared by carriers, 6to4 relays, documentation.
_CLOSED = tuple(map(ipaddress.ip_network, ("100.64.0.0/10", "192.88.99.0/24", "3fff::/20")))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_EXTENSION = re.compile(r"\.[a-z0-9]{1,8}")
_EXTENSIONS = {
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "audio/flac": ".flac",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
}


def is_url(reference: str) -> bool:
    """Whether a source or destination is written as a URL."""
    return "://" in reference


def check_url(url: str, own_hosts: Collection[str] | None = ()) -> SplitResult:
    """Hold a URL against what can be said before its host is looked up.

    Taken are http and https without a name and password, on ports 80, 443 and from 1024 on: those below
    belong to mail, shells and the like.

    Args:
        own_hosts: hosts that may be on any port; None where they are not known, and all may.

    Returns:
        Its parts.

    Raises:
        UnsafePath: it is not such a URL.
    """
    shown = without_query(url)
    if len(url) > _LONGEST_URL:
        raise UnsafePath(f"the URL is longer than {_LONGEST_URL} characters", where=shown[:80])
    if _FORBIDDEN.search(url):
        raise UnsafePath("the URL holds a blank, backslash or control character", where=ascii(shown))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UnsafePath(f"this is not a URL: {error}", where=shown) from None
    if parts.scheme not in ("http", "https"):
        raise UnsafePath(
            f"sources are not taken from {parts.scheme}://",
            where=shown,
            hint="use a file under data/source, a source id, or an http(s) URL",
        )
    if not host:
        raise UnsafePath("the URL names no host", where=shown)
    if "@" in parts.netloc:
        raise UnsafePath("a URL with a name or password is not taken", where=shown)
    usual = port is None or port in (80, 443) or port >= 1024
    if not usual and own_hosts is not None and host not in own_hosts:
        raise UnsafePath(f"port {port} is not one that media are fetched from", where=shown)
    return parts


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet.

    IPv6 forms that carry an IPv4 address (mapped, NAT64, 6to4) are judged by it too.

    >>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # with a zone (fe80::1%eth0), so of this link
        return False
    if any(ip in network for network in _CLOSED) or ip.is_multicast:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_reserved
    carried = ip.ipv4_mapped or ip.sixtofour
    if ip in _NAT64:
        carried = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if carried is not None:
        return is_public(str(carried))
    return ip in _GLOBAL_UNICAST and ip.is_global and ip.teredo is None


def digest(url: str) -> str:
    """What tells one URL from another in names: 12 hex digits; what follows `#` makes no difference."""
    return hashlib.sha256(url.partition("#")[0].encode("utf-8", "surrogatepass")).hexdigest()[:12]


def file_name(url: str, content_type: str = "") -> str:
    """A name for what `url` holds: the last part of its path in safe characters, and its digest.

    The extension is the URL's, else what the content type says, else none.

    >>> file_name("https://example.com/a/My%20Clip.MP4?token=x").startswith("My_Clip_")
    True
    """
    last = unquote(urlsplit(url).path.rpartition("/")[2])
    stem, dot, extension = last.rpartition(".")
    suffix = (dot + extension).lower()
    if not stem or not _EXTENSION.fullmatch(suffix):
        stem, suffix = last, _EXTENSIONS.get(content_type.partition(";")[0].strip().lower(), "")
    safe = re.sub(r"[^A-Za-z0-9-]+", "_", stem).strip("_-")[:_LONGEST_STEM] or "file"
    return f"{safe}_{digest(url)}{suffix}"


def without_query(url: str) -> str:
    """The URL as it may be shown: without name and password, and without its query, which may be a key."""
    shown = re.split(r"[?#]", url, maxsplit=1)[0]
    return re.sub(r"(?<=://)[^/]*@", "", shown)
