"""What every operation keeps to, on every kind of clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest

from media_assets.errors import BadInput
from media_assets.media.probe import probe
from media_assets.operations.clip import Clip, Picture, Sound
from media_assets.operations.registry import aliases, operation, operations, read_parameters
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import CLIPS, Clips, applied, fillings, made, planned

# These clips differ in what is done before an operation is handed its pictures: each operation takes half
# of them and each look (one chain of filters) a third, and all together take every one many times.
_SHARED_OUT = ("vertical", "rotated", "anamorphic", "uneven", "interlaced", "ntsc", "mono", "silent")

# What the example makes larger than it needs to be to tell whether it is as expected.
_SMALLER = {"resize": {"width": 96, "height": -2}}

# One of each way in which a graph of all operations differs; the others would only repeat it.
_TOGETHER = {"plain", "hdr", "transparent"}


def _names(name: str, source: str, clips: Clips) -> list[str]:
    """The clips that the operation takes, `source` first: as few as it can do with."""
    rule = operation(name).takes
    other = "plain" if clips[source].info.video else "song"
    return [source] + [other] * (rule.minimum - 1) + fillings(name)


def _document(name: str, inputs: list[str], output: str) -> dict[str, object]:
    params = _SMALLER.get(name, operation(name).example)
    return {"op": name, "inputs": inputs, "output": output, "params": dict(params)}


def _pairs() -> Iterator[tuple[str, str]]:
    """Operations with the clips that each is tried on."""
    for (turn, name), source in product(enumerate(sorted(operations())), CLIPS):
        every = 3 if ".looks" in operation(name).__module__ else 2
        if source not in _SHARED_OUT or (turn + _SHARED_OUT.index(source)) % every == 0:
            yield name, source


def _is_taken(name: str, source: SourceFacts) -> bool:
    rule, clip = operation(name).takes, Clip.of(source.info)
    has = {"video": clip.picture is not None, "audio": clip.sound is not None}
    return clip.kind in rule.kinds and all(has[need] for need in rule.needs)


@pytest.fixture(scope="session")
def alone(clips: Clips, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store in which each operation's output is made by a command of its own."""
    return replace(clips.settings, data_root=tmp_path_factory.mktemp("alone"))


# Tests of one clip run in one process: what each operation makes of it alone is then made once.
@pytest.mark.parametrize(
    ("name", "source"),
    [pytest.param(n, s, marks=pytest.mark.xdist_group(f"clip {s}")) for n, s in _pairs()],
)
def test_the_output_is_what_was_expected(name: str, source: str, clips: Clips, alone: Settings) -> None:
    names = _names(name, source, clips)
    sources = {n: clips[n] for n in names}
    document = _document(name, names, "out")
    if not _is_taken(name, clips[source]):
        with pytest.raises(BadInput, match=name):
            planned(alone, sources, document)
        return
    node = planned(alone, sources, document).nodes["out"]
    expected = node.operation.settled(node.clip, node.parameters, {})
    output = made(alone, sources, document)["out"]
    info = probe(output.path, alone)
    found = Clip.of(info)
    if node.profile.name == "webp_anim":
        # ffprobe 8 sees only the first picture.
        expected = replace(expected, kind="image", duration=None)
    assert found.kind == expected.kind
    assert (found.sound is None) == (expected.sound is None)
    if found.sound is not None and expected.sound is not None:
        assert (found.sound.rate, found.sound.channels) == (expected.sound.rate, expected.sound.channels)
    if not node.operation.measures:
        assert found.duration == pytest.approx(expected.duration, abs=0.1)
    assert [w for w in info.warnings if "rate" not in w] == []
    assert (found.picture is None) == (expected.picture is None)
    if found.picture is not None and expected.picture is not None:
        # Matroska keeps the shape of pixels as a whole number of them.
        assert float(found.picture.sar) == pytest.approx(float(expected.picture.sar), rel=0.01)
        same = replace(found.picture, fps=Fraction(1), sar=Fraction(1), alpha=False)
        assert same == replace(expected.picture, fps=Fraction(1), sar=Fraction(1), alpha=False)
        assert info.video is not None
        assert info.video.rotation == 0
        if info.video.codec not in ("gif", "webp"):  # these always have room for transparency
            assert found.picture.alpha == (expected.picture.alpha and node.profile.alpha is not None)
        if node.profile.name == "h264":
            assert info.video.pixel_format == "yuv420p"
        assert found.picture.width % 2 == found.picture.height % 2 == 0


@pytest.mark.parametrize(
    "source", [pytest.param(s, marks=pytest.mark.xdist_group(f"clip {s}")) for s in sorted(_TOGETHER)]
)
def test_bytes_are_the_same_alone_and_together(
    source: str, clips: Clips, alone: Settings, settings: Settings
) -> None:
    """Rendered in two stores: in one each operation alone, in the other all by one command."""
    documents: dict[str, dict[str, object]] = {}
    sources: dict[str, SourceFacts] = {}
    for name in operations():
        if _is_taken(name, clips[source]):
            names = _names(name, source, clips)
            sources |= {n: clips[n] for n in names}
            documents[name] = _document(name, names, name)
    each = {name: made(alone, sources, document)[name].content_hash for name, document in documents.items()}
    together = made(settings, sources, *documents.values())
    assert {name: output.content_hash for name, output in together.items()} == each


@pytest.mark.parametrize("name", sorted(operations()))
def test_it_says_what_it_is(name: str) -> None:
    kind = operation(name)
    assert kind.summary.endswith(".")
    assert kind.name not in aliases()
    read_parameters(kind, kind.example, "$")
    for field in kind.parameters.model_json_schema().get("properties", {}).values():
        assert "type" in field or "anyOf" in field or "enum" in field or "$ref" in field or "allOf" in field


@pytest.mark.parametrize("name", sorted(operations()))
def test_what_it_does_not_take_is_refused(name: str) -> None:
    rule = operation(name).takes
    shown, heard = Picture(160, 90, Fraction(30)), Sound(48_000, 2)
    whole = {"video": Clip("video", 2.0, shown, heard), "audio": Clip("audio", 2.0, None, heard)}
    whole |= {"image": Clip("image", None, shown)}
    whole |= {kind: Clip(kind, None) for kind in ("subtitle", "lut", "font")}
    fitting = [whole[min(rule.kinds)]] * rule.minimum + [
        whole[min(s.kinds)] for s in rule.slots if s.required
    ]
    operation(name).check_inputs(fitting)
    for kind, clip in whole.items():
        if kind not in rule.kinds:
            with pytest.raises(BadInput, match=f"not {kind}"):
                operation(name).check_inputs([clip, *fitting[1:]])
    for wrong in _wrong_counts(fitting, rule.most):
        with pytest.raises(BadInput, match="inputs"):
            operation(name).check_inputs(wrong)


def _wrong_counts(fitting: list[Clip], most: int | None) -> Iterator[list[Clip]]:
    yield fitting[:-1]
    if most is not None:
        yield fitting + [fitting[-1]] * (most + 1 - len(fitting))


def test_a_second_ask_costs_nothing(clips: Clips, settings: Settings) -> None:
    first = applied(settings, "trim", clips["plain"], start=0.5)
    assert applied(settings, "trim", clips["plain"], start="500ms").created == first.created
