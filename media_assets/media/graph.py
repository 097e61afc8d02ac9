"""Filter graphs and argument lists: the one module that names ffmpeg-python.

A stream is used once; `Stream.split` gives copies. Paths and texts are escaped here: pass them as they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg
from ffmpeg.nodes import FilterNode

from media_assets.errors import BadInput

_serial = itertools.count()
_SPACES = " \n\t\r"
_IN_VALUE = "\\':"
_IN_GRAPH = "\\'[],;"

Option = str | int | float | None
"""Value of an ffmpeg option; None for a flag that takes no value."""


@dataclass(frozen=True)
class Stream:
    """A picture or sound stream on its way through a filter graph."""

    node: Any

    def filter(self, name: str, *positional: Option, **named: Option) -> Stream:
        """Send the stream through one filter and return what comes out."""
        return filter_streams([self], name, *positional, **named)

    def split(self, count: int, *, audio: bool) -> list[Stream]:
        """Return `count` copies of the stream (itself for one)."""
        if count == 1:
            return [self]
        copies = _distinct(ffmpeg.filter_multi_output(self.node, "asplit" if audio else "split", count))
        return [Stream(copies.stream(index)) for index in range(count)]


@dataclass(frozen=True)
class Input:
    """An opened file or generated source; each stream may be taken more than once."""

    node: Any

    def video(self, index: int = 0) -> Stream:
        """Its picture stream, counted among its picture streams."""
        return Stream(self.node[f"v:{index}"])

    def audio(self, index: int = 0) -> Stream:
        """Its sound stream, counted among its sound streams."""
        return Stream(self.node[f"a:{index}"])

    def stream(self, index: int) -> Stream:
        """A stream by its index in the file, as ffprobe counts."""
        return Stream(self.node[str(index)])


def open_file(path: Path, **options: Option) -> Input:
    """An input file; `options` come before `-i` (`ss=3`, `threads=1`). Only local files are ever opened."""
    return _opened(ffmpeg.input(f"file:{path}", protocol_whitelist="file", **options))


def generate(description: str, **options: Option) -> Input:
    """A generated source, such as `anullsrc=r=48000:cl=stereo`."""
    return _opened(ffmpeg.input(description, f="lavfi", **options))


def filter_streams(streams: Sequence[Stream], name: str, *positional: Option, **named: Option) -> Stream:
    """Send several streams into one filter with one output."""
    node = _Filter([stream.node for stream in streams], name, args=positional, kwargs=named)
    return Stream(_distinct(node).stream())


def concatenate(pairs: Sequence[Sequence[Stream]], *, video: bool, audio: bool) -> list[Stream]:
    """Join segments end to end; each is its picture stream, then its sound stream, as far as wanted."""
    nodes = [stream.node for pair in pairs for stream in pair]
    options = {"n": len(pairs), "v": int(video), "a": int(audio)}
    joined = _distinct(ffmpeg.filter_multi_output(nodes, "concat", **options))
    return [Stream(joined.stream(index)) for index in range(int(video) + int(audio))]


class _Filter(FilterNode):  # type: ignore[misc]
    """A filter whose values reach ffmpeg as they are.

    ffmpeg-python escapes values without a name once too often, and lets ffmpeg drop spaces and line breaks
    at the ends of a value.
    """

    def __init__(
        self, streams: Any, name: str, args: Sequence[Option], kwargs: Mapping[str, Option]
    ) -> None:
        super().__init__(streams, name, max_inputs=None, args=args, kwargs=kwargs)

    def _get_filter(self, outgoing_edges: Any) -> str:
        """The filter as it is written in a graph: ffmpeg reads it twice, the whole and then each value."""
        values = [_escaped(str(value), _IN_VALUE + "=") for value in self.args]
        values += [f"{name}={_escaped(str(self.kwargs[name]), _IN_VALUE)}" for name in sorted(self.kwargs)]
        words = f"{self.name}={':'.join(values)}" if values else self.name
        return _escaped(words, _IN_GRAPH)


def _escaped(text: str, special: str) -> str:
    """`text` with a backslash before what has a meaning to ffmpeg, and before spaces at its ends."""
    inner = text.strip(_SPACES)
    before = len(text) - len(text.lstrip(_SPACES))
    edge = {*range(before), *range(before + len(inner), len(text))}
    return "".join(
        "\\" + letter if letter in special or at in edge else letter for at, letter in enumerate(text)
    )


def _opened(stream: Any) -> Input:
    _distinct(stream.node)
    return Input(stream)


def _distinct(node: Any) -> Any:
    """`node`, equal to no other.

    ffmpeg-python takes nodes for one when all their arguments are equal, and then refuses a graph in which
    two equal branches (a clip joined with itself, two stretches of silence) meet in one filter.
    """
    node._KwargReprNode__hash = next(_serial)
    return node


@dataclass(frozen=True)
class Target:
    """One output of a command: its streams, where to, and its options.

    Attributes:
        path: where to write, or None to throw the output away (a measuring pass).
        options: muxer and encoder options (`{"c:v": "libx264", "crf": 20}`).
    """

    streams: Sequence[Stream]
    path: Path | None
    options: Mapping[str, Option]


def arguments(targets: Sequence[Target]) -> list[str]:
    """The argument list (all after the program) of one command with those outputs.

    Raises:
        BadInput: the filters stand in a chain too long to be followed (about a thousand).
    """
    outputs = []
    for target in targets:
        nodes = [stream.node for stream in target.streams]
        name, extra = ("-", {"f": "null"}) if target.path is None else (f"file:{target.path}", {})
        outputs.append(ffmpeg.output(*nodes, name, **{**target.options, **extra}))
    whole = outputs[0] if len(outputs) == 1 else ffmpeg.merge_outputs(*outputs)
    try:
        return list(ffmpeg.get_args(whole))
    except RecursionError:
        raise BadInput(
            "the chain of operations is too long for one command", hint="use fewer operations in a row"
        ) from None
