"""A web server on loopback that misbehaves as asked."""

from __future__ import annotations

import contextlib
import gzip
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 400


@dataclass
class Served:
    """A running server.

    Attributes:
        port: where it listens on 127.0.0.1.
        asked: the path and Host header of each request so far.
        redirects: where `/to/<name>` leads.
    """

    port: int
    asked: list[tuple[str, str]] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """The address of something it serves."""
        return f"{scheme}://{host}:{self.port}{path}"


@contextlib.contextmanager
def serving(certificates: ssl.SSLContext | None = None) -> Iterator[Served]:
    """A server, stopped at the end."""
    served = Served(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:
            served.asked.append((self.path, self.headers["Host"]))
            with contextlib.suppress(ConnectionError):
                _ROUTES.get(self.path.split("?")[0].split("/")[1], _missing)(self, served)
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificates is not None:
        server.socket = certificates.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def _file(handler: BaseHTTPRequestHandler, _: Served) -> None:
    """A file that knows whether it changed."""
    if handler.headers.get("If-None-Match") == '"one"':
        _answer(handler, 304)
        return
    _answer(handler, Content_Length=str(len(CONTENT)), Content_Type="video/mp4", ETag='"one"')
    handler.wfile.write(CONTENT)


def _unsized(handler: BaseHTTPRequestHandler, _: Served) -> None:
    _answer(handler, Content_Type="video/mp4", Connection="close")
    handler.wfile.write(CONTENT)


def _claims(handler: BaseHTTPRequestHandler, _: Served) -> None:
    _answer(handler, Content_Length=str(1 << 40))


def _broken(handler: BaseHTTPRequestHandler, _: Served) -> None:
    _answer(handler, Content_Length="40000")
    handler.wfile.write(CONTENT[:1000])


def _drip(handler: BaseHTTPRequestHandler, _: Served) -> None:
    _answer(handler, Content_Length="1000")
    for _byte in range(1000):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def _drip_headers(handler: BaseHTTPRequestHandler, _: Served) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for index in range(1000):
        handler.wfile.write(b"X-%d: x\r\n" % index)
        time.sleep(0.05)


def _packed(handler: BaseHTTPRequestHandler, _: Served) -> None:
    body = gzip.compress(b"\0" * (1 << 20))
    _answer(handler, Content_Encoding="gzip", Content_Length=str(len(body)), Content_Type="video/mp4")
    handler.wfile.write(body)


def _page(handler: BaseHTTPRequestHandler, _: Served) -> None:
    _answer(handler, Content_Length="6", Content_Type="text/html; charset=utf-8")
    handler.wfile.write(b"<html>")


def _empty(handler: BaseHTTPRequestHandler, _: Served) -> None:
    _answer(handler, Content_Length="0")


def _busy(handler: BaseHTTPRequestHandler, _: Served) -> None:
    _answer(handler, 503, Content_Length="0")


def _missing(handler: BaseHTTPRequestHandler, _: Served) -> None:
    _answer(handler, 404, Content_Length="0")


def _to(handler: BaseHTTPRequestHandler, served: Served) -> None:
    _answer(handler, 302, Location=served.redirects[handler.path.split("/")[2]], Content_Length="0")


_ROUTES: dict[str, Callable[[BaseHTTPRequestHandler, Served], None]] = {
    "file": _file,
    "unsized": _unsized,
    "claims": _claims,
    "broken": _broken,
    "drip": _drip,
    "drip-headers": _drip_headers,
    "packed": _packed,
    "page": _page,
    "empty": _empty,
    "busy": _busy,
    "to": _to,
}
