"""Connections for fetching: to addresses that were checked, and within a time limit.

A connection looks its host up once, holds every address against `urls.is_public`, and goes to one of
those it has checked, so that no second answer of a name server is ever used. The host's name stays in
the Host header and in the certificate check.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import httpcore

from media_assets.errors import UnsafePath
from media_assets.store.urls import is_public

Resolver = Callable[[str, int], Sequence[str]]
"""The addresses of a host, given its name and the port."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses the system knows for a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedNetwork(httpcore.NetworkBackend):
    """Connects to addresses that were checked, and reads no longer than the deadline."""

    def __init__(self, own_hosts: Collection[str], resolver: Resolver, deadline: float) -> None:
        self._own_hosts = own_hosts
        self._resolver = resolver
        self._deadline = deadline
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that answers."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._checked(host, port):
            left = _left(self._deadline, timeout, httpcore.ConnectTimeout)
            try:
                stream = self._system.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Timed(stream, self._deadline)
        raise failure

    def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the host {host} is not known: {error}") from None
        if host.lower() not in self._own_hosts:
            for address in addresses:
                if not is_public(address):
                    hint = "MEDIA_ASSETS_FETCH_HOSTS names hosts that may be private"
                    raise UnsafePath(
                        f"its address {address} is not on the open internet", where=host, hint=hint
                    )
        return addresses


class _Timed(httpcore.NetworkStream):
    """A connection on which nothing outlasts the deadline, however slowly it drips."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes."""
        return self._stream.read(max_bytes, _left(self._deadline, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._stream.write(buffer, _left(self._deadline, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Encrypt; the certificate must be that of `server_hostname`, the host's name."""
        left = _left(self._deadline, timeout, httpcore.ConnectTimeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the connection beneath says of itself."""
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None, error: type[Exception]) -> float:
    """Seconds that an action may take."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise error("the time is up")
    return left if timeout is None else min(left, timeout)
