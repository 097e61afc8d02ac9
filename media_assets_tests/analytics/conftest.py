"""Warehouses in memory: an empty one, and such of synthetic events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import duckdb
import pytest

from media_assets.analytics import tables
from media_assets.analytics.connection import Connection
from media_assets.analytics.rollups import Rollup, refresh
from media_assets.analytics.synthetic.generate import generate
from media_assets.analytics.synthetic.planted import PLANTED, Planted


@pytest.fixture
def warehouse() -> Iterator[Connection]:
    """A connection to empty tables."""
    with duckdb.connect() as connection:
        tables.create(connection)
        yield connection


@contextmanager
def synthetic(
    size: int, *, seed: int, planted: Planted = PLANTED, rollups: Iterable[Rollup] = ()
) -> Iterator[Connection]:
    """A connection to a warehouse of about so many synthetic operations, with some sums of them."""
    with duckdb.connect() as connection:
        tables.create(connection)
        generate(connection, size, seed=seed, planted=planted)
        refresh(connection, rollups)
        yield connection
