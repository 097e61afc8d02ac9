"""Every setting, read from the environment once, as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from media_assets.errors import BadInput

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Where things live and how much of the machine may be used.

    Attributes:
        data_root: the folder all other folders are under (`MEDIA_ASSETS_DATA`).
        workers: media processes at a time (`MEDIA_ASSETS_WORKERS`, default: the cores).
        ffmpeg, ffprobe: programs to prefer (`MEDIA_ASSETS_FFMPEG`, `MEDIA_ASSETS_FFPROBE`), or None.
        settle_seconds: a source younger than this is taken to be still growing
            (`MEDIA_ASSETS_SETTLE_SECONDS`).
        probe_timeout: seconds a probe may take (`MEDIA_ASSETS_PROBE_TIMEOUT`).
        render_timeout: seconds one ffmpeg command may take (`MEDIA_ASSETS_RENDER_TIMEOUT`).
        batch_size: partitions a sensor puts into one run (`MEDIA_ASSETS_BATCH_SIZE`).
        chunk_cpu_seconds: what one worker is given of a long komposition, in CPU-seconds; one that takes
            less in all is a single step (`MEDIA_ASSETS_CHUNK_CPU_SECONDS`).
        fetch_max_bytes: the largest file taken from a URL (`MEDIA_ASSETS_FETCH_MAX_BYTES`).
        fetch_timeout: seconds a download may take, redirects included (`MEDIA_ASSETS_FETCH_TIMEOUT`).
        fetch_hosts: hosts that may have private addresses and any port (`MEDIA_ASSETS_FETCH_HOSTS`).
        destinations: folders and URL prefixes that finished files may go to, besides the output
            folder (`MEDIA_ASSETS_DESTINATIONS`).
        analyze: `eager` to analyse every source as it comes in, `manual` to wait until somebody asks
            (`MEDIA_ASSETS_ANALYZE`).
        kompositions: the same for kompositions whose document does not say (`MEDIA_ASSETS_KOMPOSITIONS`).
        pool_ffmpeg, pool_warehouse: steps at a time that may use ffmpeg, and DuckDB, in all runs together
            (`MEDIA_ASSETS_POOL_FFMPEG`, `MEDIA_ASSETS_POOL_WAREHOUSE`).
        reserve_bytes: what a render leaves free on its disk (`MEDIA_ASSETS_RESERVE_BYTES`); None for
            256 MiB, or a twentieth of a disk that is smaller than 5 GiB.
        fewest_users: users behind a figure that is shown to others (`MEDIA_ASSETS_FEWEST_USERS`, up to 32).
        retention_days: days for which events are kept one by one (`MEDIA_ASSETS_RETENTION_DAYS`).
        suspend: `on` to suspend whoever raises an alert, `off` only to tell of it (`MEDIA_ASSETS_SUSPEND`).
        abuse_z: robust z-score from which on use is abuse (`MEDIA_ASSETS_ABUSE_Z`).
        abuse_operations, abuse_cpu_seconds, abuse_failures, abuse_bytes: what it must be at the least, in a
            window of up to 24 hours (`MEDIA_ASSETS_ABUSE_OPERATIONS`, `MEDIA_ASSETS_ABUSE_CPU_SECONDS`,
            `MEDIA_ASSETS_ABUSE_FAILURES`, `MEDIA_ASSETS_ABUSE_BYTES`).
        prices_path: the price table (`MEDIA_ASSETS_PRICES`), or None for the one that is shipped.
        scenes: what finds cuts in sources: `scdet` (ffmpeg) or `pyscenedetect` (`MEDIA_ASSETS_SCENES`).
        user: who is at work, for analytics (`MEDIA_ASSETS_USER`); empty for the system's user.
        key_path: the file of the keys that names are hashed with (`MEDIA_ASSETS_KEY_FILE`), or None.
    """

    data_root: Path
    workers: int
    ffmpeg: str | None = None
    ffprobe: str | None = None
    settle_seconds: float = 2.0
    probe_timeout: float = 30.0
    render_timeout: float = 3600.0
    batch_size: int = 100
    chunk_cpu_seconds: float = 600.0
    fetch_max_bytes: int = 4 << 30
    fetch_timeout: float = 600.0
    fetch_hosts: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    analyze: str = "manual"
    kompositions: str = "eager"
    pool_ffmpeg: int = 1
    pool_warehouse: int = 1
    reserve_bytes: int | None = None
    fewest_users: int = 5
    retention_days: int = 400
    suspend: str = "off"
    abuse_z: float = 5.0
    abuse_operations: float = 100.0
    abuse_cpu_seconds: float = 900.0
    abuse_failures: float = 20.0
    abuse_bytes: float = 10e9
    prices_path: Path | None = None
    scenes: str = "scdet"
    user: str = ""
    key_path: Path | None = None

    @classmethod
    def from_environment(
        cls, data: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Settings:
        """Read the settings; `data` wins over `MEDIA_ASSETS_DATA`.

        Raises:
            BadInput: a variable is set to something that is not a positive number, or to an unknown word.
        """
        env = os.environ if environment is None else environment
        root = data or Path(env.get("MEDIA_ASSETS_DATA") or PROJECT_ROOT / "data")
        return cls(
            data_root=root.expanduser().resolve(),
            workers=max(1, int(_positive(env, "MEDIA_ASSETS_WORKERS", float(_usable_cores())))),
            ffmpeg=env.get("MEDIA_ASSETS_FFMPEG") or None,
            ffprobe=env.get("MEDIA_ASSETS_FFPROBE") or None,
            settle_seconds=_positive(env, "MEDIA_ASSETS_SETTLE_SECONDS", cls.settle_seconds),
            probe_timeout=_positive(env, "MEDIA_ASSETS_PROBE_TIMEOUT", cls.probe_timeout),
            render_timeout=_positive(env, "MEDIA_ASSETS_RENDER_TIMEOUT", cls.render_timeout),
            batch_size=max(1, int(_positive(env, "MEDIA_ASSETS_BATCH_SIZE", float(cls.batch_size)))),
            chunk_cpu_seconds=_positive(env, "MEDIA_ASSETS_CHUNK_CPU_SECONDS", cls.chunk_cpu_seconds),
            fetch_max_bytes=int(_positive(env, "MEDIA_ASSETS_FETCH_MAX_BYTES", float(cls.fetch_max_bytes))),
            fetch_timeout=_positive(env, "MEDIA_ASSETS_FETCH_TIMEOUT", cls.fetch_timeout),
            fetch_hosts=tuple(host.lower() for host in _listed(env, "MEDIA_ASSETS_FETCH_HOSTS")),
            destinations=_listed(env, "MEDIA_ASSETS_DESTINATIONS"),
            analyze=_one_of(env, "MEDIA_ASSETS_ANALYZE", ("manual", "eager")),
            kompositions=_one_of(env, "MEDIA_ASSETS_KOMPOSITIONS", ("eager", "manual")),
            pool_ffmpeg=max(1, int(_positive(env, "MEDIA_ASSETS_POOL_FFMPEG", 1.0))),
            pool_warehouse=max(1, int(_positive(env, "MEDIA_ASSETS_POOL_WAREHOUSE", 1.0))),
            scenes=_one_of(env, "MEDIA_ASSETS_SCENES", ("scdet", "pyscenedetect")),
            reserve_bytes=_bytes(env, "MEDIA_ASSETS_RESERVE_BYTES"),
            retention_days=max(1, int(_positive(env, "MEDIA_ASSETS_RETENTION_DAYS", 400.0))),
            fewest_users=min(32, max(1, int(_positive(env, "MEDIA_ASSETS_FEWEST_USERS", 5.0)))),
            suspend=_one_of(env, "MEDIA_ASSETS_SUSPEND", ("off", "on")),
            abuse_z=_positive(env, "MEDIA_ASSETS_ABUSE_Z", cls.abuse_z),
            abuse_operations=_positive(env, "MEDIA_ASSETS_ABUSE_OPERATIONS", cls.abuse_operations),
            abuse_cpu_seconds=_positive(env, "MEDIA_ASSETS_ABUSE_CPU_SECONDS", cls.abuse_cpu_seconds),
            abuse_failures=_positive(env, "MEDIA_ASSETS_ABUSE_FAILURES", cls.abuse_failures),
            abuse_bytes=_positive(env, "MEDIA_ASSETS_ABUSE_BYTES", cls.abuse_bytes),
            prices_path=_path(env, "MEDIA_ASSETS_PRICES"),
            user=env.get("MEDIA_ASSETS_USER", "").strip(),
            key_path=_key_path(env),
        )

    @property
    def pools(self) -> dict[str, int]:
        """Limits by the name of the pool that steps are in."""
        return {"ffmpeg": self.pool_ffmpeg, "warehouse": self.pool_warehouse}

    @property
    def source_root(self) -> Path:
        """The files people drop in."""
        return self.data_root / "source"

    @property
    def komposition_root(self) -> Path:
        """The komposition documents people edit."""
        return self.data_root / "kompositions"

    @property
    def workflow_root(self) -> Path:
        """The workflows people saved: a folder each, with its document."""
        return self.data_root / "workflows"

    @property
    def store_root(self) -> Path:
        """Rendered outputs with their sidecars, one folder per fingerprint."""
        return self.data_root / "store"

    @property
    def effect_root(self) -> Path:
        """Recipes of effects, one JSON document each, under the effect's id."""
        return self.data_root / "effects"

    @property
    def output_root(self) -> Path:
        """Finished renditions and kompositions under names a person looks for."""
        return self.data_root / "output"

    @property
    def metadata_root(self) -> Path:
        """Records of sources and rejections, one JSON document each."""
        return self.data_root / "metadata"

    @property
    def plan_root(self) -> Path:
        """Plans of kompositions as last made, one JSON document each, under the komposition's id."""
        return self.metadata_root / "plans"

    @property
    def event_root(self) -> Path:
        """Event segments (NDJSON) that wait to be loaded."""
        return self.data_root / "events"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file."""
        return self.data_root / "warehouse" / "media_assets.duckdb"

    @property
    def predictions_path(self) -> Path:
        """What the planner learnt from events, replaced each day."""
        return self.data_root / "warehouse" / "predictions.json"

    @property
    def marts_path(self) -> Path:
        """What readers read: a copy of the warehouse, replaced after each load."""
        return self.data_root / "warehouse" / "marts.duckdb"

    @property
    def export_root(self) -> Path:
        """Events as Parquet, a folder for each day."""
        return self.data_root / "warehouse" / "events"

    @property
    def report_root(self) -> Path:
        """Pages for people to look at, each replaced when it is made again."""
        return self.data_root / "reports"

    @property
    def dashboard_path(self) -> Path:
        """The page of key figures."""
        return self.report_root / "dashboard.html"

    @property
    def key_file(self) -> Path:
        """The keys that names are hashed with; never under the data root."""
        return self.key_path or Path.home() / ".config" / "media_assets" / "analytics.key"

    @property
    def cores(self) -> int:
        """The cores that this process may run on, whatever `workers` says."""
        return _usable_cores()

    @property
    def dagster_home(self) -> Path:
        """Dagster's own state; one per data root, so that two roots never mix."""
        return self.data_root / "dagster_home"


def _usable_cores() -> int:
    """Cores this process may run on (a container's limit, not the machine's count)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _key_path(env: Mapping[str, str]) -> Path | None:
    """The key file that is named, or the one in the user's configuration folder, if that is set."""
    if named := env.get("MEDIA_ASSETS_KEY_FILE"):
        return Path(named).expanduser().absolute()
    folder = env.get("XDG_CONFIG_HOME")
    return Path(folder) / "media_assets" / "analytics.key" if folder else None


def _path(env: Mapping[str, str], name: str) -> Path | None:
    named = env.get(name)
    return Path(named).expanduser().absolute() if named else None


def _positive(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise BadInput(f"{text!r} is not a positive number", where=name, hint="unset it or give a number")
    return value


def _bytes(env: Mapping[str, str], name: str) -> int | None:
    """A whole number of bytes, none included; None where nothing is set."""
    text = env.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadInput(
            f"{text!r} is no number of bytes", where=name, hint="unset it or give a whole number"
        )
    return int(text)


def _one_of(env: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """The word that is set, or the first of those that may be."""
    word = env.get(name, "").strip().lower() or words[0]
    if word not in words:
        raise BadInput(
            f"{word!r} is none of {', '.join(words)}", where=name, hint="unset it or give one of them"
        )
    return word


def _listed(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The parts of a comma list, blanks around them dropped."""
    return tuple(part for part in (word.strip() for word in env.get(name, "").split(",")) if part)
