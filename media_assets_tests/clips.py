"""The clips that tests of several folders share: one for each way in which footage is awkward."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import font_source_sans_pro

from media_assets.errors import MediaAssetsError
from media_assets.media.hardware import encoders
from media_assets.media.info import Kind
from media_assets.operations.registry import operation
from media_assets.planning.execute import NodeResult, execute
from media_assets.planning.jobspec import OperationSpec
from media_assets.planning.plan import Plan, make_plan
from media_assets.settings import Settings
from media_assets.store.outputs import Output, OutputStore
from media_assets.store.sources import SourceFacts
from media_assets_tests.making import AAC, X264, clip, ingested, make

SECONDS = 2.0
_TESTSRC = ("-f", "lavfi", "-i", f"testsrc2=s=160x90:r=30:d={SECONDS}")
_SINE = ("-f", "lavfi", "-i", f"sine=f=440:r=48000:d={SECONDS}")
_ONLY_CENTRE = f"sine=f=440:r=48000:d={SECONDS},pan=5.1|FL=0*c0|FR=0*c0|FC=c0|LFE=0*c0|BL=0*c0|BR=0*c0"
_B_FRAMES = ("-preset", "veryfast", "-bf", "3", "-g", "30")


def _plain(settings: Settings, folder: Path) -> Path:
    return clip(settings, folder / "plain.mp4", seconds=SECONDS, more=_B_FRAMES)


def _silent(settings: Settings, folder: Path) -> Path:
    return clip(settings, folder / "silent.mp4", seconds=SECONDS, sound=None)


def _vertical(settings: Settings, folder: Path) -> Path:
    return clip(settings, folder / "vertical.mp4", seconds=SECONDS, size="90x160")


def _rotated(settings: Settings, folder: Path) -> Path:
    plain = clip(settings, folder / ".upright.mp4", seconds=SECONDS)
    turned = ("-display_rotation", "-90", "-i", f"file:{plain}", "-c", "copy")
    return make(settings, folder / "rotated.mp4", *turned)


def _deep(settings: Settings, folder: Path) -> Path:
    more = ("-pix_fmt", "yuv420p10le")
    return clip(settings, folder / "deep.mp4", seconds=SECONDS, more=more)


def _hdr(settings: Settings, folder: Path) -> Path:
    """HLG that says, beside the picture, how bright its screen was."""
    screen = "mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    tags = "colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc:cll=1000,400"
    more = ("-pix_fmt", "yuv420p10le", "-x264-params", f"{tags}:{screen}")
    return clip(settings, folder / "hdr.mp4", seconds=SECONDS, more=more)


def _uneven(settings: Settings, folder: Path) -> Path:
    """Every picture for 20, then one in three: 30 pictures a second, then 10."""
    more = ("-vf", r"select=lt(n\,20)+not(mod(n\,3))", "-fps_mode", "vfr", *_B_FRAMES)
    return clip(settings, folder / "uneven.mkv", seconds=SECONDS, more=more)


def _odd(settings: Settings, folder: Path) -> Path:
    return clip(
        settings,
        folder / "odd.mp4",
        seconds=SECONDS,
        more=("-vf", "format=yuv444p,scale=161:91,setsar=1", "-pix_fmt", "yuv444p"),
    )


def _anamorphic(settings: Settings, folder: Path) -> Path:
    return clip(settings, folder / "anamorphic.mp4", seconds=SECONDS, more=("-vf", "setsar=4/3"))


def _mono(settings: Settings, folder: Path) -> Path:
    return clip(settings, folder / "mono.mp4", seconds=SECONDS, sound="sine=f=440:r=22050")


def _surround(settings: Settings, folder: Path) -> Path:
    sound = ("-f", "lavfi", "-i", _ONLY_CENTRE)
    return make(settings, folder / "surround.mp4", *_TESTSRC, *sound, *X264, *AAC)


def _song(settings: Settings, folder: Path) -> Path:
    return make(settings, folder / "song.flac", *_SINE, "-c:a", "flac")


def _ntsc(settings: Settings, folder: Path) -> Path:
    """AVI counts time in pictures: no whole second is a whole number of its ticks."""
    return clip(
        settings, folder / "ntsc.avi", seconds=SECONDS, rate="30000/1001", more=("-c:a", "pcm_s16le")
    )


def _transparent(settings: Settings, folder: Path) -> Path:
    """A disc that is opaque in the middle and fades out to nothing."""
    disc = "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='clip(3*(60-hypot(X-80,Y-45)),0,255)'"
    more = ("-vf", disc, "-c:v", "prores_ks", "-profile:v", "4", "-pix_fmt", "yuva444p10le")
    return make(settings, folder / "transparent.mov", *_TESTSRC, *more)


def _interlaced(settings: Settings, folder: Path) -> Path:
    more = ("-vf", "interlace", "-flags", "+ildct+ilme", "-x264-params", "tff=1")
    return clip(settings, folder / "interlaced.mp4", seconds=SECONDS, rate="60", size="160x96", more=more)


def _still(settings: Settings, folder: Path) -> Path:
    return make(settings, folder / "still.jpg", "-f", "lavfi", "-i", "testsrc2=s=161x91", "-frames:v", "1")


def _logo(settings: Settings, folder: Path) -> Path:
    """A red square with a transparent border."""
    drawn = "color=c=red@0:s=48x32,format=rgba,drawbox=8:8:32:16:red@1:fill:replace=1"
    return make(settings, folder / "logo.png", "-f", "lavfi", "-i", drawn, "-frames:v", "1")


def _teal(settings: Settings, folder: Path) -> Path:
    """A table of colours that swaps red and blue."""
    grid = [(b, g, r) for b in (0, 1) for g in (0, 1) for r in (0, 1)]
    lines = "".join(f"{red} {green} {blue}\n" for red, green, blue in grid)
    return _text(folder / "teal.cube", f'TITLE "swap"\nLUT_3D_SIZE 2\n{lines}')


def _words(settings: Settings, folder: Path) -> Path:
    return _text(
        folder / "words.srt", "1\n00:00:00,500 --> 00:00:01,500\nIt's 100% fine: “so”, [he] said\n\n"
    )


def _font(settings: Settings, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(font_source_sans_pro.SourceSansProBold, folder / "font.ttf"))


def _text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


_MAKERS: Mapping[str, Callable[[Settings, Path], Path]] = {
    "plain": _plain,
    "silent": _silent,
    "vertical": _vertical,
    "rotated": _rotated,
    "deep": _deep,
    "hdr": _hdr,
    "uneven": _uneven,
    "odd": _odd,
    "anamorphic": _anamorphic,
    "mono": _mono,
    "surround": _surround,
    "song": _song,
    "ntsc": _ntsc,
    "transparent": _transparent,
    "interlaced": _interlaced,
    "still": _still,
    "logo": _logo,
}
CLIPS = tuple(_MAKERS)
_ASIDE: Mapping[str, Callable[[Settings, Path], Path]] = {"teal": _teal, "words": _words, "font": _font}


class Clips:
    """Sources by name, each made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._made: dict[str, SourceFacts] = {}

    def __getitem__(self, name: str) -> SourceFacts:
        if name not in self._made:
            path = {**_MAKERS, **_ASIDE}[name](self.settings, self.settings.source_root)
            self._made[name] = ingested(self.settings, path)
        return self._made[name]


# What fills a slot, by the first of these kinds that it takes.
_FILLING: Mapping[Kind, str] = {
    "image": "logo",
    "lut": "teal",
    "subtitle": "words",
    "font": "font",
    "audio": "song",
    "video": "plain",
}


def fillings(name: str) -> list[str]:
    """Clips for the slots that an operation cannot do without."""
    slots = [slot for slot in operation(name).takes.slots if slot.required]
    return [next(clip for kind, clip in _FILLING.items() if kind in slot.kinds) for slot in slots]


def planned(
    settings: Settings, sources: Mapping[str, SourceFacts], *operations: Mapping[str, object]
) -> Plan:
    """The plan of operations as a document spells them, over sources by name."""
    specs = [OperationSpec.model_validate(operation) for operation in operations]
    return make_plan(specs, sources, encoders(settings))


def run(settings: Settings, plan: Plan, *wanted: str) -> list[NodeResult]:
    """Make the wanted nodes of a plan (all, when none is named) in the store of `settings`."""
    return execute(plan, wanted or tuple(plan.nodes), OutputStore(settings), settings)


def made(
    settings: Settings, sources: Mapping[str, SourceFacts], *operations: Mapping[str, object]
) -> dict[str, Output]:
    """Every output of those operations by name; the first error of one is raised."""
    outputs = {}
    for result in run(settings, planned(settings, sources, *operations)):
        if isinstance(result.error, MediaAssetsError):
            raise result.error
        assert result.outcome is not None
        outputs[result.node.name] = result.outcome.output
    return outputs


def applied(settings: Settings, operation: str, *sources: SourceFacts, **parameters: object) -> Output:
    """The output of one operation on those sources."""
    names = [f"in{index}" for index in range(len(sources))]
    document = {"op": operation, "inputs": names, "output": "out", "params": parameters}
    return made(settings, dict(zip(names, sources, strict=True)), document)["out"]
