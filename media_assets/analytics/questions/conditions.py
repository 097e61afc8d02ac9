"""Conditions on an operation's parameters and input, in words, as data, in SQL and for one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

PARAMETERS = "parameters."
CATEGORIES = ("source_codec", "output_format", "size_category", "resolution_class", "source_kind")
NUMBERS = ("width", "height", "fps")
TESTS = ("odd", "is", "at_least", "at_most")

_WORDS = {
    "odd": "odd {field}",
    "is": "{field} {value}",
    "at_least": "{field} from {value} up",
    "at_most": "{field} up to {value}",
}
_NAMES = {
    "source_codec": "codec",
    "output_format": "format",
    "size_category": "size",
    "resolution_class": "resolution",
    "source_kind": "kind of source",
}


@dataclass(frozen=True)
class Condition:
    """One condition.

    Attributes:
        field: a column of events (`source_codec`, `width`, …) or `parameters.<name>`.
        test: `odd` (a whole number that is), `is`, `at_least` or `at_most`.
        value: that it is compared with; nothing for `odd`. `is` compares as text is written in JSON.
    """

    field: str
    test: str
    value: str | float = ""

    @property
    def text(self) -> str:
        """Such as `odd width`, `codec prores`, `fps from 60 up`.

        >>> Condition("parameters.width", "odd").text
        'odd width'
        """
        name = _NAMES.get(self.field, self.field.removeprefix(PARAMETERS).replace("_", " "))
        value = f"{self.value:g}" if isinstance(self.value, float) else self.value
        return _WORDS[self.test].format(field=name, value=value)

    def to_json(self) -> dict[str, Any]:
        """The condition as a JSON object."""
        return asdict(self)

    def holds(self, parameters: Mapping[str, object], media: Mapping[str, object]) -> bool:
        """Whether it holds of an operation's parameters and of what is known of its input."""
        given = parameters.get(self.field.removeprefix(PARAMETERS))
        return passes(given if self.field.startswith(PARAMETERS) else media.get(self.field), self)

    def sql(self) -> tuple[str, list[object]]:
        """The condition on a row of `operation_events`, and the values of its question marks."""
        if self.field.startswith(PARAMETERS):
            path: list[object] = [f'$."{self.field.removeprefix(PARAMETERS)}"']
            kind, value = "json_type(parameters, ?)", "json_extract_string(parameters, ?)"
            whole = f"{kind} IN ('BIGINT', 'UBIGINT') AND TRY_CAST({value} AS BIGINT) % 2 <> 0"
            number = f"{kind} IN ('BIGINT', 'UBIGINT', 'DOUBLE') AND TRY_CAST({value} AS DOUBLE)"
            return {
                "odd": (whole, path * 2),
                "is": (f"{value} = ?", [*path, self.value]),
                "at_least": (f"{number} >= ?", [*path * 2, self.value]),
                "at_most": (f"{number} <= ?", [*path * 2, self.value]),
            }[self.test]
        if self.field not in (*CATEGORIES, *NUMBERS):
            raise ValueError(f"{self.field} is no field of events")
        given: list[object] = [self.value]
        return {
            "odd": (f"{self.field} % 2 = 1", []),
            "is": (f"CAST({self.field} AS VARCHAR) = ?", given),
            "at_least": (f"{self.field} >= ?", given),
            "at_most": (f"{self.field} <= ?", given),
        }[self.test]


def passes(given: object, condition: Condition) -> bool:
    """Whether a value passes the condition's test; what is not there passes none."""
    if given is None:
        return False
    if condition.test == "is":
        return spelt(given) == condition.value
    if isinstance(given, bool) or not isinstance(given, int | float):
        return False
    if condition.test == "odd":
        return isinstance(given, int) and given % 2 == 1
    bound = float(condition.value)
    return given >= bound if condition.test == "at_least" else given <= bound


def spelt(value: object) -> str:
    """A value as JSON and DuckDB write it.

    >>> [spelt(one) for one in (True, 3, 0.5, "h264")]
    ['true', '3', '0.5', 'h264']
    """
    return str(value).lower() if isinstance(value, bool) else str(value)
