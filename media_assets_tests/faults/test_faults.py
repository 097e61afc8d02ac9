"""What is killed or refused in the middle of its work loses nothing that was told, and repeats nothing.

Few rounds; `make faults` runs many, with more faults.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_assets_tests.faults.kills import kills
from media_assets_tests.faults.ledger import Verdict
from media_assets_tests.faults.together import one_effect
from media_assets_tests.warm import Warm

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """What starts commands, shared because it has to import everything first."""
    with Warm(tmp_path_factory.mktemp("commands")) as warm:
        yield warm


def held(verdict: Verdict) -> None:
    """Nothing was lost, repeated or wrong."""
    told = {name: getattr(verdict, name) for name in ("lost", "repeated", "wrong", "verify")}
    assert not any(told.values()), told
    assert verdict.held
    assert verdict.acknowledged > 0


def test_killed_at_random_moments_nothing_acknowledged_is_lost(warm: Warm, tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    print(f"seed: {seed}")  # pytest shows it if this fails
    verdict = kills(warm, tmp_path, random.Random(seed), 2, names=("effects", "komposition"), longest=2.0)
    held(verdict)


def test_of_two_that_ask_for_one_effect_one_renders_and_the_other_does_if_that_one_is_killed(
    warm: Warm, tmp_path: Path
) -> None:
    held(one_effect(warm, tmp_path, 2))
