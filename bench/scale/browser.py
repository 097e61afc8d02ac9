"""Pages as a browser without a screen loads them: when they show what is asked for, by which queries."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_ADDRESS = re.compile(r"DevTools listening on (ws://127\.0\.0\.1:\S+)")
_TEXT = "document.body ? document.body.innerText : ''"
_LOOKED_SECONDS = 0.02
_LONGEST_SECONDS = 90.0


@dataclass
class Loaded:
    """A page that was loaded.

    Attributes:
        seconds: from asking for it until it shows what it is for.
        queries: seconds of each GraphQL operation that was answered by then; the longest, if there were
            several.
        text: what a reader sees.
    """

    seconds: float = 0.0
    queries: dict[str, float] = field(default_factory=dict)
    text: str = ""


def program() -> str | None:
    """A browser of this machine, or None."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@contextlib.contextmanager
def browser(path: str) -> Iterator[Browser]:
    """Start one, with a profile of its own; it listens on loopback and ends with the block."""
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio"]
        command = [path, *flags, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            try:
                with connect(_address(process), max_size=None) as connection:
                    yield Browser(connection)
            finally:
                process.terminate()
                process.communicate()


def _address(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if found := _ADDRESS.search(line.decode(errors="replace")):
            return found[1]
    raise RuntimeError("the browser did not start")


class Browser:
    """One page, spoken to by the DevTools protocol."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._last = 0
        self._session: str | None = None
        self._under_way: dict[str, tuple[str, float]] = {}
        self._loaded = Loaded()
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self._ask(f"{domain}.enable")

    def load(self, url: str, shows: str) -> Loaded:
        """Load a page and wait until a reader sees what it is for.

        Args:
            url: the page.
            shows: a pattern that its text matches then, and not before.

        Raises:
            RuntimeError: it was not there after a minute and a half.
        """
        self._ask("Page.navigate", url="about:blank")
        self._under_way, loaded, started = {}, Loaded(), time.monotonic()
        self._loaded = loaded
        self._ask("Page.navigate", url=url)
        while not re.search(shows, loaded.text):
            if time.monotonic() - started > _LONGEST_SECONDS:
                raise RuntimeError(f"{url} does not show {shows!r} but {loaded.text!r}")
            time.sleep(_LOOKED_SECONDS)
            found = self._ask("Runtime.evaluate", expression=_TEXT, returnByValue=True)
            loaded.text = str(found["result"].get("value", ""))
        loaded.seconds = time.monotonic() - started
        return loaded

    def _ask(self, method: str, **parameters: Any) -> Any:
        number = self._send(method, **parameters)
        while True:
            message = self._receive(_LONGEST_SECONDS)
            if message is None:
                raise RuntimeError(f"the browser does not answer {method}")
            self._follow(message)
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]

    def _send(self, method: str, **parameters: Any) -> int:
        self._last += 1
        document = {"id": self._last, "method": method, "params": parameters}
        if self._session is not None:
            document["sessionId"] = self._session
        self._connection.send(json.dumps(document))
        return self._last

    def _receive(self, seconds: float) -> Any:
        try:
            return json.loads(self._connection.recv(seconds))
        except TimeoutError:
            return None

    def _follow(self, message: dict[str, Any]) -> None:
        """Note questions to the server that begin and end."""
        method, data = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self._under_way[data["requestId"]] = (_operation(data["request"]), data["timestamp"])
        elif method == "Network.loadingFinished" and data["requestId"] in self._under_way:
            name, since = self._under_way.pop(data["requestId"])
            if name:
                taken = data["timestamp"] - since
                self._loaded.queries[name] = max(self._loaded.queries.get(name, 0.0), taken)


def _operation(request: dict[str, Any]) -> str:
    """The name of a GraphQL operation; empty for any other request."""
    if not request["url"].endswith("/graphql") and "/graphql?" not in request["url"]:
        return ""
    try:
        return str(json.loads(request.get("postData") or "{}").get("operationName") or "?")
    except ValueError:
        return "?"
