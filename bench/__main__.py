"""Run every benchmark, print the figures beside their aims, and keep them as JSON in bench/results/."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import analytics, batch, events, jobs, komposition, prediction, recovery, registry, scale
from media_assets.console import print_table
from media_assets.media import binaries
from media_assets.settings import Settings

RESULTS = Path(__file__).parent / "results"
AIMS = {
    "cold_to_hand": ("cold render / one hand-written command", 0.95),
    "cold_to_moviepy": ("cold render / MoviePy", 0.17),
    "cold_to_apart": ("cold render / one ffmpeg per operation", 0.27),
    "changed_to_cold": ("one clip changed / cold", 0.08),
    "crossfaded_changed_to_cold": ("a crossfaded clip changed / cold", 0.13),
    "music_changed_to_cold": ("music changed / cold", 0.15),
    "unchanged_to_cold": ("nothing changed / cold", 0.02),
    "preview_to_cold": ("preview / cold", 0.25),
    "vmaf_lost_to_hand": ("VMAF lost to the hand-written command", 0.0),
    "memory_at_200_to_at_10": ("peak memory, 200 segments / 10", 1.1),
    "segment_at_200_to_at_10": ("seconds a segment, of 200 / of 10", 1.1),
    "chain_to_hand": ("five operations / one hand-written command", 1.05),
    "chain_to_apart": ("five operations / one ffmpeg per operation", 0.35),
    "copied_to_encoded": ("copied trim of a minute / encoded", 0.10),
    "estimate_error": ("estimated CPU-seconds, median error", 0.5),
    "estimate_error_fitted": ("the same, fitted to this machine", 0.3),
    "ingest_batch_to_single": ("100 sources ingested in one run / 100 runs", 0.10),
    "thumbnail_batch_to_single": ("100 thumbnails in one run / 100 runs", 0.10),
    "impact_100k_ms": ("impact of what all is made from, 100,000 edges, ms", 100.0),
    "why_100k_ms": ("why, 100,000 edges, ms", 100.0),
    "recover_5k_ms_a_record": ("recover, 5,000 records, ms each", 3.0),
    "rescan_100k_ms_a_file": ("rescan of 100,000 unchanged files over scandir and stat, ms a file", 0.05),
    "tick_10k_seconds": ("a tick of all sensors, 10,000 sources x 6 assets, nothing to do, s", 2.0),
    "slowest_page_10k_seconds": ("slowest page of the UI at 10,000 partitions, s", 5.0),
    "write_p99_ms": ("an event written, 8 writers, a loader, 4 readers, p99, ms", 20.0),
    "events_lost": ("events lost of 80,000", 0),
    "events_twice": ("events stored twice of 80,000", 0),
    "acknowledged_lost": ("acknowledged events lost by 50 kills", 0),
    "seconds_to_load_100k": ("100,000 events loaded, s", 1.0),
    "prediction_error_cpu_seconds": ("predicted CPU-seconds, renders of other files, median error", 0.30),
    "prediction_error_seconds": ("the same of seconds on the clock", 0.30),
    "prediction_error_memory_bytes": ("the same of memory", 0.30),
    "prediction_error_disk_bytes": ("the same of the size of the output", 0.30),
    "questions_1m_seconds": ("all questions of a million events, sums made from nothing, s", 60.0),
    "questions_1m_gigabytes": ("the same, peak memory, GB", 4.29),
    "sums_refreshed_1m_to_full": ("sums after 1,000 of a million events more / from nothing, CPU", 0.05),
    "refreshed_1m_to_full": ("the same with every answer", 0.05),
    "abuse_1m_missed": ("planted abusers not found, of 43", 0),
    "abuse_1m_false_users": ("others taken for abusers, share", 0.005),
    "recommended_1m_last_to_ours": ("mrr of what follows the last operation / of recommendations", 0.95),
    "ingest_last_to_first": ("ingest of 10,000, a file of the last thousand / of the first", 1.1),
}
BENCHMARKS = {
    "komposition": komposition.run,
    "batch": batch.run,
    "jobs": jobs.run,
    "registry": registry.run,
    "recovery": recovery.run,
    "scale": scale.run,
    "prediction": prediction.run,
    "events": events.run,
    "analytics": analytics.run,
}


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="only these")
    parser.add_argument("--runs", type=int, default=5, help="pairs (5)")
    parser.add_argument(
        "--part",
        action="append",
        choices=[*komposition.PARTS, *scale.PARTS],
        help="of komposition or scale, only these",
    )
    parser.add_argument(
        "--size",
        action="append",
        type=int,
        help="of scale or analytics, only these numbers of sources or events",
    )
    parser.add_argument("--large", action="store_true", help="of analytics, ten million events, too")
    options = parser.parse_args()
    parted = {
        "komposition": lambda: komposition.run(options.runs, _of(options.part, komposition.PARTS)),
        "scale": lambda: scale.run(
            options.runs, _of(options.part, scale.PARTS), options.size or scale.SIZES
        ),
        "analytics": lambda: analytics.run(
            options.runs,
            [*(options.size or analytics.SIZES), *([analytics.LARGE] if options.large else [])],
        ),
    }
    found = {
        name: parted[name]() if name in parted else BENCHMARKS[name](options.runs)
        for name in options.names or BENCHMARKS
    }
    settings = Settings.from_environment()
    moment = datetime.now(UTC)
    document = {
        "time": moment.isoformat(timespec="seconds"),
        "machine": {
            "cores": settings.workers,
            "system": platform.system(),
            "processor": platform.machine(),
            "python": platform.python_version(),
            "ffmpeg": binaries.ffmpeg(settings).version,
        },
        "results": found,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{moment:%Y-%m-%dT%H%M%SZ}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document, indent=1))
    rows = []
    for name, (text, aim) in AIMS.items():
        for result in found.values():
            if name in result:
                rows.append((text, result[name], aim, "yes" if result[name] <= aim else "no"))
    print_table(["ratio", "median", "aim", "met"], rows)


def _of(asked: Sequence[str] | None, parts: Sequence[str]) -> Sequence[str]:
    """Those parts that were asked for, or all of them."""
    return [part for part in parts if part in (asked or parts)]


if __name__ == "__main__":
    main()
