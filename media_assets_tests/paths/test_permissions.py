"""What may not be read or written is told, with the file and what to do, by the command line itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from media_assets_tests.paths.conftest import Kept

_PLAIN = "-dac_override,-dac_read_search"


def _command() -> list[str]:
    """The console script; as root without the right to pass over permissions."""
    script = [sys.executable, "-m", "media_assets.cli"]
    if os.geteuid() != 0:
        return script
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root passes over permissions, and there is no setpriv to take that away")
    return [setpriv, f"--bounding-set={_PLAIN}", f"--inh-caps={_PLAIN}", *script]


@pytest.mark.parametrize("shut", ["file", "folder"])
def test_what_may_not_be_touched_is_named(kept: Kept, shut: str) -> None:
    file, folder = kept.settings.source_root / "a.mp4", kept.settings.data_root
    path, mode = (file, 0o000) if shut == "file" else (folder, 0o555)
    before = path.stat().st_mode
    path.chmod(mode)
    (kept.settings.metadata_root).chmod(0o755 if shut == "file" else 0o555)
    try:
        done = subprocess.run(
            [*_command(), "analyze", "content", str(file)],
            env={**os.environ, "MEDIA_ASSETS_DATA": str(folder), "COLUMNS": "1000"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        path.chmod(before & 0o7777)
        kept.settings.metadata_root.chmod(0o755)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "Permission denied" in done.stderr
    assert str(file if shut == "file" else kept.settings.metadata_root) in done.stderr
    assert "check" in done.stderr
