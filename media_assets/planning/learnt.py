"""What past operations taught: curves from what is known beforehand to what this machine takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Quantity = Literal["cpu_seconds", "seconds", "memory_bytes", "disk_bytes"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
"""CPU-seconds, seconds on the clock, bytes of memory at the most, bytes of the output."""

Basis = Literal["planned", "unplanned"]
"""Whether the planner said beforehand, by the shipped speeds, what an operation would take."""

EVERY = ""
"""The operation under which the curve of all operations together stands."""

_SOUND_MEGAPIXELS = 0.05
_WORTH = {
    **{"hevc": 1.7, "vp9": 1.5, "av1": 2.0, "vp8": 0.9, "mpeg4": 0.4, "mpeg2video": 0.35, "h263": 0.4},
    **{"mjpeg": 0.1, "prores": 0.03, "dnxhd": 0.03, "ffv1": 0.03, "rawvideo": 0.01},
}
"""How many bits of H.264 one of another codec's is about worth."""
DETAIL = "detail (given)"
_TRAITS = ("source_codec", "output_format")
GIVEN = "(given)"
"""Ends the names of traits that are of what an operation is given, and that all operations have."""
LEAST = 0.1
"""A part of its rate below which a curve does not fall, whatever its fixed part says."""


@dataclass(frozen=True)
class Influence:
    """What one trait of an operation (a parameter, the source's codec) does: a factor's logarithm.

    Attributes:
        trait: its name, as `traits` gives it.
        levels: the logarithm for each value, as text; empty where the trait is a number.
        slope: what one more of a number adds to the logarithm.
        centre: the number at which nothing is added.
        least, most: numbers beyond which nobody has been: there it is as at the nearer of them.
    """

    trait: str
    levels: Mapping[str, float] = field(default_factory=dict)
    slope: float = 0.0
    centre: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def of(self, traits: Mapping[str, Any]) -> float:
        """The logarithm of the factor for an operation of those traits."""
        value = traits.get(self.trait)
        if self.levels:
            return self.levels.get(level(value), 0.0)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return 0.0
        return self.slope * (min(max(value, self.least), self.most) - self.centre)


@dataclass(frozen=True)
class Predicted:
    """What will probably be measured; four of five measurements are from `low` to `high`."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """A quantity of an operation: fixed + rate x scale, times the factors of its traits.

    Attributes:
        low, high: factors of the value between which four of five measurements are.
        events: measurements that it was learnt from.
    """

    fixed: float
    rate: float
    influences: tuple[Influence, ...] = ()
    low: float = 1.0
    high: float = 1.0
    events: int = 0

    def base(self, scale: float) -> float:
        """The value without the factors of any trait."""
        return max(self.fixed + self.rate * scale, LEAST * self.rate * scale)

    def at(self, scale: float, traits: Mapping[str, Any]) -> Predicted:
        """The value at `scale`, which is the shipped estimate or the work (see `scales`)."""
        value = self.base(scale) * math.exp(sum(influence.of(traits) for influence in self.influences))
        return Predicted(value, value * self.low, value * self.high)


Curves = Mapping[Quantity, Mapping[str, Curve]]


@dataclass(frozen=True)
class Factors:
    """How this machine differs from the shipped speeds: curves by quantity and operation.

    Attributes:
        planned: curves over the shipped estimate of the same quantity (of CPU-seconds for seconds).
        unplanned: curves over the work, for operations that the planner gives no estimate of.
    """

    planned: Curves = field(default_factory=dict)
    unplanned: Curves = field(default_factory=dict)

    def curve(self, quantity: Quantity, operation: str, basis: Basis = "planned") -> Curve | None:
        """The curve of an operation, that of all operations without one of its own, or None."""
        curves = (self.planned if basis == "planned" else self.unplanned).get(quantity, {})
        return curves.get(operation) or (curves.get(EVERY) if basis == "planned" else None)

    def events(self, operation: str) -> int:
        """How many renders of an operation its own curve of CPU-seconds was learnt from."""
        curve = self.planned.get("cpu_seconds", {}).get(operation)
        return curve.events if curve else 0

    def predict(
        self, operation: str, quantity: Quantity, scale: float, traits: Mapping[str, Any]
    ) -> Predicted | None:
        """What an operation will take by what was learnt, over its shipped estimate; None: nothing was."""
        curve = self.curve(quantity, operation)
        return curve.at(scale, traits) if curve and scale > 0 else None


def level(value: Any) -> str:
    """A trait's value as text: `true`, `18`, `h264`; empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def traits(parameters: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What of an operation may tell how much it takes: its parameters, and what it is given.

    Args:
        parameters: of the operation; what is no number, boolean or text tells nothing.
        given: fields as in its event: `source_codec`, `source_bits_per_pixel`, `output_format`,
            `width`, `height`, `fps`.
    """
    found: dict[str, Any] = {
        name: value for name, value in parameters.items() if isinstance(value, (bool, int, float, str))
    }
    found |= {f"{name} {GIVEN}": given.get(name) for name in _TRAITS}
    pixels = (given.get("width") or 0) * (given.get("height") or 0)
    # Its bits per pixel say how much there is to see in a source, better codecs needing fewer of them.
    bits = (given.get("source_bits_per_pixel") or 0.0) * _WORTH.get(str(given.get("source_codec")), 1.0)
    numbers = {"pixels": pixels, "fps": given.get("fps"), "detail": bits}
    return found | {f"{name} {GIVEN}": math.log(value) for name, value in numbers.items() if value}


def basis(given: Mapping[str, Any]) -> Basis:
    """Whether an event tells of an operation that the planner gave an estimate of."""
    return "planned" if (given.get("expected_cpu_seconds") or 0.0) > 0 else "unplanned"


def scales(given: Mapping[str, Any]) -> dict[Quantity, float]:
    """What each quantity is learnt over: the shipped estimate, or the work where there is none.

    The work is input seconds times megapixels (sound counts as a twentieth of one) for times, megapixels
    for memory, and the bytes of the sources for the output's.
    """
    if basis(given) == "planned":
        cpu = float(given["expected_cpu_seconds"])
        return {
            "cpu_seconds": cpu,
            "seconds": cpu,
            "memory_bytes": float(given.get("expected_memory_bytes") or 0),
            "disk_bytes": float(given.get("expected_bytes") or 0),
        }
    megapixels = (given.get("width") or 0) * (given.get("height") or 0) / 1e6 or _SOUND_MEGAPIXELS
    work = (given.get("input_seconds") or 0.0) * megapixels
    return {
        "cpu_seconds": work,
        "seconds": work,
        "memory_bytes": megapixels,
        "disk_bytes": float(given.get("bytes_read") or 0),
    }
