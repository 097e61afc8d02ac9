"""Makes sources whose frames can be told apart, and renders documents that use them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from media_assets.kompositions.document import parse
from media_assets.kompositions.model import references
from media_assets.kompositions.plan import KompositionPlan, plan
from media_assets.kompositions.render import RenderedKomposition, render
from media_assets.media import binaries
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceFacts
from media_assets_tests.making import AAC, X264, clip, ingested, make
from media_assets_tests.measuring import pictures

_BITS = 10
SMALL = {"width": 160, "height": 90, "fps": 30}


def numbered(
    settings: Settings, name: str, *, seconds: float = 4, rate: str = "30", more: tuple[str, ...] = ()
) -> Path:
    """A silent video whose frame n shows n in ten black or white columns, the lowest bit left."""
    code = f"lum='if(mod(floor(N/pow(2,floor(X*{_BITS}/W))),2),235,16)':cb=128:cr=128"
    return make(
        settings,
        settings.source_root / name,
        *("-f", "lavfi", "-i", f"nullsrc=s=160x90:r={rate}:d={seconds},geq={code},format=yuv420p"),
        *X264,
        *("-bf", "2", "-g", "50", *more),
    )


def numbers(settings: Settings, path: Path) -> list[int]:
    """The number that each picture shows."""
    columns = pictures(settings, path, width=_BITS, height=1)[:, 0, :, 0] > 128
    return [int(n) for n in columns @ (1 << np.arange(_BITS))]


def flash_at_whole_seconds(settings: Settings, name: str, *, seconds: int) -> Path:
    """Pictures that show their number as `numbered` ones do, 80x44, with a click at each whole second."""
    code = f"lum='if(mod(floor(N/pow(2,floor(X*{_BITS}/W))),2),235,16)':cb=128:cr=128"
    picture = f"nullsrc=s=80x44:r=30:d={seconds},geq={code},format=yuv420p"
    click = f"aevalsrc='0.8*lt(mod(t,1),0.002)':s=48000:d={seconds}"
    return make(
        settings,
        settings.source_root / name,
        *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", click, *X264, *AAC),
    )


def flashing(settings: Settings, name: str, seconds: int, period: int) -> Path:
    """White for one frame every `period` seconds, with a click at the same moment."""
    white = f"nullsrc=s=160x90:r=30:d={seconds},geq=lum='if(mod(N,{30 * period}),16,235)':cb=128:cr=128"
    click = f"aevalsrc='0.8*lt(mod(t,{period}),0.002)':s=48000:d={seconds}"
    return make(
        settings,
        settings.source_root / name,
        *("-f", "lavfi", "-i", f"{white},format=yuv420p", "-f", "lavfi", "-i", click),
        *(*X264, *AAC),
    )


def sounding(
    settings: Settings, name: str, *, seconds: float = 4, expression: str, channels: str = ""
) -> Path:
    """A video with sound from an `aevalsrc` expression."""
    return clip(
        settings,
        settings.source_root / name,
        seconds=seconds,
        sound=f"aevalsrc={expression}:s=48000" + (f":c={channels}" if channels else ""),
    )


def document(segments: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A small document; in seconds unless `more` gives a bpm."""
    return {"version": 1, "output": SMALL, "segments": segments, **more}


def planned(
    settings: Settings, data: dict[str, Any], identifier: str = "komp_test"
) -> tuple[KompositionPlan, dict[str, SourceFacts]]:
    """The plan of a document, and its sources."""
    komposition = parse(data, "test.json")
    sources = {name: ingested(settings, settings.source_root / name) for name in references(komposition)}
    version = binaries.ffmpeg(settings).version
    return plan(komposition, sources, version, identifier=identifier), sources


def rendered(
    settings: Settings, data: dict[str, Any], store: OutputStore | None = None
) -> RenderedKomposition:
    """A document rendered into the store of `settings`, or another."""
    compiled, sources = planned(settings, data)
    return render(compiled, sources, settings, store or OutputStore(settings))


def packet_times(settings: Settings, path: Path) -> list[int]:
    """When each packet of the picture is shown, in ticks of the file."""
    command = [str(binaries.ffprobe(settings).path), "-v", "error", "-select_streams", "v"]
    command += ["-show_entries", "packet=pts", "-of", "csv=p=0", f"file:{path}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [int(line.strip(",")) for line in done.stdout.split()]


def path_of(result: RenderedKomposition) -> Path:
    """The finished file."""
    return result.final.output.path
