"""What every operation keeps to, on every kind of clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from media_assets.errors import BadInput
from media_assets.media.probe import probe
from media_assets.operations.base import Clip
from media_assets.operations.registry import operation, operations
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import CLIPS, Clips, applied, made, planned

# Values for parameters that have no default.
EXAMPLES: Mapping[str, dict[str, Any]] = {
    "trim": {"start": 0.5, "duration": 1},
    "resize": {"width": 100, "height": 100},
    "crossfade_transition": {"duration": 0.5},
}


def _inputs(name: str, source: SourceFacts, clips: Clips) -> list[SourceFacts]:
    """As many inputs as the operation takes, the first of them `source`."""
    others = clips["plain"] if source.info.video else clips["song"]
    return [source] + [others] * (operation(name).takes.minimum - 1)


def _document(name: str, inputs: int, output: str) -> dict[str, object]:
    names = [f"in{index}" for index in range(inputs)]
    return {"op": name, "inputs": names, "output": output, "params": EXAMPLES.get(name, {})}


def _is_taken(name: str, source: SourceFacts) -> bool:
    rule, clip = operation(name).takes, Clip.of(source.info)
    has = {"video": clip.picture is not None, "audio": clip.sound is not None}
    return clip.kind in rule.kinds and all(has[need] for need in rule.needs)


@pytest.mark.parametrize("source", CLIPS)
@pytest.mark.parametrize("name", sorted(operations()))
def test_the_output_is_what_was_expected(name: str, source: str, clips: Clips, settings: Settings) -> None:
    inputs = _inputs(name, clips[source], clips)
    sources = {f"in{index}": facts for index, facts in enumerate(inputs)}
    document = _document(name, len(inputs), "out")
    if not _is_taken(name, clips[source]):
        with pytest.raises(BadInput, match=name):
            planned(settings, sources, document)
        return
    expected = planned(settings, sources, document).nodes["out"].clip
    output = made(settings, sources, document)["out"]
    info = probe(output.path, settings)
    found = Clip.of(info)
    assert (found.kind, found.sound) == (expected.kind, expected.sound)
    assert found.duration == pytest.approx(expected.duration, abs=0.1)
    assert info.warnings == ()
    if expected.picture is None:
        assert found.picture is None
    else:
        assert found.picture is not None
        assert replace(found.picture, fps=Fraction(1)) == replace(expected.picture, fps=Fraction(1))
        assert info.video is not None
        assert (info.video.rotation, info.video.pixel_format) == (0, "yuv420p")
        assert found.picture.width % 2 == found.picture.height % 2 == 0


@pytest.mark.parametrize("source", CLIPS)
def test_bytes_are_the_same_alone_and_together(source: str, clips: Clips, settings: Settings) -> None:
    """Rendered in two stores: in one each operation alone, in the other all by one command."""
    documents: dict[str, dict[str, object]] = {}
    sources: dict[str, SourceFacts] = {}
    for name in operations():
        if _is_taken(name, clips[source]):
            inputs = _inputs(name, clips[source], clips)
            sources |= {f"in{index}": facts for index, facts in enumerate(inputs)}
            documents[name] = _document(name, len(inputs), name)
    apart = replace(settings, data_root=settings.data_root / "apart")
    alone = {
        name: made(apart, sources, document)[name].content_hash for name, document in documents.items()
    }
    together = made(settings, sources, *documents.values())
    assert {name: output.content_hash for name, output in together.items()} == alone


def test_every_operation_says_what_it_is() -> None:
    for name, kind in operations().items():
        assert kind.summary.endswith(".")
        assert all(f.description or f.annotation for f in kind.parameters.model_fields.values()), name


@pytest.mark.parametrize("name", sorted(operations()))
def test_an_image_is_refused(name: str, clips: Clips, settings: Settings) -> None:
    still = Clip("image", None, Clip.of(clips["plain"].info).picture, None)
    kind = operation(name)
    with pytest.raises(BadInput, match="image"):
        kind.check_inputs([still] * kind.takes.minimum)


@pytest.mark.parametrize("name", sorted(operations()))
def test_too_few_and_too_many_inputs_are_refused(name: str, clips: Clips, settings: Settings) -> None:
    rule = operation(name).takes
    counts = [rule.minimum - 1] + ([rule.maximum + 1] if rule.maximum is not None else [])
    for count in counts:
        with pytest.raises(BadInput, match="inputs"):
            operation(name).check_inputs([Clip.of(clips["plain"].info)] * count)


def test_a_second_ask_costs_nothing(clips: Clips, settings: Settings) -> None:
    first = applied(settings, "trim", clips["plain"], start=0.5)
    assert applied(settings, "trim", clips["plain"], start="500ms").created == first.created
