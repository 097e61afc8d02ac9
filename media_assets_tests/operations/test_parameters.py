"""Durations in every spelling people use, and names that are nearly right."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from media_assets.errors import BadInput, DocumentError
from media_assets.operations.parameters import Duration
from media_assets.operations.registry import operation, operations, read_parameters

_DURATION: TypeAdapter[float] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("spelling", "seconds"),
    [
        (90, 90),
        (12.5, 12.5),
        ("12.5", 12.5),
        ("90s", 90),
        ("90 s", 90),
        (" 90s ", 90),
        ("1500ms", 1.5),
        ("2m", 120),
        ("2min", 120),
        ("1.5h", 5400),
        ("00:05:30.500", 330.5),
        ("05:30", 330),
        ("1:02:03", 3723),
        ("PT1H30M", 5400),
        ("PT0.5S", 0.5),
        ("PT90M", 5400),
        (0, 0),
    ],
)
def test_spellings_of_a_duration(spelling: str | float, seconds: float) -> None:
    assert _DURATION.validate_python(spelling) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "spelling",
    [
        *("", "s", "-5", "5 seconds", "1:60", "1:2:3:4", "PT", "P1D", "PTS", "1e3", "1h30", "NaN", "inf"),
        *("25h", "9" * 5000, -1, 86_401, float("nan"), float("inf"), True, None, [], {}),
    ],
)
def test_what_is_no_duration(spelling: object) -> None:
    with pytest.raises(ValidationError):
        _DURATION.validate_python(spelling)


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_spellings_agree(hours: int, minutes: int, seconds: int, millis: int) -> None:
    total = hours * 3600 + minutes * 60 + seconds + millis / 1000
    clock = f"{hours}:{minutes:02}:{seconds:02}.{millis:03}"
    for text in (
        clock,
        f"PT{hours}H{minutes}M{seconds}.{millis:03}S",
        f"{total:.3f}s",
        f"{total * 1000:.0f}ms",
    ):
        assert _DURATION.validate_python(text) == pytest.approx(total)


@given(st.text() | st.binary() | st.lists(st.integers()) | st.none())
def test_anything_else_is_refused_and_nothing_breaks(value: object) -> None:
    with contextlib.suppress(ValidationError):
        assert 0 <= _DURATION.validate_python(value) <= 86_400


def _findings(name: str, values: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(DocumentError) as caught:
        read_parameters(operation(name), values, "$.params")
    return caught.value.findings


def test_an_unknown_parameter_is_told_the_nearest() -> None:
    assert _findings("trim", {"strat": 1}) == [
        ("$.params.strat", "trim has no such parameter; it has start")
    ]


def test_every_problem_is_found_with_its_path() -> None:
    places = {place for place, _ in _findings("trim", {"start": "soon", "duration": -1, "colour": 1})}
    assert places == {"$.params.start", "$.params.duration", "$.params.colour"}


def test_an_operation_without_parameters_says_so() -> None:
    ((place, text),) = _findings("concatenate", {"x": 1})
    assert (place, text) == ("$.params.x", "concatenate has no such parameter; it has none")


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("trimm", "trim"),
        ("crossfade_trans", "crossfade_transition"),
        ("normalise_audio", "normalize_audio"),
    ],
)
def test_an_unknown_operation_is_told_the_nearest(misspelt: str, meant: str) -> None:
    with pytest.raises(BadInput, match=meant):
        operation(misspelt)


def test_an_operation_like_none_is_told_them_all() -> None:
    with pytest.raises(BadInput) as caught:
        operation("xyzzy")
    assert all(name in str(caught.value) for name in operations())
