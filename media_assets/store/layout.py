"""Where outputs lie: a folder per fingerprint, among those that begin with the same two digits."""

from __future__ import annotations

import re
from pathlib import Path

SIDECAR = "sidecar.json"
"""The name of the sidecar in an output's folder."""

SHARD = re.compile(r"[0-9a-f]{2}")
FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def output_folder(store_root: Path, fingerprint: str) -> Path:
    """Where an output and its sidecar are, or would be."""
    return store_root / fingerprint[:2] / fingerprint


def sidecars(store_root: Path) -> list[Path]:
    """The sidecar of every output, in order of fingerprint."""
    return sorted(store_root.glob(f"[0-9a-f][0-9a-f]/*/{SIDECAR}"))


def locks_folder(store_root: Path) -> Path:
    """Where the locks of outputs are."""
    return store_root / "locks"


def lock_of(store_root: Path, fingerprint: str) -> Path:
    """The lock that is held while an output is made or removed."""
    return locks_folder(store_root) / f"{fingerprint[:16]}.lock"


def pending_folder(store_root: Path) -> Path:
    """Where outputs are written before they have their place; what is left of killed processes is swept."""
    return store_root / "pending"


def quarantine(store_root: Path) -> Path:
    """Where what is damaged or unknown is moved to."""
    return store_root / "quarantine"
