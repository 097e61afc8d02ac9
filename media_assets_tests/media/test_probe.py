"""What `probe` says of small files made here, and of files that are no media."""

from __future__ import annotations

import json
import os
import struct
import threading
import time
import zlib
from dataclasses import replace
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from media_assets.errors import BadInput, CorruptMedia, NotMedia, TimeLimitExceeded
from media_assets.media import packets
from media_assets.media.info import MediaInfo
from media_assets.media.probe import probe
from media_assets.media.report import orientation
from media_assets.media.run import run_ffmpeg
from media_assets.settings import Settings

_VIDEO = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1"]
_SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1:sample_rate=48000"]
_X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]

AWKWARD_NAMES = [
    "-i.mp4",
    "%d.png",
    "image%03d.png",
    "a'b\"c.mp4",
    "what?*[a].png",
    "concat:x|y.mp4",
    "http:__x.mp4",
    "line\nbreak.mp4",
    "snow ☃.mp4",
]


def make(settings: Settings, path: Path, *arguments: str) -> Path:
    """Write media to `path` with ffmpeg."""
    run_ffmpeg([*arguments, f"file:{path}"], settings=settings)
    return path


def test_a_video_with_sound(settings: Settings, tmp_path: Path) -> None:
    path = make(settings, tmp_path / "a.mp4", *_VIDEO, *_SOUND, *_X264, "-c:a", "aac")
    info = probe(path, settings)
    assert (info.kind, info.size, info.warnings) == ("video", path.stat().st_size, ())
    assert info.duration == pytest.approx(1.0, abs=0.05)
    assert info.video is not None
    assert (info.video.codec, info.video.width, info.video.height) == ("h264", 64, 48)
    assert (info.video.fps, info.video.vfr, info.video.frames) == (Fraction(25), False, 25)
    assert (info.video.sar, info.video.rotation, info.video.bit_depth) == (Fraction(1), 0, 8)
    assert info.audio is not None
    assert (info.audio.codec, info.audio.sample_rate, info.audio.channels) == ("aac", 48000, 1)


def test_json_reads_back_equal(settings: Settings, tmp_path: Path) -> None:
    path = make(settings, tmp_path / "a.mkv", *_VIDEO, *_SOUND, *_X264, "-r", "30000/1001")
    info = probe(path, settings)
    document = json.loads(json.dumps(info.to_json()))
    assert document["videos"][0]["fps"] == "30000/1001"
    assert MediaInfo.from_json(document) == info


def test_a_cover_does_not_make_a_song_a_video(settings: Settings, tmp_path: Path) -> None:
    cover = make(settings, tmp_path / "c.png", *_VIDEO, "-frames:v", "1")
    song = make(
        settings,
        tmp_path / "song.mp3",
        *_SOUND,
        *("-i", f"file:{cover}", "-map", "0", "-map", "1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
        *("-disposition:v", "attached_pic", "-metadata", "title=Song"),
    )
    info = probe(song, settings)
    assert (info.kind, info.videos, len(info.attached_pictures)) == ("audio", (), 1)
    assert info.title == "Song"


@pytest.mark.parametrize(
    ("extension", "alpha"), [("png", True), ("jpg", False), ("webp", True), ("bmp", True)]
)
def test_an_image_has_a_size_and_no_duration(
    extension: str, alpha: bool, settings: Settings, tmp_path: Path
) -> None:
    source = ["-f", "lavfi", "-i", "color=red@0.5:s=60x40,format=rgba"]
    info = probe(make(settings, tmp_path / f"a.{extension}", *source, "-frames:v", "1"), settings)
    assert (info.kind, info.duration, info.bit_rate) == ("image", None, None)
    assert info.video is not None
    assert (info.video.width, info.video.height, info.video.fps) == (60, 40, None)
    assert info.video.has_alpha is alpha


def test_a_gif_is_a_video_when_it_moves_and_an_image_when_not(settings: Settings, tmp_path: Path) -> None:
    moving = probe(make(settings, tmp_path / "m.gif", *_VIDEO), settings)
    still = probe(make(settings, tmp_path / "s.gif", *_VIDEO, "-frames:v", "1"), settings)
    assert (moving.kind, still.kind) == ("video", "image")
    assert moving.duration == pytest.approx(1.0, abs=0.05)
    assert moving.video is not None
    assert moving.video.frames == 25


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_is_what_makes_the_picture_upright(turn: int, settings: Settings, tmp_path: Path) -> None:
    plain = make(settings, tmp_path / "plain.mp4", *_VIDEO, *_X264)
    # ffmpeg's option counts counter-clockwise.
    turned = make(
        settings, tmp_path / "t.mp4", "-display_rotation", str(-turn), "-i", f"file:{plain}", "-c", "copy"
    )
    video = probe(turned, settings).video
    assert video is not None
    assert (video.rotation, video.mirrored) == (turn, False)
    shown = make(settings, tmp_path / "shown.png", "-i", f"file:{turned}", "-frames:v", "1")
    upright = probe(shown, settings).video
    assert upright is not None
    assert (video.display_width, video.display_height) == (upright.width, upright.height)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), (0, False)),
        ((1, 0, 0, -1), (0, True)),
        ((-1, 0, 0, 1), (180, True)),
        ((0, 1, -1, 0), (90, False)),
        ((0, 1, 1, 0), (90, True)),
        ((0, -1, -1, 0), (270, True)),
    ],
)
def test_mirrored_pictures_are_flipped_and_then_turned(
    matrix: tuple[int, int, int, int], expected: tuple[int, bool]
) -> None:
    a, b, c, d = (cell << 16 for cell in matrix)
    text = f"\n00000000: {a} {b} 0\n00000001: {c} {d} 0\n00000002: 0 0 1073741824\n"
    assert orientation([{"displaymatrix": text}]) == (*expected, None)


def test_wide_samples_widen_the_display(settings: Settings, tmp_path: Path) -> None:
    video = probe(make(settings, tmp_path / "a.mp4", *_VIDEO, "-vf", "setsar=3/2", *_X264), settings).video
    assert video is not None
    assert (video.width, video.display_width, video.display_height) == (64, 96, 48)


def test_ten_bits_and_hdr_are_told(settings: Settings, tmp_path: Path) -> None:
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc,format=yuv420p10le"
    path = make(settings, tmp_path / "a.mkv", *_VIDEO, "-vf", tags, "-c:v", "ffv1")
    video = probe(path, settings).video
    assert video is not None
    assert (video.bit_depth, video.hdr, video.color_primaries) == (10, "pq", "bt2020")


def test_a_varying_frame_rate_is_told(settings: Settings, tmp_path: Path) -> None:
    uneven = ["-vf", "select='not(mod(n,5))+lt(n,10)'", *_X264, "-fps_mode"]
    for extension in ("mp4", "mkv"):
        for mode, varies in (("vfr", True), ("cfr", False)):
            path = make(settings, tmp_path / f"{mode}.{extension}", *_VIDEO, *uneven, mode)
            video = probe(path, settings).video
            assert video is not None
            assert video.vfr is varies, path.name
            assert video.fps is not None
            assert (video.fps < 20) is varies, path.name


@pytest.mark.parametrize("extension", ["mpg", "ts", "flv", "avi", "webm", "mkv", "mov"])
def test_every_container_tells_rate_and_length(extension: str, settings: Settings, tmp_path: Path) -> None:
    rate = ["-r", "25", "-ar", "48000" if extension == "webm" else "44100"]
    info = probe(make(settings, tmp_path / f"a.{extension}", *_VIDEO, *_SOUND, *rate), settings)
    assert info.duration == pytest.approx(1.0, abs=0.1)
    assert info.video is not None
    assert (info.video.fps, info.video.vfr) == (Fraction(25), False)


def test_a_raw_stream_has_the_length_of_its_pictures(settings: Settings, tmp_path: Path) -> None:
    info = probe(make(settings, tmp_path / "a.h264", *_VIDEO, *_X264), settings)
    assert info.duration == pytest.approx(1.0, abs=0.1)


def test_a_length_that_the_header_makes_up_is_measured(settings: Settings, tmp_path: Path) -> None:
    path = make(settings, tmp_path / "a.flac", *_SOUND)
    data = bytearray(path.read_bytes())
    # The number of samples: the low 32 of 36 bits, 18 bytes into the first metadata block.
    struct.pack_into(">I", data, 4 + 4 + 14, 48000 * 3600)
    path.write_bytes(data)
    info = probe(path, settings)
    assert info.duration == pytest.approx(1.0, abs=0.01)
    assert any("claims 3600" in warning for warning in info.warnings)


def test_a_file_cut_short_has_the_length_that_is_left(settings: Settings, tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=4", *_X264, "-g", "25"]
    path = make(settings, tmp_path / "a.mp4", *source, "-movflags", "+faststart")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    info = probe(path, settings)
    assert info.duration is not None
    assert 1.0 < info.duration < 3.0
    assert any("partial file" in warning for warning in info.warnings)


def test_packet_times_give_rate_and_span() -> None:
    text = "".join(f"0,{n / 30:.6f},{n / 30:.6f},0.033333,K__\n" for n in range(30))
    measured = packets.measure(text + "1,0.5,0.5,1.0,K__\n2,N/A,N/A,N/A,___\n")
    assert (measured[0].count, measured[0].fps, measured[0].vfr) == (30, Fraction(30), False)
    assert packets.span(measured, [0, 1, 2]) == pytest.approx(1.5)


@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_no_character_in_a_name_matters(name: str, settings: Settings, tmp_path: Path) -> None:
    suffix = Path(name).suffix
    codec = ["-frames:v", "1", "-update", "1"] if suffix == ".png" else _X264
    plain = make(settings, tmp_path / f"plain{suffix}", *_VIDEO, *codec)
    named = plain.rename(tmp_path / name)
    assert probe(named, settings).kind == ("image" if suffix == ".png" else "video")


def test_a_relative_name_that_begins_with_a_dash(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(settings, tmp_path / "-loglevel.mp4", *_VIDEO, *_X264)
    monkeypatch.chdir(tmp_path)
    assert probe(Path("-loglevel.mp4"), settings).kind == "video"


def test_the_content_decides_not_the_extension(settings: Settings, tmp_path: Path) -> None:
    path = make(settings, tmp_path / "a.mp4", *_VIDEO, *_X264).rename(tmp_path / "a.jpg")
    assert probe(path, settings).kind == "video"


def test_playlists_open_nothing(settings: Settings, tmp_path: Path) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the output of the tests clean."""

    secret = make(settings, tmp_path / "secret.ts", *_VIDEO, *_X264)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/x.ts"
        hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{0}\n#EXT-X-ENDLIST\n"
        concat = "ffconcat version 1.0\nfile '{0}'\n"
        dash = (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
            "<Period><AdaptationSet><Representation><BaseURL>{0}</BaseURL></Representation>"
            "</AdaptationSet></Period></MPD>"
        )
        sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
        for text in (hls, concat, dash, sdp):
            for target in (url, str(secret), "secret.ts"):
                for extension in ("m3u8", "ts", "mp4"):
                    path = tmp_path / f"list.{extension}"
                    path.write_text(text.format(target))
                    with pytest.raises(NotMedia):
                        probe(path, settings)
        server.shutdown()
    assert asked == []


def test_a_playlist_is_called_one(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    for text in ("ffconcat version 1.0\nfile x.mp4\n", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nx\n"):
        path.write_text(text)
        with pytest.raises(NotMedia, match="playlist"):
            probe(path, settings)


def test_a_url_is_only_a_file_that_is_not_there(settings: Settings) -> None:
    with pytest.raises(BadInput, match="No such file"):
        probe(Path("http://127.0.0.1:1/a.mp4"), settings)


def test_what_is_no_file_is_told_apart(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, words in (
        ("absent.mp4", "No such file"),
        ("empty.mp4", "empty"),
        (".", "folder"),
        ("pipe", "not an ordinary file"),
    ):
        with pytest.raises(BadInput, match=words) as caught:
            probe(tmp_path / name, settings)
        assert caught.value.where == str(tmp_path / name)
        assert caught.value.hint


@pytest.mark.parametrize(
    "content",
    [b"export const a: number = 1;\n" * 50, b"\x00" * 5000, b"just words", b"<svg xmlns='x'/>", b"\x47"],
    ids=["typescript", "zeros", "words", "svg", "byte"],
)
def test_what_is_no_media_is_refused_with_words(content: bytes, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(content)
    with pytest.raises(NotMedia) as caught:
        probe(path, settings)
    assert len(caught.value.message) > 10


def test_broken_media_are_refused_in_the_words_of_ffmpeg(settings: Settings, tmp_path: Path) -> None:
    path = make(settings, tmp_path / "a.mp4", *_VIDEO, *_X264)
    path.write_bytes(path.read_bytes()[:800])
    with pytest.raises(CorruptMedia, match="moov atom not found"):
        probe(path, settings)


def test_a_header_without_a_picture_is_corrupt(settings: Settings, tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 5000, 5000, 8, 6, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    with pytest.raises(CorruptMedia, match="picture cannot be decoded"):
        probe(path, settings)


def test_sound_that_cannot_be_decoded_is_left_out_with_a_warning(
    settings: Settings, tmp_path: Path
) -> None:
    path = make(settings, tmp_path / "a.mkv", *_VIDEO, *_SOUND, *_X264, "-c:a", "pcm_s16le")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"A_PCM/INT/LIT", b"A_UNKNOWN/XYZ"))
    info = probe(path, settings)
    assert (info.kind, info.audios) == ("video", ())
    assert any("sound stream 1" in warning for warning in info.warnings)


def test_a_probe_that_hangs_is_ended_with_all_it_started(settings: Settings, tmp_path: Path) -> None:
    path = make(settings, tmp_path / "a.mp4", *_VIDEO, *_X264)
    slow = tmp_path / "ffprobe"
    # Answers to be taken for an ffprobe, then leaves a child that would outlive it.
    slow.write_text(
        "#!/bin/sh\n"
        "case \"$*\" in *-version*) printf 'ffprobe version 8\\nlibavutil 60. 1\\n'; exit;; esac\n"
        f"sleep 600 & echo $! > '{tmp_path}/child'\nwait\n"
    )
    slow.chmod(0o755)
    started = time.monotonic()
    with pytest.raises(TimeLimitExceeded):
        probe(path, replace(settings, ffprobe=str(slow), probe_timeout=1.0))
    assert time.monotonic() - started < 10
    child = int((tmp_path / "child").read_text())
    for _ in range(50):
        if not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    pytest.fail("the child is still running")
