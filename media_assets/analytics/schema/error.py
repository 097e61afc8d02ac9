"""The event of an error: at which stage, with which parameters and which kind of input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from media_assets.analytics.schema.columns import (
    flag,
    optional_amount,
    optional_count,
    optional_name,
    optional_text,
    optional_words,
    parameters,
    text,
    words,
)
from media_assets.analytics.schema.common import CLASS_NAME, CODEC, SIZE_CATEGORIES, SOURCE_KINDS, Event
from media_assets.analytics.schema.sanitising import Parameter

STAGES = ("operation", "ingest", "probe", "plan", "document", "delivery")


@dataclass(frozen=True, kw_only=True)
class ErrorEvent(Event):
    """What went wrong, and with what; never its words, which name files.

    Attributes:
        stage: `operation`, `ingest`, `probe`, `plan`, `document` or `delivery`.
        operation: the operation that failed, if it was one.
        error: class of the error.
        retryable: another try may do: no room, no time, a server that did not answer.
        source_kind, source_codec, size_category: of the source.
        output_format: that was to be written.
        fps, width, height: of the input's picture.
        parameters: sanitised.
        workflow: that it belongs to.
    """

    kind: ClassVar[str] = "error"
    table: ClassVar[str] = "error_events"

    stage: str = words(*STAGES)
    operation: str | None = optional_name()
    error: str = text(CLASS_NAME, "is not a class name")
    retryable: bool = flag()
    source_kind: str | None = optional_words(*SOURCE_KINDS)
    source_codec: str | None = optional_text(CODEC, "is not a codec's name")
    output_format: str | None = optional_text(CODEC, "is not a format's name")
    size_category: str | None = optional_words(*SIZE_CATEGORIES, "huge")
    fps: float | None = optional_amount()
    width: int | None = optional_count()
    height: int | None = optional_count()
    parameters: Mapping[str, Parameter] = parameters()
    workflow: str | None = optional_name()
