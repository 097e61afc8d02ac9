"""What work costs: prices from a YAML file, and the sums they give."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import yaml

from media_assets.errors import BadInput
from media_assets.settings import Settings

SHIPPED = Path(__file__).with_name("prices.yaml")
_DAYS_A_MONTH = 365.25 / 12
_GB = 1e9
_MOST = 1e9
_LONGEST_CURRENCY = 12

Amount = TypeVar("Amount", float, "pd.Series[float]")


@dataclass(frozen=True)
class Prices:
    """What things cost.

    Attributes:
        currency: word for it, such as `EUR`.
        cpu_hour: an hour of one core.
        gb_month: 10⁹ bytes in the store for a month.
        gb_egress: 10⁹ bytes that leave.
        kept_days: how long an output is in the store.
        fetched_times: how often an output is fetched.
    """

    currency: str
    cpu_hour: float
    gb_month: float
    gb_egress: float
    kept_days: float
    fetched_times: float

    def cpu(self, seconds: Amount) -> Amount:
        """Of CPU-seconds."""
        return seconds * (self.cpu_hour / 3600)

    def storage(self, written: Amount) -> Amount:
        """Of bytes that were put into the store."""
        return written * (self.gb_month * self.kept_days / _DAYS_A_MONTH / _GB)

    def egress(self, written: Amount) -> Amount:
        """Of the same bytes, as they are fetched."""
        return written * (self.gb_egress * self.fetched_times / _GB)


def prices_of(settings: Settings) -> Prices:
    """The prices of the file that the settings name, or those that are shipped.

    Raises:
        BadInput: the file is not there, or is no table of prices.
    """
    path = settings.prices_path or SHIPPED
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise _wrong(path, f"cannot be read: {type(error).__name__}") from error
    names = [field.name for field in fields(Prices)]
    if not isinstance(document, dict) or set(document) != set(names):
        raise _wrong(path, f"has not exactly {', '.join(names)}")
    return Prices(**{name: _value(path, name, document[name]) for name in names})


def _value(path: Path, name: str, value: Any) -> Any:
    if name == "currency":
        if not (isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST_CURRENCY):
            raise _wrong(path, f"{name} is not a short word")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        raise _wrong(path, f"{name} is not a number from 0 up")
    return float(value)


def _wrong(path: Path, problem: str) -> BadInput:
    return BadInput(problem, where=str(path), hint=f"copy {SHIPPED.name} of the package and change it")
