"""The event of an operation: what was done to media, what it cost, and what it was done after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from media_assets.analytics.schema.columns import (
    HASH,
    NAME,
    amount,
    count,
    flag,
    name,
    optional_amount,
    optional_count,
    optional_name,
    optional_text,
    optional_words,
    parameters,
    pseudonym,
    words,
)
from media_assets.analytics.schema.common import (
    CLASS_NAME,
    CODEC,
    RESOLUTION_CLASSES,
    SIZE_CATEGORIES,
    SOURCE_KINDS,
    Event,
)
from media_assets.analytics.schema.sanitising import Parameter

OUTCOMES = ("rendered", "cached", "failed", "fused")
LONGEST_PREVIOUS = 5


@dataclass(frozen=True, kw_only=True)
class OperationEvent(Event):
    """What one operation was and cost.

    Attributes:
        operation: such as `trim`, `komposition_segment`, `ingest`.
        outcome: `rendered` (work was done), `cached` (the output was there), `failed`, or `fused` (done by
            the command of a later operation of its chain, which has the cost of both).
        success: it has its output.
        error: class of the error, never its words.
        parameters: numbers, booleans and short tokens; see `sanitise_parameters`.
        duration_ms: wall time.
        cpu_seconds: of ffmpeg and its kin.
        peak_memory_bytes: of the largest process.
        bytes_read, bytes_written: of the sources, and of the output; 0 where nothing was done.
        ffmpeg_runs: commands run.
        input_seconds, output_seconds: media time of the inputs and of the output.
        speed: media seconds made per wall second (1 is realtime).
        expected_cpu_seconds, expected_bytes: what the planner said of the command; 0: not asked.
        expected_memory_bytes: the same of the memory.
        predicted_cpu_seconds, predicted_ms, predicted_memory_bytes, predicted_bytes: what past events
            made one expect beforehand.
        output: an effect's id, or a keyed hash of what else was made.
        subject: keyed hash of the partition.
        fingerprint: what the output depends on.
        asset: Dagster's asset key as `a/b`, without the partition.
        workflow: the workflow it belongs to.
        chain: keyed hash of the request and its source: which chain of operations it belongs to.
        position: 1, 2, 3… from the source; 0 where it is in no chain.
        previous: up to five operations before it in its chain, joined by `>`.
        source_kind, source_codec: of the source at the chain's beginning.
        source_bits_per_pixel: of its file; None where it is no video.
        output_format: container, as files are named: `mp4`.
        size_category: of the sources.
        fps, resolution_class, width, height: of the input's picture.
    """

    kind: ClassVar[str] = "operation"
    table: ClassVar[str] = "operation_events"

    operation: str = name()
    outcome: str = words(*OUTCOMES)
    success: bool = flag()
    error: str | None = optional_text(CLASS_NAME, "is not a class name")
    parameters: Mapping[str, Parameter] = parameters()
    duration_ms: float = amount()
    cpu_seconds: float = amount()
    peak_memory_bytes: int = count()
    bytes_read: int = count()
    bytes_written: int = count()
    ffmpeg_runs: int = count()
    input_seconds: float = amount()
    output_seconds: float = amount()
    speed: float | None = optional_amount()
    expected_cpu_seconds: float = amount()
    expected_bytes: int = count()
    expected_memory_bytes: int | None = optional_count()
    predicted_cpu_seconds: float | None = optional_amount()
    predicted_ms: float | None = optional_amount()
    predicted_memory_bytes: int | None = optional_count()
    predicted_bytes: int | None = optional_count()
    source_bits_per_pixel: float | None = optional_amount()
    output: str | None = optional_text(
        rf"effect_[a-z0-9_]{{1,80}}_[0-9a-f]{{16}}|{HASH}", "is not an effect's id"
    )
    subject: str | None = pseudonym("s")
    fingerprint: str | None = optional_text(r"[0-9a-f]{1,64}", "is not hexadecimal")
    asset: str | None = optional_text(r"[A-Za-z0-9_/]{1,200}", "is not an asset key")
    workflow: str | None = optional_name()
    chain: str | None = pseudonym("c")
    position: int = count()
    previous: str | None = optional_text(rf"({NAME}(>{NAME}){{0,4}})?", "is not operations joined by >")
    source_kind: str | None = optional_words(*SOURCE_KINDS)
    source_codec: str | None = optional_text(CODEC, "is not a codec's name")
    output_format: str | None = optional_text(CODEC, "is not a format's name")
    size_category: str | None = optional_words(*SIZE_CATEGORIES, "huge")
    fps: float | None = optional_amount()
    resolution_class: str | None = optional_words(*RESOLUTION_CLASSES, "uhd")
    width: int | None = optional_count()
    height: int | None = optional_count()
