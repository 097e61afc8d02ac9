"""Sample media for a first run, made on the spot with ffmpeg's own sources; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from media_assets.media.encode import profile
from media_assets.media.graph import Option
from media_assets.media.run import run_ffmpeg
from media_assets.settings import Settings

BEATS_PER_MINUTE = 120
_BEAT = 60 / BEATS_PER_MINUTE

# A kick that falls from 130 to 50 Hz on every beat, a hat between beats, and two chords in turn.
_KICK = f"0.8*exp(-9*mod(t,{_BEAT}))*sin(2*PI*(50*mod(t,{_BEAT})+8*(1-exp(-10*mod(t,{_BEAT})))))"
_HAT = f"0.12*exp(-60*mod(t+{_BEAT / 2},{_BEAT}))*(2*random(0)-1)"
_CHORD = "0.07*(sin(2*PI*{a}*t)+sin(2*PI*{b}*t)+sin(2*PI*{c}*t))"
_MINOR, _MAJOR = _CHORD.format(a=220, b=261.63, c=329.63), _CHORD.format(a=174.61, b=220, c=261.63)
_MUSIC = f"{_KICK}+{_HAT}+if(lt(mod(t,4),2),{_MINOR},{_MAJOR})"

# A buzzing voice of 120 Hz whose loudness follows syllables, with a pause every third second.
_SYLLABLES = "pow(abs(sin(2*PI*2.1*t)),2)*gt(mod(t,3),0.6)"
_VOICE = f"{_SYLLABLES}*0.3*(mod((120+12*sin(2*PI*0.4*t))*t,1)-0.5)"

_H264: Mapping[str, Option] = {"preset": "veryfast", "crf": 23}


def make_samples(folder: Path, settings: Settings, on_done: Callable[[str, float], None]) -> list[Path]:
    """Write the sample files that `folder` does not have yet.

    Args:
        folder: the source folder.
        settings: says which ffmpeg.
        on_done: called after each file with its name and the fraction done.

    Returns:
        The files that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for index, (name, arguments) in enumerate(_SAMPLES.items()):
        path = folder / name
        if not path.exists():
            # A hidden name until it is whole, so that no sensor reads it half written.
            temporary = folder / f".{name}"
            run_ffmpeg([*arguments, f"file:{temporary}"], settings=settings)
            temporary.rename(path)
            written.append(path)
        on_done(name, (index + 1) / len(_SAMPLES))
    return written


def _video(pictures: list[str], sound: str | None, seconds: float) -> list[str]:
    """Arguments for a video whose pictures follow each other in hard cuts."""
    arguments = [part for picture in pictures for part in ("-f", "lavfi", "-i", picture)]
    if sound:
        arguments += ["-f", "lavfi", "-i", sound]
    joined = "".join(f"[{index}:v]format=yuv420p,setsar=1[v{index}];" for index in range(len(pictures)))
    joined += "".join(f"[v{index}]" for index in range(len(pictures)))
    arguments += ["-filter_complex", f"{joined}concat=n={len(pictures)}:v=1:a=0[v]", "-map", "[v]"]
    arguments += ["-map", f"{len(pictures)}:a"] if sound else []
    options = {**profile("h264").options(video=True, audio=sound is not None), **_H264}
    return [*arguments, "-t", str(seconds), *_flags(options)]


def _sound(expression: str, seconds: float) -> list[str]:
    source = f"aevalsrc='{expression}':s=48000:d={seconds}"
    mix = ["-af", "pan=stereo|c0=c0|c1=c0"]
    return ["-f", "lavfi", "-i", source, *mix, *_flags(profile("wav").options(video=False, audio=True))]


def _flags(options: Mapping[str, Option]) -> list[str]:
    return [part for name, value in options.items() for part in (f"-{name}", str(value))]


_SAMPLES: dict[str, list[str]] = {
    "city.mp4": _video(
        [
            "testsrc2=s=1280x720:r=30:d=3",
            "mandelbrot=s=1280x720:r=30:end_scale=0.01,trim=duration=3",
            "gradients=s=1280x720:r=30:d=3:speed=0.05:seed=3:n=2:c0=#2E4057:c1=#F4A259",
            "life=s=320x180:r=30:mold=10:ratio=0.3:seed=5:death_color=#1B3A4B:life_color=#F2C14E"
            ",scale=1280:720:flags=neighbor,trim=duration=3",
        ],
        "sine=f=330:r=48000:beep_factor=4:d=12",
        12,
    ),
    "waves.mp4": _video(
        [
            "gradients=s=1280x720:r=25:d=5:c0=#0B132B:c1=#5BC0BE:n=2:speed=0.08:seed=9",
            "cellauto=s=320x180:r=25:rule=30:seed=7,scale=1280:720:flags=neighbor"
            ",colorchannelmixer=rr=0.3:bb=0.9,trim=duration=5",
        ],
        "anoisesrc=c=brown:r=48000:a=0.3:seed=4:d=10",
        10,
    ),
    "portrait.mp4": _video(["sierpinski=s=720x1280:r=30:seed=2:type=carpet,trim=duration=8"], None, 8),
    "title.png": [
        *("-f", "lavfi", "-i", "gradients=s=1280x720:d=1:c0=#22223B:c1=#C9ADA7:n=2:seed=6:speed=0.00001"),
        *("-vf", "drawbox=x=240:y=260:w=800:h=200:color=white@0.85:t=fill,drawgrid=w=80:h=80:c=white@0.15"),
        *("-frames:v", "1", "-fflags", "+bitexact", "-f", "image2", "-update", "1"),
    ],
    "music.wav": _sound(_MUSIC, 24),
    "voice.wav": _sound(_VOICE, 10),
}
