"""An output is there whole, with its sidecar, or not at all; and it is made once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from media_assets.errors import VerificationFailed
from media_assets.ids import fingerprint, hash_file
from media_assets.media.verify import Properties
from media_assets.settings import Settings
from media_assets.store.outputs import SIDECAR, Made, OutputStore, Recipe, publish


def recipe(name: str = "one") -> Recipe:
    """What some output is to be."""
    return Recipe(f"effect_x_{name}", fingerprint({"name": name}), "x", {"a": 1}, ("src_a",), f"{name}.bin")


def writes(content: bytes = b"content") -> object:
    """A renderer that writes `content` to every path it is given."""

    def render(paths: Mapping[str, Path]) -> dict[str, Made]:
        for path in paths.values():
            path.write_bytes(content)
        made = Made(Properties(duration=1.0, size=len(content)), commands=(("ffmpeg", "-i", "x"),))
        return dict.fromkeys(paths, made)

    return render


def files(store: OutputStore) -> list[str]:
    """Everything that is not a lock."""
    found = (path.relative_to(store.root) for path in store.root.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if path.parts[0] != "locks")


def test_the_second_asker_gets_what_the_first_made(settings: Settings) -> None:
    store = OutputStore(settings)
    (first,) = store.produce([recipe()], writes())  # type: ignore[arg-type]
    (second,) = OutputStore(settings).produce([recipe()], writes(b"other"))  # type: ignore[arg-type]
    assert (first.cached, second.cached) == (False, True)
    assert (first.ffmpeg_runs, second.ffmpeg_runs) == (1, 0)
    assert second.output == first.output
    assert second.output.path.read_bytes() == b"content"
    assert second.output.content_hash == hash_file(second.output.path)


def test_only_what_is_missing_is_rendered(settings: Settings) -> None:
    store = OutputStore(settings)
    store.produce([recipe("one")], writes())  # type: ignore[arg-type]
    asked: list[str] = []

    def render(paths: Mapping[str, Path]) -> dict[str, Made]:
        asked.extend(path.name for path in paths.values())
        return writes()(paths)  # type: ignore[operator,no-any-return]

    outcomes = store.produce([recipe("one"), recipe("two")], render)
    assert [outcome.cached for outcome in outcomes] == [True, False]
    assert asked == ["two.bin"]


def test_a_renderer_that_fails_leaves_nothing(settings: Settings) -> None:
    store = OutputStore(settings)

    def render(paths: Mapping[str, Path]) -> dict[str, Made]:
        for path in paths.values():
            path.write_bytes(b"half")
        raise VerificationFailed("it is not what was planned")

    with pytest.raises(VerificationFailed):
        store.produce([recipe()], render)
    assert store.get(recipe().fingerprint) is None
    assert files(store) == []


@pytest.mark.parametrize("damage", ["truncate", "remove file", "garble sidecar", "empty sidecar"])
def test_a_damaged_output_is_put_aside_and_made_again(settings: Settings, damage: str) -> None:
    store = OutputStore(settings)
    (outcome,) = store.produce([recipe()], writes())  # type: ignore[arg-type]
    path = outcome.output.path
    sidecar = path.parent / SIDECAR
    if damage == "truncate":
        path.chmod(0o644)
        path.write_bytes(b"con")
    elif damage == "remove file":
        path.unlink()
    else:
        sidecar.write_text("{" if damage == "garble sidecar" else "{}")
    assert store.get(recipe().fingerprint) is None
    (again,) = store.produce([recipe()], writes())  # type: ignore[arg-type]
    assert not again.cached
    assert again.output.path.read_bytes() == b"content"
    assert any(name.startswith("quarantine") for name in files(store))


def test_outputs_cannot_be_edited_by_accident(settings: Settings) -> None:
    (outcome,) = OutputStore(settings).produce([recipe()], writes())  # type: ignore[arg-type]
    assert not outcome.output.path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def _slow(root: Path, made: Path) -> None:
    """Ask for the output; leave a mark if it was rendered here."""

    def render(paths: Mapping[str, Path]) -> dict[str, Made]:
        (made / str(os.getpid())).touch()
        time.sleep(0.5)
        return writes()(paths)  # type: ignore[operator,no-any-return]

    OutputStore(Settings.from_environment(root)).produce([recipe()], render)


def test_processes_that_ask_for_the_same_output_render_it_once(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    context = multiprocessing.get_context("spawn")
    askers = [context.Process(target=_slow, args=(tmp_path / "data", made)) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(60)
    assert [asker.exitcode for asker in askers] == [0, 0, 0, 0]
    assert len(list(made.iterdir())) == 1


def test_a_killed_process_leaves_no_output_and_what_it_left_is_swept(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from media_assets.settings import Settings\n"
        "from media_assets.store.outputs import OutputStore\n"
        "from media_assets_tests.store.test_outputs import recipe\n"
        "def render(paths):\n"
        "    next(iter(paths.values())).write_bytes(b'half')\n"
        "    print('writing', flush=True); time.sleep(60)\n"
        "OutputStore(Settings.from_environment(Path(sys.argv[1]))).produce([recipe()], render)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    store = OutputStore(Settings.from_environment(tmp_path))
    assert store.get(recipe().fingerprint) is None
    assert store.sweep() == 1
    assert files(store) == []
    (outcome,) = store.produce([recipe()], writes())  # type: ignore[arg-type]
    assert not outcome.cached


def test_what_a_live_process_is_writing_is_not_swept(settings: Settings) -> None:
    store = OutputStore(settings)
    with store.scratch() as folder:
        assert store.sweep() == 0
        assert folder.exists()
    assert not folder.exists()


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on file size stands in for the disk: the kernel refuses the write in the same way."""
    code = (
        "import errno, resource, signal, sys; from pathlib import Path\n"
        "from media_assets.errors import DiskFull\n"
        "from media_assets.settings import Settings\n"
        "from media_assets.store.outputs import OutputStore\n"
        "from media_assets_tests.store.test_outputs import recipe, writes\n"
        "store = OutputStore(Settings.from_environment(Path(sys.argv[1])))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: store.produce([recipe()], writes(b'x' * 5000))\n"
        "except DiskFull as error: print('full:', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert "no space is left" in done.stdout, done.stderr
    assert files(OutputStore(Settings.from_environment(tmp_path))) == []


def test_a_published_name_is_replaced_in_one_step_and_costs_no_space(settings: Settings) -> None:
    store = OutputStore(settings)
    target = settings.output_root / "x" / "name.bin"
    for name in ("one", "two"):
        (outcome,) = store.produce([recipe(name)], writes(name.encode()))  # type: ignore[arg-type]
        publish(outcome.output.path, target)
        assert target.read_bytes() == name.encode()
        assert target.samefile(outcome.output.path)
    assert [path.name for path in target.parent.iterdir()] == ["name.bin"]
