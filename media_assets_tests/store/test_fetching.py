"""A URL becomes a file under the source root, whole or not at all, and leads nowhere it must not."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from media_assets.errors import BadInput, FetchFailed, MediaAssetsError, TimeLimitExceeded, UnsafePath
from media_assets.settings import Settings
from media_assets.store.fetching import fetch
from media_assets.store.scan import scan
from media_assets.store.urls import check_url, file_name, is_public
from media_assets_tests.store.serving import CONTENT, Served, serving


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


@pytest.fixture
def studio(settings: Settings) -> Settings:
    """Settings that allow the loopback server, under two names."""
    return replace(settings, fetch_hosts=("127.0.0.1", "studio.test"))


def loopback(host: str, port: int) -> list[str]:
    """A resolver that finds every host on this machine."""
    return ["127.0.0.1"]


def left(settings: Settings) -> list[str]:
    """Every file under the source root, hidden ones too."""
    return sorted(path.name for path in settings.source_root.rglob("*") if path.is_file())


def test_a_url_becomes_a_source_once(served: Served, studio: Settings) -> None:
    url = served.url("/file/My%20holiday.MP4?token=secret")
    path = fetch(url, studio)
    assert path.read_bytes() == CONTENT
    assert path.name.startswith("My_holiday_")
    assert path.suffix == ".mp4"
    assert [found.relative for found in scan(studio.source_root).values()] == [f"fetched/{path.name}"]
    assert fetch(url, studio) == path
    assert fetch(url + "#part", studio) == path
    assert len(served.asked) == 1
    assert fetch(served.url("/file/My%20holiday.MP4?token=other"), studio) != path
    records = [p.read_text() for p in studio.metadata_root.rglob("*.json")]
    assert len(records) == 2
    assert not any("secret" in record for record in records)


def test_refreshing_asks_whether_it_changed(served: Served, studio: Settings) -> None:
    url = served.url("/file/a.mp4")
    path = fetch(url, studio)
    before = path.stat()
    assert fetch(url, studio, refresh=True) == path
    assert len(served.asked) == 2
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    path.write_bytes(CONTENT[:10])
    assert fetch(url, studio).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("/claims/a.mp4", BadInput, "larger than"),
        ("/unsized/a.mp4", BadInput, "larger than"),
        ("/file/a.mp4", BadInput, "larger than"),
        ("/packed/a.mp4", BadInput, "packed"),
        ("/page/watch", BadInput, "web page"),
        ("/empty/a.mp4", BadInput, "empty"),
        ("/nothing", BadInput, "404"),
        ("/busy", FetchFailed, "503"),
        ("/broken/a.mp4", FetchFailed, "failed"),
        ("/drip/a.mp4", TimeLimitExceeded, "too long"),
        ("/drip-headers/a.mp4", TimeLimitExceeded, "too long"),
    ],
)
def test_what_goes_wrong_is_said_and_leaves_nothing(
    served: Served, studio: Settings, path: str, error: type[MediaAssetsError], words: str
) -> None:
    started = time.monotonic()
    with pytest.raises(error, match=words) as caught:
        # Only what would go on for ever is given little time: a busy machine answers late.
        limit = 0.5 if error is TimeLimitExceeded else 30
        fetch(served.url(path + "?key=secret"), studio, max_bytes=50_000, timeout=limit)
    assert time.monotonic() - started < 20
    assert "secret" not in str(caught.value)
    assert left(studio) == []


def test_a_failed_refresh_leaves_the_file_that_was_there(served: Served, studio: Settings) -> None:
    url = served.url("/unsized/a.mp4")
    path = fetch(url, studio)
    with pytest.raises(BadInput, match="larger"):
        fetch(url, studio, refresh=True, max_bytes=1000)
    assert path.read_bytes() == CONTENT
    assert left(studio) == [path.name]


def test_loopback_is_refused_unless_the_host_is_named(served: Served, settings: Settings) -> None:
    for url in (served.url("/file/a.mp4"), served.url("/file/a.mp4", "public.test")):
        with pytest.raises(UnsafePath, match=r"127\.0\.0\.1 is not on the open internet"):
            fetch(url, settings, resolver=loopback)
    assert served.asked == []


def test_every_redirect_is_checked(served: Served, studio: Settings) -> None:
    served.redirects |= {
        "good": "/file/a.mp4",
        "private": served.url("/file/a.mp4", "inside.test"),
        "metadata": "http://169.254.169.254/latest/meta-data",
        "file": "file:///etc/passwd",
        "port": "http://elsewhere.test:25/",
        "password": served.url("/file/a.mp4", "a:b@studio.test"),
        "round": "/to/round",
    }

    def lookup(host: str, port: int) -> list[str]:
        return [host] if host[0].isdigit() else ["127.0.0.1"]

    assert fetch(served.url("/to/good"), studio, resolver=lookup).read_bytes() == CONTENT
    served.asked.clear()
    for name in ("private", "metadata", "file", "port", "password"):
        with pytest.raises(UnsafePath):
            fetch(served.url(f"/to/{name}"), studio, resolver=lookup)
    assert {path for path, _ in served.asked} == {
        f"/to/{n}" for n in ("private", "metadata", "file", "port", "password")
    }
    served.asked.clear()
    with pytest.raises(BadInput, match="more than 5 redirects"):
        fetch(served.url("/to/round"), studio, resolver=lookup)
    assert len(served.asked) == 6


def test_a_host_is_looked_up_once_and_keeps_its_name(served: Served, studio: Settings) -> None:
    """A name server that answers otherwise the second time is never asked a second time."""
    answers = iter([["127.0.0.1"]])
    url = served.url("/file/a.mp4", "studio.test")
    assert fetch(url, studio, resolver=lambda host, port: next(answers)).read_bytes() == CONTENT
    assert served.asked == [("/file/a.mp4", f"studio.test:{served.port}")]


def test_one_private_address_among_public_ones_is_enough(settings: Settings) -> None:
    with pytest.raises(UnsafePath, match=r"10\.0\.0\.1"):
        fetch("http://mixed.test/a.mp4", settings, resolver=lambda h, p: ["8.8.8.8", "10.0.0.1"])


def test_a_host_nobody_knows(settings: Settings) -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(FetchFailed, match="not known"):
        fetch("http://nowhere.test/a.mp4", settings, resolver=unknown)


PRIVATE = """
    10.0.0.1 172.16.0.1 192.168.1.1 127.0.0.1 127.9.9.9 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1
    255.255.255.255 240.0.0.1 192.0.2.1 198.18.0.1 192.88.99.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fec0::1
    ff02::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::10.0.0.1 64:ff9b::a00:1 64:ff9b:1::a00:1 2002:a00:1::1
    2002:7f00:1::1 2001:0:a00:1::1 2001:db8::1 nonsense
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a.mp4",
        "file:///etc/passwd",
        "s3://bucket/a.mp4",
        "concat:http://example.com/a",
        "http:///a.mp4",
        "http://user:password@example.com/a.mp4",
        "http://example.com:22/a.mp4",
        "http://example.com:99999/a.mp4",
        "http://[::1/a.mp4",
        "http://example.com/a b.mp4",
        "http://example.com/a\r\nHost: b",
        "http://example.com\\@evil.test/",
        "http://example.com/" + "a" * 3000,
    ],
)
def test_urls_that_are_not_taken(url: str) -> None:
    with pytest.raises(UnsafePath) as caught:
        check_url(url)
    assert "password@" not in str(caught.value)


TAILS = ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00.mp4", "-rf.mp4", ".hidden", "", "%ff%fe"]
TAILS += ["a'b\"c%d:=.mp4", "%F0%9F%8E%AC.mov", "x" * 900 + ".mp4", "a.part", "con.mp4~"]


@pytest.mark.parametrize("tail", TAILS)
def test_file_names_are_safe_whatever_the_url(tail: str) -> None:
    name = file_name(f"https://example.com/{tail}")
    assert len(name) <= 110
    assert name[0] not in ".-"
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
    assert name != file_name(f"https://example.com/{tail}?other")


def test_the_extension_may_come_from_the_content_type() -> None:
    assert file_name("https://example.com/get?id=3", "audio/mpeg; x=y").endswith(".mp3")


def _certificate(folder: Path, name: str) -> Path:
    """A key and a certificate for `name`, which vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "server.pem"
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_the_certificate_must_be_the_hosts(tmp_path: Path, settings: Settings) -> None:
    pem = _certificate(tmp_path, "studio.test")
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pem)
    names: list[str | None] = []
    server_side.sni_callback = lambda connection, name, context: names.append(name)
    trusting = ssl.create_default_context(cafile=str(pem))
    own = replace(settings, fetch_hosts=("studio.test", "other.test"))
    with serving(server_side) as served:
        url = served.url("/file/a.mp4", "studio.test", "https")
        path = fetch(url, own, resolver=loopback, certificates=trusting)
        assert path.read_bytes() == CONTENT
        assert names == ["studio.test"]
        other = served.url("/file/a.mp4", "other.test", "https")
        with pytest.raises(FetchFailed, match="certificate"):
            fetch(other, own, resolver=loopback, certificates=trusting)
        with pytest.raises(FetchFailed, match="certificate"):
            fetch(served.url("/file/b.mp4", "studio.test", "https"), own, resolver=loopback)
        assert [path for path, _ in served.asked] == ["/file/a.mp4"]


def test_no_redirect_leads_from_https_to_http(tmp_path: Path, settings: Settings) -> None:
    pem = _certificate(tmp_path, "studio.test")
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pem)
    own = replace(settings, fetch_hosts=("studio.test",))
    with serving(server_side) as served:
        served.redirects["plain"] = "http://studio.test/file/a.mp4"
        with pytest.raises(UnsafePath, match="from https to http"):
            fetch(
                served.url("/to/plain", "studio.test", "https"),
                own,
                resolver=loopback,
                certificates=ssl.create_default_context(cafile=str(pem)),
            )
