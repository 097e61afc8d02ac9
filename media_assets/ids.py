"""Identifiers, canonical JSON and fingerprints: pure functions, the same on every machine."""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_LOSSLESS_NAME = re.compile(r"[a-z0-9]{1,80}(\.[a-z0-9]{1,7})?")
_MAX_READABLE = 80
_CHUNK = 1 << 20


def source_id(relative_path: str) -> str:
    """The id of a source: `src_` + its normalised name.

    Where normalising loses information, `_` and 8 hex digits of the SHA-256 of the path follow. A
    lossless name has an extension of at most 7 characters, so it never looks like one with a hash.

    Args:
        relative_path: path under the source root with `/` between folders.

    >>> source_id("lookin.mp4")
    'src_lookin_mp4'
    >>> source_id("My Clip.mp4")
    'src_my_clip_mp4_a0767634'
    """
    if _LOSSLESS_NAME.fullmatch(relative_path):
        return "src_" + relative_path.replace(".", "_")
    readable = _readable(relative_path)
    digest = _sha256(relative_path.encode("utf-8", "surrogateescape"))[:8]
    return "_".join(word for word in ("src", readable, digest) if word)


def effect_id(
    operation: str, inputs: Sequence[str], parameters: Mapping[str, Any], *, ordered: bool = True
) -> str:
    """The name of an effect: its operation, input ids and parameters; never content.

    Args:
        operation: name of the operation.
        inputs: ids of sources or effects, in order.
        parameters: JSON values.
        ordered: whether the order of inputs matters to the operation.
    """
    names = list(inputs) if ordered else sorted(inputs)
    document = {"operation": operation, "inputs": names, "parameters": dict(parameters)}
    return f"effect_{operation}_{_sha256(canonical_json(document).encode())[:16]}"


def fingerprint(document: Mapping[str, Any]) -> str:
    """SHA-256 (64 hex digits) of the canonical JSON of everything an output's content depends on."""
    return _sha256(canonical_json(document).encode())


def canonical_json(value: Any) -> str:
    """JSON with one spelling per value: sorted keys, no blanks, 4.0 written as 4, NFC text.

    Raises:
        ValueError: a number that is not finite.
        TypeError: a value that is not JSON.
    """
    return json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def output_name(
    operation: str, inputs: Sequence[str], parameters: Mapping[str, Any], short: str, extension: str
) -> str:
    """A file name a person can read: `{operation}_{inputs}_{params}_{short}.{ext}`, at most 160 bytes."""
    words = [operation, *inputs, *(f"{key}{_word(value)}" for key, value in sorted(parameters.items()))]
    readable = "_".join(word for word in (_readable(w, limit=60) for w in words) if word)
    tail = f"_{short}.{extension}"
    return readable[: 160 - len(tail)].rstrip("_") + tail


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes as 64 hex digits; reads in chunks of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_text(str(key)): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} has no JSON form")
        return int(value) if value.is_integer() else value
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | int):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _text(value: str) -> str:
    return unicodedata.normalize("NFC", value)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else canonical_json(value)


def _readable(text: str, limit: int = _MAX_READABLE) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", ascii_text).strip("_")[:limit].strip("_")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
