"""Synthetic events in the warehouse's tables: the same ones for the same seed and size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.synthetic.misuse import misuses
from media_assets.analytics.synthetic.planted import PLANTED, Planted
from media_assets.analytics.synthetic.rows import inputs, outcomes
from media_assets.analytics.synthetic.sequences import Shape, coded, operations_performed

_AT_ONCE = 1_000_000
_OPTED_OUT = 100
"""One user in so many has opted out."""

# What a row's number and the seed make unique: ids are UUIDv7, so they begin with the time.
_INSERT = """
INSERT INTO operation_events BY NAME
SELECT
    CAST(
        lpad(to_hex(CAST(seconds * 1000 AS BIGINT)), 12, '0') || '7'
        || lpad(to_hex(number % 4096), 3, '0') || '8' || lpad(to_hex($seed % 4096), 3, '0')
        || lpad(to_hex(number), 12, '0') AS UUID
    ) AS event_id,
    CAST(make_timestamp(CAST(seconds * 1e6 AS BIGINT)) AS TIMESTAMP) AS "timestamp",
    'synthetic' AS writer,
    number + 1 AS "sequence",
    "user",
    'dagster' AS platform,
    'linux-x86_64-2' AS machine,
    operation,
    outcome,
    success,
    error,
    CAST(CAST(parameters AS VARCHAR) AS JSON) AS parameters,
    duration_ms,
    cpu_seconds,
    peak_memory_bytes,
    bytes_read,
    bytes_written,
    CASE WHEN outcome = 'cached' THEN 0 ELSE 1 END AS ffmpeg_runs,
    input_seconds,
    output_seconds,
    CASE WHEN outcome = 'rendered' THEN output_seconds / (duration_ms / 1000) END AS speed,
    0.0 AS expected_cpu_seconds,
    0 AS expected_bytes,
    'out_' || lpad(to_hex(number), 16, '0') AS output,
    CASE WHEN "user" IS NOT NULL THEN 'subject_' || chain END AS subject,
    CASE WHEN "user" IS NOT NULL THEN 'chain_' || chain END AS chain,
    CASE WHEN "user" IS NOT NULL THEN 'run_' || chain END AS run,
    position,
    CASE WHEN "user" IS NOT NULL THEN previous END AS previous,
    source_kind,
    source_codec,
    output_format,
    CASE
        WHEN bytes_read < 1e6 THEN 'tiny' WHEN bytes_read < 1e7 THEN 'small'
        WHEN bytes_read < 1e8 THEN 'medium' WHEN bytes_read < 1e9 THEN 'large' ELSE 'huge'
    END AS size_category,
    nullif(fps, 0) AS fps,
    CASE
        WHEN height = 0 THEN NULL WHEN height < 720 THEN 'sd' WHEN height < 1080 THEN 'hd'
        WHEN height < 1440 THEN 'fullhd' WHEN height < 2160 THEN 'qhd' ELSE 'uhd'
    END AS resolution_class,
    nullif(width, 0) AS width,
    nullif(height, 0) AS height
FROM synthetic
"""


def generate(
    connection: Connection,
    events: int,
    *,
    seed: int = 1,
    days: int = 90,
    until: datetime = datetime(2026, 11, 1, tzinfo=UTC),
    planted: Planted = PLANTED,
) -> Planted:
    """Put about `events` operation events of `days` days before `until` into the warehouse.

    Returns:
        What was planted, with the abusers' hashes.
    """
    shape = Shape(events, days, until.timestamp())
    chance = np.random.default_rng(seed)
    performed, abusers = operations_performed(planted, shape, chance)
    sources = inputs(performed, chance)
    hashes = _hashes(seed, int(performed["user"].max()) + 1)
    hidden = np.arange(len(hashes)) % _OPTED_OUT == 7
    hidden[list(abusers)] = False
    first, requests = 0, len(sources)
    abuses = {hashes[index]: "operations" for index in abusers}

    def insert(rows: pd.DataFrame) -> None:
        nonlocal first
        user = rows["user"].to_numpy()
        codes = np.where(hidden[user], -1, user)
        number = np.arange(first, first + len(rows))
        connection.register("synthetic", rows.assign(user=coded(codes, hashes), number=number))
        connection.execute(_INSERT, {"seed": seed})
        connection.unregister("synthetic")
        first += len(rows)

    for part in _parts(performed):
        insert(outcomes(part, sources, planted, shape, chance))
    for misuse in misuses(planted, shape, len(hashes), hidden, seed):
        insert(misuse.rows.assign(chain=misuse.rows["chain"] + requests))
        requests += len(misuse.rows)
        abuses |= {hashes[index]: misuse.measure for index in misuse.users}
    return replace(planted, abusers=tuple(abuses), abuses=abuses)


def _parts(performed: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Blocks of about a million rows that break no chain."""
    chains = performed["chain"].to_numpy()
    start = 0
    while start < len(chains):
        end = min(start + _AT_ONCE, len(chains))
        while end < len(chains) and chains[end] == chains[end - 1]:
            end += 1
        yield performed.iloc[start:end].reset_index(drop=True)
        start = end


def _hashes(seed: int, count: int) -> list[str]:
    """Made-up users, in the form of keyed hashes."""
    return [f"u_synthetic_{hashlib.sha256(f'{seed} {i}'.encode()).hexdigest()[:32]}" for i in range(count)]
