"""What a file holds never has ffmpeg open another file, or talk to anybody."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from media_assets.errors import CorruptMedia, NotMedia
from media_assets.media.probe import probe
from media_assets_tests.paths.conftest import CANARY, Kept

LISTS = {
    "ffconcat": "ffconcat version 1.0\nfile {a}\n",
    "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1,\n{a}\n#EXT-X-ENDLIST\n",
    "remote playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n",
    "key of a playlist": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF:1,\n{a}\n',
    "session": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
    "manifest": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'>"
    "<Period><AdaptationSet><Representation id='1' bandwidth='1'><BaseURL>{url}</BaseURL>"
    "<SegmentList><SegmentURL media='{url}'/></SegmentList></Representation>"
    "</AdaptationSet></Period></MPD>",
    "drawing": "<svg xmlns='http://www.w3.org/2000/svg' xmlns:x='http://www.w3.org/1999/xlink' width='9'"
    " height='9'><image x:href='{url}' width='9' height='9'/></svg>",
    "reference movie": "rtsptext{url}\n",
    "windows playlist": "[Reference]\nRef1={url}\nRef2={a}\n",
    "advanced stream": "<asx version='3.0'><entry><ref href='{url}'/></entry></asx>",
    "path": "{a}\n",
}
NAMES = ["x.mp4", "x.m3u8", "x.txt"]
AIDS = {"x.srt": "1 --> 2", "x.ass": "Dialogue: 1"}


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server on the loopback interface that keeps the addresses of those who call it."""
    callers: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                callers.append(str(address))
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/a.mp4", callers
        done.set()
        thread.join()


@pytest.mark.parametrize("kind", list(LISTS))
def test_a_list_of_other_files_is_no_media(kept: Kept, listener: tuple[str, list[str]], kind: str) -> None:
    """Under any name: what it lists is there, and would be media."""
    url, callers = listener
    port = url.split(":")[2].split("/")[0]
    text = LISTS[kind].format(a="a.mp4", url=url, port=port)
    for name in NAMES:
        path = kept.settings.source_root / name
        path.write_text(text)
        with pytest.raises((NotMedia, CorruptMedia)) as caught:
            probe(path, kept.settings)
        assert CANARY not in str(caught.value)
        path.unlink()
    for name, mark in AIDS.items():
        path = kept.settings.source_root / name
        path.write_text(f"{text}# {mark}\n")
        with pytest.raises(CorruptMedia, match="holds something else"):
            probe(path, kept.settings)
        path.unlink()
    assert callers == []


def test_subtitles_that_list_others_are_not_drawn(kept: Kept) -> None:
    """The drawing filter goes by content: it would show the lines of the file that is listed."""
    lines = "1\n00:00:00,000 --> 00:00:05,000\nhello\n"
    good, listing = kept.settings.source_root / "good.srt", kept.settings.source_root / "list.srt"
    good.write_text(lines)
    listing.write_text("ffconcat version 1.0\nfile good.srt\n# -->\n")
    assert probe(good, kept.settings).kind == "subtitle"
    for marked in ("\ufeff" + lines, "\n\n" + lines, lines.replace("\n", "\r\n")):
        good.write_text(marked, encoding="utf-8", newline="")
        assert probe(good, kept.settings).container == "srt"
    with pytest.raises(CorruptMedia):
        probe(listing, kept.settings)
