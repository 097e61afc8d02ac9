"""What a JobSpec says beside its operations, written as operations: parts of inputs, formats of outputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from media_assets.errors import BadInput
from media_assets.operations.base import Operation
from media_assets.operations.registry import operation
from media_assets.planning.specs import InputSpec, JobSpec, OperationSpec, OutputSpec

# What an operation's output is written as when nobody says otherwise: a video, or a still.
_NO_ENCODING = frozenset({None, "mp4", "png", "jpg", "jpeg", "webp", "gif"})
_EXTENSION = re.compile(r"\.([a-z0-9]{1,8})")
_OPERATION = re.compile(r"\$\.operations\[(\d+)\](.*)", re.DOTALL)
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Rewritten:
    """A JobSpec as nothing but operations.

    Attributes:
        operations: those of the document, then those it implies.
        wanted: the node to make for each wanted output, by the output's id.
        origins: for each operation, the JSON path of what it comes from, and for one that is implied
            where each of its parameters comes from, under that path.
    """

    operations: tuple[OperationSpec, ...]
    wanted: Mapping[str, str]
    origins: tuple[tuple[str, Mapping[str, str] | None], ...]

    def located(self, path: str) -> str:
        """The JSON path in the document of a JSON path in `operations`."""
        match = _OPERATION.fullmatch(path)
        if match is None or int(match[1]) >= len(self.origins):
            return path
        base, parameters = self.origins[int(match[1])]
        if parameters is None:
            return base + match[2]
        origin = parameters.get(match[2].removeprefix(".params."))
        return f"{base}.{origin}" if origin else base


def normalized(spec: JobSpec) -> Rewritten:
    """A JobSpec as nothing but operations.

    - An input with `start_offset` or `duration` becomes a `trim` named `<input>.part`, which those who
      take the input take instead.
    - An output with a codec, profile or format becomes an `encode` named `<output>.encoded`. So does one
      whose destination has another extension than `.mp4` or a still picture's, unless its operation
      says itself what it is written as (`to_mp3`, `encode`).
    """
    return rewritten(enumerate(spec.inputs), enumerate(spec.operations), enumerate(spec.outputs))


def rewritten(
    inputs: Iterable[tuple[int, InputSpec]],
    operations: Iterable[tuple[int, OperationSpec]],
    outputs: Iterable[tuple[int, OutputSpec]],
) -> Rewritten:
    """`normalized`, for those parts of a document that hold, each with its index there."""
    inputs, operations, outputs = list(inputs), list(operations), list(outputs)
    made = {spec.output: spec for _, spec in operations}
    used = {name for _, spec in operations for name in spec.inputs}
    taken = {*made, *(given.id for _, given in inputs)}
    implied: list[OperationSpec] = []
    origins: list[tuple[str, Mapping[str, str] | None]] = []
    parts: dict[str, str] = {}
    for index, given in inputs:
        wanted = _part(given)
        if wanted and given.id in used and given.id not in parts:
            parts[given.id] = _free_name(f"{given.id}.part", taken)
            implied.append(_implied("trim", given.id, parts[given.id], wanted))
            origins.append((f"$.inputs[{index}]", {"start": "start_offset", "duration": "duration"}))
    nodes: dict[str, str] = {}
    for index, output in outputs:
        if output.id not in made or output.id in nodes:
            continue
        nodes[output.id] = output.id
        choices = _encoding(output, made[output.id])
        if choices:
            nodes[output.id] = _free_name(f"{output.id}.encoded", taken)
            values = {name: value for name, (value, _) in choices.items()}
            implied.append(_implied("encode", output.id, nodes[output.id], values))
            origins.append((f"$.outputs[{index}]", {name: place for name, (_, place) in choices.items()}))
    stated = [
        spec.model_copy(update={"inputs": [parts.get(name, name) for name in spec.inputs]})
        for _, spec in operations
    ]
    places: list[tuple[str, Mapping[str, str] | None]] = [
        (f"$.operations[{index}]", None) for index, _ in operations
    ]
    return Rewritten((*stated, *implied), nodes, (*places, *origins))


def extension(destination: str | None) -> str | None:
    """The extension of a destination, in small letters and without the dot, if it has one."""
    match = _EXTENSION.fullmatch(PurePosixPath(destination or "").suffix.lower())
    return match[1] if match else None


def _part(given: InputSpec) -> dict[str, object]:
    part: dict[str, object] = {}
    if given.start_offset:
        part["start"] = given.start_offset
    if given.duration is not None:
        part["duration"] = given.duration
    return part


def _encoding(output: OutputSpec, made: OperationSpec) -> dict[str, tuple[object, str]]:
    """Parameters of the `encode` that an output asks for, each with its place in the output; or none."""
    codec = output.codec
    video, audio = (codec.video, codec.audio) if codec else (None, None)
    said: list[tuple[str, object, str]] = [("profile", output.profile, "profile")]
    if video is not None:
        said += [
            ("video_codec", video.codec, "codec.video.codec"),
            ("crf", video.crf, "codec.video.crf"),
            ("speed", video.preset, "codec.video.preset"),
            ("video_bitrate", video.bitrate, "codec.video.bitrate"),
            ("hardware", video.hardware, "codec.video.hardware"),
        ]
    if audio is not None:
        said += [
            ("audio_codec", audio.codec, "codec.audio.codec"),
            ("audio_bitrate", audio.bitrate, "codec.audio.bitrate"),
        ]
    choices = {name: (value, place) for name, value, place in said if value is not None}
    if output.format is not None:
        container, place = output.format.lower(), "format"
    else:
        container, place = extension(output.destination) or "", "destination"
    implied = container or None
    asked = implied not in _NO_ENCODING and (output.format is not None or not _says_its_format(made.op))
    if asked or (choices and implied):
        choices["container"] = (container, place)
    return choices


def _says_its_format(name: str) -> bool:
    try:
        return type(operation(name)).encoding is not Operation.encoding
    except BadInput:
        return False


def _implied(op: str, source: str, output: str, params: Mapping[str, object]) -> OperationSpec:
    return OperationSpec(op=op, inputs=[source], output=output, params=dict(params))


def _free_name(wanted: str, taken: set[str]) -> str:
    """A name like `wanted` that nobody has, in characters that names are made of; it is taken then."""
    stem, _, last = re.sub(r"[^A-Za-z0-9_.-]", "_", wanted).rpartition(".")
    stem = re.sub(r"^[.-]", "_", stem)[: _LONGEST_NAME - len(last) - 5]
    name, number = f"{stem}.{last}", 1
    while name in taken:
        number += 1
        name = f"{stem}.{last}{number}"
    taken.add(name)
    return name
