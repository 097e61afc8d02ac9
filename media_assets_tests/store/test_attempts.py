"""What keeps failing is asked for ever more rarely, whatever becomes of clocks and of the record of it."""

from __future__ import annotations

from media_assets.settings import Settings
from media_assets.store.attempts import Attempts, attempts_at, known_attempts

ASSETS = ["web_preview/teaser", "web_preview/small"]


def test_a_partition_that_keeps_failing_is_asked_for_ever_more_rarely(settings: Settings) -> None:
    asked = []
    for minute in range(0, 24 * 60):
        with attempts_at(settings, ASSETS, now=minute * 60.0) as attempts:
            for key in attempts.due({"k": "v1"}):
                attempts.asked(key, "v1")
                asked.append(minute)
    assert asked == [0, 1, 5, 21, 85, 341, 1365]


def test_a_pause_begins_when_the_run_ended() -> None:
    attempts = Attempts(now=0.0)
    attempts.asked("k", "v1")
    later = Attempts(attempts.entries, now=7200.0)
    later.failed("k", "run", "no space", at=7190.0)
    assert later.due({"k": "v1"}) == []
    assert later.resting({"k": "v1"})["k"].next_at == 7250.0


def test_a_new_version_is_asked_for_at_once_and_so_is_the_old_one_after_it() -> None:
    attempts = Attempts(now=0.0)
    for version in ("a", "b", "a"):
        assert attempts.due({"k": version}) == ["k"]
        attempts.asked("k", version)
        assert attempts.due({"k": version}) == []


def test_a_clock_that_is_set_back_by_a_day_freezes_nobody(settings: Settings) -> None:
    day = 86_400.0
    with attempts_at(settings, ASSETS, now=10 * day) as attempts:
        attempts.asked("k", "v")
    asked = []
    for second in range(0, 90, 5):
        with attempts_at(settings, ASSETS, now=9 * day + second) as attempts:
            asked += [second for _ in attempts.due({"k": "v"})]
    assert asked[0] == 60


def test_a_clock_that_was_ahead_for_a_while_is_made_up_for() -> None:
    year = 365 * 86_400.0
    ahead = Attempts(now=year)
    for _ in range(9):
        ahead.asked("k", "v")
    (entry,) = Attempts(ahead.entries, now=0.0).resting({"k": "v"}).values()
    assert entry.next_at == 86_400.0


def test_damaged_records_do_no_harm(settings: Settings) -> None:
    path = settings.metadata_root / "attempts" / "web_preview" / "teaser.json"
    path.parent.mkdir(parents=True)
    entry = '{"version": "v", "count": "x", "asked_at": 1, "next_at": 1}'
    for text in ("", "nonsense", "[]", '{"attempts": {"k": 3}}', f'{{"attempts": {{"k": {entry}}}}}'):
        path.write_text(text)
        assert known_attempts(settings) == {}
        with attempts_at(settings, ASSETS) as attempts:
            assert attempts.due({"k": "v"}) == ["k"]


def test_failures_are_known_by_every_asset_of_their_run(settings: Settings) -> None:
    with attempts_at(settings, ASSETS) as attempts:
        attempts.asked("k", "v")
        attempts.asked("unknown", "v")
        attempts.failed("k", "run", "no space", at=attempts.now)
    assert {key: one.error for key, one in known_attempts(settings).items()} == {
        (asset, "k"): "no space" for asset in ASSETS
    }
