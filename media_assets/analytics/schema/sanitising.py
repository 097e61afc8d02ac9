"""What may be said of parameters: numbers, booleans and short tokens; no names, places or words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any

Parameter = bool | int | float | str

_INT64 = 1 << 63
_TOKEN = re.compile(r"[a-z0-9_.:x-]{1,24}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,47}")
# A dot before a letter is a file's extension or a host's name, not a number.
_NAME_LIKE = re.compile(r"\.\d*[a-z]")
# One word of free text looks like a token; where a parameter holds words, its name says so.
_WORDS = re.compile(
    r"(^|_)(text|title|name|caption|label|comment|description|subtitles?|lyrics|author|user|email"
    r"|path|file|filename|folder|font|url|uri|host|prompt|query)s?$"
)

PLAIN_PARAMETERS = (
    r'\{("[a-z][a-z0-9_]{0,47}":(-?[0-9][0-9.e+-]{0,17}|true|false|"[a-z0-9_:x-]{1,24}")'
    r'(,"[a-z][a-z0-9_]{0,47}":(-?[0-9][0-9.e+-]{0,17}|true|false|"[a-z0-9_:x-]{1,24}"))*)?\}'
)
"""JSON that `sanitise_parameters` gives back as it is, unless a key says that it holds words."""
WORDY_KEYS = (
    r'(^|[_{,"])(text|title|name|caption|label|comment|description|subtitles?|lyrics|author|user|email'
    r'|path|file|filename|folder|font|url|uri|host|prompt|query)s?":"'
)
"""JSON that may have such a key."""


def sanitise_parameters(parameters: Mapping[str, Any]) -> dict[str, Parameter]:
    """Keep what is a number, a boolean or a short token such as `libx264`, `16:9`, `1280x720`.

    Left out: longer or other strings, strings with a file's extension, any string whose key says that
    it holds words or a place (`text`, `font`, `…_path`), containers, null, and numbers that are not finite.
    """
    kept: dict[str, Parameter] = {}
    for key, given in parameters.items():
        value = given.value if isinstance(given, Enum) else given
        if not isinstance(key, str) or not _is_key(key):
            continue
        if isinstance(value, str):
            if _is_token(value) and not _holds_words(key):
                kept[key] = value
        elif isinstance(value, bool):
            kept[key] = value
        elif isinstance(value, int):
            if -_INT64 <= value < _INT64:
                kept[key] = value
        elif isinstance(value, float) and math.isfinite(value):
            kept[key] = value
    return kept


@lru_cache(1024)
def _is_key(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


@lru_cache(1024)
def _holds_words(key: str) -> bool:
    return _WORDS.search(key) is not None


@lru_cache(1024)
def _is_token(value: str) -> bool:
    return _TOKEN.fullmatch(value) is not None and _NAME_LIKE.search(value) is None
