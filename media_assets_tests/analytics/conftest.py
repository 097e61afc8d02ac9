"""A warehouse in memory, for questions to be asked of rows that a test puts into it."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from media_assets.analytics import tables
from media_assets.analytics.connection import Connection


@pytest.fixture
def warehouse() -> Iterator[Connection]:
    """A connection to empty tables."""
    with duckdb.connect() as connection:
        tables.create(connection)
        yield connection
