"""What each synthetic operation was given, took and gave: inputs, parameters, failures, durations."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from media_assets.analytics.synthetic.planted import Guarded, Planted
from media_assets.analytics.synthetic.sequences import Shape, coded

_VARIANTS = 48
"""Sets of parameters that each operation has been given, at the most."""
_HABIT = 0.6
"""Chance that a parameter has the value that most people use."""
_FAILING = 0.015
_ERROR = "TimeLimitExceeded"
_CACHED = 0.22
_SIZES = ((640, 360), (854, 480), (1280, 720), (1920, 1080), (3840, 2160))
_SIZE_SHARES = (0.1, 0.1, 0.3, 0.42, 0.08)
_CODECS: Mapping[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "video": (("h264", "hevc", "prores", "vp9"), (0.7, 0.15, 0.08, 0.07)),
    "audio": (("aac", "flac", "mp3", "pcm_s16le"), (0.4, 0.2, 0.2, 0.2)),
    "image": (("mjpeg", "png"), (0.7, 0.3)),
}
_FORMATS: Mapping[str, str] = {"video": "mp4", "audio": "m4a", "image": "mp4"}
_RATES = (24.0, 25.0, 30.0, 60.0)
_NOISE = 0.22
"""Standard deviation of the logarithm of how long the same work takes."""
_MEGABYTES_PER_MEGAPIXEL_SECOND = 0.35


class Variants:
    """The sets of parameters that each operation is given, as JSON, and which of them people prefer."""

    def __init__(self, planted: Planted, names: tuple[str, ...], chance: np.random.Generator) -> None:
        self.texts: list[str] = []
        self.values: list[dict[str, object]] = []
        self._first: list[int] = []
        self._count: list[int] = []
        for name in names:
            self._first.append(len(self.texts))
            for _ in range(_VARIANTS):
                values = _parameters(planted, name, chance)
                self.values.append(values)
                self.texts.append(json.dumps(values, separators=(",", ":")))
            self._count.append(_VARIANTS)

    def drawn(self, operations: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        """A set for each operation (given by number)."""
        first, count = np.array(self._first), np.array(self._count)
        drawn: np.ndarray = first[operations] + np.floor(
            chance.random(len(operations)) * count[operations]
        ).astype(int)
        return drawn

    def matching(self, parameter: str, value: str) -> np.ndarray:
        """Which sets have a parameter of that value, `odd` being any odd number."""
        return np.array([_is(values.get(parameter), value) for values in self.values])


def inputs(frame: pd.DataFrame, chance: np.random.Generator) -> pd.DataFrame:
    """The source of each request: width, height, fps, codec, seconds, bytes; nothing for what it lacks."""
    requests = int(frame["chain"].max()) + 1 if len(frame) else 0
    kinds = frame.groupby("chain")["source_kind"].first().reindex(range(requests)).cat.codes.to_numpy()
    size = chance.choice(len(_SIZES), requests, p=_SIZE_SHARES)
    width = np.array([w for w, _ in _SIZES])[size]
    height = np.array([h for _, h in _SIZES])[size]
    audio, image = kinds == 1, kinds == 2
    seconds = np.exp(chance.normal(3.6, 0.9, requests))
    seconds[audio] *= 8.0
    seconds[image] = 5.0
    codec = np.empty(requests, dtype=object)
    for number, (names, shares) in enumerate(_CODECS.values()):
        mine = kinds == number
        codec[mine] = np.array(names, dtype=object)[chance.choice(len(names), mine.sum(), p=shares)]
    fps = np.array(_RATES)[chance.choice(len(_RATES), requests, p=(0.2, 0.4, 0.35, 0.05))]
    megapixels = np.where(audio, 0.05, width * height / 1e6)
    mega = seconds * megapixels * _MEGABYTES_PER_MEGAPIXEL_SECOND * chance.lognormal(0, 0.4, requests)
    return pd.DataFrame(
        {
            "width": np.where(audio, 0, width),
            "height": np.where(audio, 0, height),
            "fps": np.where(audio | image, 0.0, fps),
            "source_codec": pd.Categorical(codec),
            "input_seconds": seconds,
            "bytes_read": (mega * 1e6).astype(np.int64) + 1000,
            "megapixels": megapixels,
        }
    )


def outcomes(
    frame: pd.DataFrame,
    sources: pd.DataFrame,
    planted: Planted,
    shape: Shape,
    chance: np.random.Generator,
) -> pd.DataFrame:
    """Rows with parameters, outcome, error, durations and sizes; what follows a failure never happened."""
    names = tuple(map(str, frame["operation"].cat.categories))
    operation = frame["operation"].cat.codes.to_numpy()
    given = sources.iloc[frame["chain"].to_numpy()].reset_index(drop=True)
    variants = Variants(planted, names, chance)
    variant = variants.drawn(operation, chance)
    count = len(frame)
    failed = chance.random(count) < _FAILING
    errors = [_ERROR, *dict.fromkeys(guard.error for guard in planted.guards)]
    error = np.where(failed, 0, -1)
    for guard in planted.guards:
        guarded = _guarded(guard, names, operation, variants, variant, given)
        hit = guarded & (chance.random(count) < guard.share)
        error = np.where(hit, errors.index(guard.error), error)
        failed = failed | hit
    fixed = np.array([planted.costs[name].fixed for name in names])[operation]
    rate = np.array([planted.costs[name].rate for name in names])[operation]
    took = (fixed + rate * given["input_seconds"] * given["megapixels"]).to_numpy()
    late = frame["seconds"].to_numpy() > shape.until - shape.days * 86400 / 4
    slow = late & (operation == names.index(planted.slowed)) if planted.slowed in names else late & False
    took = took * np.where(slow, planted.slowdown, 1.0) * chance.lognormal(0.0, _NOISE, count)
    cached = (chance.random(count) < _CACHED) & ~failed & ~frame["abusive"].to_numpy()
    took = np.where(cached, chance.uniform(2, 9, count), np.where(failed, took * 0.4, took))
    made = np.where(failed, 0, given["bytes_read"] * chance.uniform(0.4, 0.9, count)).astype(np.int64)
    rows = frame.assign(
        parameters=coded(*_distinct(variants.texts, variant)),
        outcome=pd.Categorical(np.where(failed, "failed", np.where(cached, "cached", "rendered"))),
        success=~failed,
        error=coded(error, errors),
        duration_ms=took,
        cpu_seconds=np.where(cached, 0.0, took / 1000 * chance.uniform(1.2, 1.7, count)),
        peak_memory_bytes=np.where(cached, 0, 60e6 + given["megapixels"] * 90e6).astype(np.int64),
        bytes_written=made,
        output_seconds=np.where(failed, 0.0, given["input_seconds"]),
        output_format=frame["source_kind"].map(_FORMATS).astype("category"),
        **{
            name: given[name].to_numpy()
            for name in ("width", "height", "fps", "input_seconds", "bytes_read")
        },
        source_codec=given["source_codec"].array,
    )
    return rows[_happened(frame["chain"].to_numpy(), failed)]


def _distinct(texts: list[str], chosen: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Codes and categories: texts that are equal are one category."""
    categories = list(dict.fromkeys(texts))
    number = {text: i for i, text in enumerate(categories)}
    return np.array([number[text] for text in texts])[chosen], categories


def _happened(chain: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Whether no operation before it in its chain has failed."""
    before = np.cumsum(failed) - failed
    first = np.r_[True, chain[1:] != chain[:-1]]
    at_start = np.maximum.accumulate(np.where(first, np.arange(len(chain)), 0))
    happened: np.ndarray = before == before[at_start]
    return happened


def _guarded(
    guard: Guarded,
    names: tuple[str, ...],
    operation: np.ndarray,
    variants: Variants,
    variant: np.ndarray,
    given: pd.DataFrame,
) -> np.ndarray:
    if guard.operation not in names:
        return np.zeros(len(operation), dtype=bool)
    mine = operation == names.index(guard.operation)
    if guard.field in given:
        return np.asarray(mine & (given[guard.field] == guard.value).to_numpy())
    return np.asarray(
        mine & variants.matching(guard.field.removeprefix("parameters."), guard.value)[variant]
    )


def _parameters(planted: Planted, operation: str, chance: np.random.Generator) -> dict[str, object]:
    values = dict(planted.habits.get(operation, {}))
    for name, others in planted.spread.get(operation, {}).items():
        if chance.random() > _HABIT:
            values[name] = others[int(chance.integers(len(others)))]
    return values


def _is(value: object, wanted: str) -> bool:
    if wanted == "odd":
        return isinstance(value, int) and value % 2 == 1
    return str(value) == wanted
