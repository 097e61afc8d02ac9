"""Colours as documents write them."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_HEX = re.compile(r"(?:#|0x)([0-9a-f]{6})([0-9a-f]{2})?")
_SHORT_HEX = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])")
# The names of CSS 2.1, some that people use beside them, and their values in CSS Color Level 4.
_NAMES = {
    "aqua": "00ffff",
    "beige": "f5f5dc",
    "black": "000000",
    "blue": "0000ff",
    "brown": "a52a2a",
    "cyan": "00ffff",
    "fuchsia": "ff00ff",
    "gold": "ffd700",
    "gray": "808080",
    "green": "008000",
    "grey": "808080",
    "indigo": "4b0082",
    "ivory": "fffff0",
    "lime": "00ff00",
    "magenta": "ff00ff",
    "maroon": "800000",
    "navy": "000080",
    "olive": "808000",
    "orange": "ffa500",
    "pink": "ffc0cb",
    "purple": "800080",
    "red": "ff0000",
    "salmon": "fa8072",
    "silver": "c0c0c0",
    "skyblue": "87ceeb",
    "teal": "008080",
    "tomato": "ff6347",
    "turquoise": "40e0d0",
    "violet": "ee82ee",
    "white": "ffffff",
    "yellow": "ffff00",
}


def color(value: Any) -> Any:
    """Read a colour: a CSS name, `#rgb`, `#rrggbb`, `#rrggbbaa` (`0x` for `#`), or one with `@opacity`.

    Returns:
        `#rrggbb`, or `#rrggbbaa` where it is not opaque.

    Raises:
        ValueError: the text is none of these.
    """
    if not isinstance(value, str):
        return value
    text, _, opacity = value.strip().lower().partition("@")
    if match := _SHORT_HEX.fullmatch(text):
        text = "#" + "".join(digit * 2 for digit in match.groups())
    match = _HEX.fullmatch(text)
    if text == "transparent":
        rgb, alpha = "000000", "00"
    elif match:
        rgb, alpha = match[1], match[2] or "ff"
    elif text in _NAMES:
        rgb, alpha = _NAMES[text], "ff"
    else:
        raise ValueError(f"{value!r} is not a colour such as white, #e08020 or black@0.5")
    if opacity:
        if not re.fullmatch(r"0|1|[01]?\.\d+", opacity) or float(opacity) > 1:
            raise ValueError(f"{value!r}: opacity is from 0 to 1")
        alpha = f"{round(float(opacity) * 255):02x}"
    return f"#{rgb}" if alpha == "ff" else f"#{rgb}{alpha}"


Color = Annotated[
    str,
    BeforeValidator(color, json_schema_input_type=str),
    Field(pattern="^#[0-9a-f]{6}([0-9a-f]{2})?$", json_schema_extra={"x-type": "Color"}),
]
"""A colour, from a name (`white`), `#rrggbb`, or either with an opacity (`black@0.5`, `#rrggbbaa`)."""


def opaque(value: str) -> str:
    """A colour without its opacity: what stands on a picture that has no transparency."""
    return value[:7]
