"""The parts of a JobSpec as they are written: inputs, operations, outputs, limits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from media_assets.errors import BadInput, UnsafePath
from media_assets.operations.parameters import Duration, Resolution
from media_assets.operations.registry import operation
from media_assets.store.urls import check_url, is_url

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]i?)?B?", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}
MOST_PARTS = 500
"""Inputs, operations or outputs of one document."""


class Strict(BaseModel):
    """Base of document parts: frozen, and no unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def size(value: Any) -> Any:
    """Read a number of bytes: a number, `2GiB` (1024³ each), `500MB` (1000² each).

    Raises:
        ValueError: the text is none of these.
    """
    if isinstance(value, bool):
        raise ValueError("yes and no are not sizes")
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"{value!r} is not a size such as 500MB, 2GiB or 1048576")
    unit = (match[2] or "").lower()
    factor = (1024 if unit.endswith("i") else 1000) ** _POWERS.get(unit[:1], 0)
    return int(float(match[1]) * factor)


Size = Annotated[int, BeforeValidator(size), Field(gt=0, le=1 << 50)]
"""Bytes, from any spelling of a size."""

Length = Annotated[Duration, Field(gt=0)]
"""Seconds, more than none."""


class InputSpec(Strict):
    """A source under a name of its own.

    Attributes:
        source: a path under the source root, a source id, or an http(s) URL.
        type: what it must be, if that matters.
        start_offset, duration: the part of it that is meant (seconds); without them, all.
    """

    id: str = Field(min_length=1, max_length=80)
    source: str = Field(min_length=1, max_length=2048)
    type: Literal["video", "audio", "image"] | None = None
    start_offset: Duration | None = None
    duration: Length | None = None

    @field_validator("source")
    @classmethod
    def _takes(cls, value: str) -> str:
        """What can be said of a source before anything is looked up."""
        if is_url(value):
            try:
                check_url(value, own_hosts=None)
            except UnsafePath as error:
                raise ValueError(
                    f"{error.message}; {error.hint}" if error.hint else error.message
                ) from None
        elif ".." in re.split(r"[/\\]", value) or "\0" in value:
            raise ValueError("the path leaves the source folder")
        return value


class OperationSpec(Strict):
    """One operation: on which inputs, under which name its output goes, with which parameters."""

    op: str
    inputs: list[str] = Field(min_length=1, max_length=MOST_PARTS)
    output: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")
    params: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _spellings(cls, value: Any) -> Any:
        """`input: x` is `inputs: [x]`; parameters may stand beside `op`; some of them name inputs."""
        if not isinstance(value, dict):
            return value
        document = dict(value)
        if "input" in document:
            if "inputs" in document:
                raise ValueError("give input or inputs, not both")
            given = document.pop("input")
            document["inputs"] = given if isinstance(given, list) else [given]
        beside = {
            k: document.pop(k) for k in list(document) if k not in ("op", "inputs", "output", "params")
        }
        params = document.get("params") or {}
        if beside and isinstance(params, dict):
            twice = ", ".join(sorted(str(name) for name in beside if name in params))
            if twice:
                raise ValueError(f"{twice} stands both in params and beside op")
            document["params"] = {**beside, **params}
        inputs, params = document.get("inputs"), document.get("params")
        if isinstance(inputs, list) and isinstance(params, dict) and isinstance(document.get("op"), str):
            document["inputs"], document["params"] = named_inputs(document["op"], inputs, params)
        return document


def named_inputs(
    op: str, inputs: Sequence[Any], params: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Inputs and parameters, where parameters that name an input (`overlay_source: logo`) are inputs too.

    Raises:
        ValueError: an input is given twice, or one before it is missing.
    """
    moved, rest = list(inputs), dict(params)
    try:
        kind = operation(op)
    except BadInput:  # found again, with its place, when the graph is checked
        return moved, rest
    for index, slot in enumerate(kind.takes.slots, kind.takes.minimum):
        names = [name for name in (slot.name, *slot.aliases) if name in rest]
        names = [name for name in names if name not in kind.parameters.model_fields]
        if not names:
            continue
        if len(names) > 1 or len(moved) > index:
            raise ValueError(f"{slot.name} is given twice")
        if len(moved) < index:
            raise ValueError(f"{names[0]} is input {index + 1} of {kind.name}: give those before it too")
        named = rest.pop(names[0])
        if not isinstance(named, str):
            raise ValueError(f"{names[0]} should be the name of an input")
        moved.append(named)
    return moved, rest


def _written(value: Any) -> Any:
    """A bit rate in bits a second as people write it, too."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


BitRate = Annotated[str, BeforeValidator(_written)]
"""As encoders take it: `128k`, `2M`, or bits a second."""


class VideoCodecSpec(Strict):
    """How the picture of an output is encoded."""

    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    bitrate: BitRate | None = None
    hardware: bool | None = None


class AudioCodecSpec(Strict):
    """How the sound of an output is encoded."""

    codec: str | None = None
    bitrate: BitRate | None = None


class CodecSpec(Strict):
    """How an output is encoded, where its profile does not say it."""

    video: VideoCodecSpec | None = None
    audio: AudioCodecSpec | None = None


class OutputSpec(Strict):
    """An operation's output that is wanted as a file.

    Attributes:
        destination: where it goes (`store/destinations.py`); without one it stays in the store.
        profile: an encoder profile or preset, by name.
        format: the container; without one, what the destination's extension says.
    """

    id: str
    destination: str | None = Field(default=None, min_length=1, max_length=2048)
    profile: str | None = None
    format: str | None = None
    codec: CodecSpec | None = None


class LimitsSpec(Strict):
    """What a job may come to; what is left out is not limited.

    Attributes:
        max_duration: seconds of any output. max_resolution: pixels of any output, upright or on its side.
        max_cpu_seconds: estimated for the whole job.
        max_memory, max_output_size, max_fetch_size: bytes; of a process, an output, a download.
    """

    max_duration: Length | None = None
    max_resolution: Resolution | None = None
    max_cpu_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    max_memory: Size | None = None
    max_output_size: Size | None = None
    max_fetch_size: Size | None = None


class JobSpec(Strict):
    """A graph of operations over named inputs.

    Attributes:
        priority: 0 to 10; the highest first.
        timeout: seconds the whole job may take.
        debug: accepted and without effect.
    """

    inputs: list[InputSpec] = Field(min_length=1, max_length=MOST_PARTS)
    operations: list[OperationSpec] = Field(min_length=1, max_length=MOST_PARTS)
    outputs: list[OutputSpec] = Field(min_length=1, max_length=MOST_PARTS)
    limits: LimitsSpec = LimitsSpec()
    priority: int = Field(default=5, ge=0, le=10)
    timeout: Length | None = None
    debug: bool = False
