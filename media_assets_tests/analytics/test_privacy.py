"""What events say of people: nothing that leads back to them without the key."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from media_assets.analytics.keyring import UnusableKey, add_key, load_keyring, set_opted_out
from media_assets.analytics.making import new_operation
from media_assets.analytics.origin import (
    NOBODY,
    PLATFORM_TAG,
    USER_TAG,
    hashes_of,
    origin_of,
    user_tag,
)
from media_assets.settings import Settings


@pytest.fixture
def ann(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, user="ann@example.com", key_path=tmp_path / "keys" / "analytics.key")


def test_a_key_is_made_once_and_is_its_owners_alone(ann: Settings) -> None:
    first = load_keyring(ann.key_file, ann.data_root)
    assert len(first.newest.secret) == 32
    assert stat.S_IMODE(ann.key_file.stat().st_mode) == 0o600
    assert load_keyring(ann.key_file, ann.data_root) == first


def test_a_key_that_others_may_read_is_refused(ann: Settings) -> None:
    load_keyring(ann.key_file, ann.data_root)
    ann.key_file.chmod(0o644)
    with pytest.raises(UnusableKey, match="chmod 600"):
        load_keyring(ann.key_file, ann.data_root)
    origin = origin_of(ann)
    assert (origin.user, origin.subject("src_a_mp4"), origin.run) == (None, None, origin.run)


def test_a_key_inside_the_data_is_refused(settings: Settings) -> None:
    with pytest.raises(UnusableKey, match="inside the data"):
        load_keyring(settings.data_root / "analytics.key", settings.data_root)
    assert not settings.data_root.exists()


@pytest.mark.parametrize("text", ["", "{}", '{"keys": []}', '{"keys": [{"id": "a", "secret": "00"}]}'])
def test_a_damaged_key_file_is_told_and_left(ann: Settings, text: str) -> None:
    ann.key_file.parent.mkdir(parents=True)
    ann.key_file.write_text(text)
    ann.key_file.chmod(0o600)
    with pytest.raises(UnusableKey):
        load_keyring(ann.key_file, ann.data_root)
    assert ann.key_file.read_text() == text


def test_an_event_names_nobody(ann: Settings) -> None:
    origin = origin_of(ann)
    event = new_operation(
        origin,
        "trim",
        "rendered",
        subject=origin.subject("src_weddingofann_mp4"),
        output=origin.output("src_weddingofann_mp4"),
        chain=origin.chain("run", None, "src_weddingofann_mp4"),
        parameters={"text": "for ann", "start": 1},
    )
    assert "ann" not in str(event.record())
    assert event.user == hashes_of("ann@example.com", load_keyring(ann.key_file, ann.data_root))[-1]
    assert len({event.subject, event.output, event.chain, event.user}) == 4


def test_a_new_key_gives_new_hashes_and_the_old_can_still_be_found(ann: Settings) -> None:
    before = origin_of(ann).user
    keyring = add_key(ann.key_file, ann.data_root)
    after = origin_of(ann).user
    assert after is not None
    assert before != after
    assert hashes_of("ann@example.com", keyring) == (before, after)


def test_who_opts_out_is_counted_and_no_more_from_the_next_event_on(ann: Settings) -> None:
    keyring = load_keyring(ann.key_file, ann.data_root)
    hashes = frozenset(hashes_of(ann.user, keyring))
    set_opted_out(ann.key_file, ann.data_root, hashes, out=True)
    add_key(ann.key_file, ann.data_root)
    origin = origin_of(ann, "a-run")
    event = new_operation(
        origin,
        "trim",
        "rendered",
        output="effect_trim_" + "0" * 16,
        previous="resize",
        parameters={"start": 1},
    )
    told = event.line()
    assert {"user", "run", "subject", "chain", "output", "fingerprint", "previous"}.isdisjoint(told)
    assert (told["operation"], told["parameters"], told["machine"]) == ("trim", {}, origin.machine)
    assert user_tag(ann.user, load_keyring(ann.key_file, ann.data_root)) == NOBODY
    assert origin_of(replace(ann, user="bob")).user is not None
    set_opted_out(ann.key_file, ann.data_root, hashes, out=False)
    assert origin_of(ann).user is not None


def test_a_run_says_for_whom_it_is_and_by_what(ann: Settings) -> None:
    bob = hashes_of("bob", load_keyring(ann.key_file, ann.data_root))[-1]
    origin = origin_of(ann, "a-run", {USER_TAG: bob, PLATFORM_TAG: "api"})
    assert (origin.user, origin.platform, origin.run) == (bob, "api", "a-run")
    assert origin_of(ann, "a-run", {USER_TAG: "bob"}).user is None
    assert origin_of(ann, "a-run", {USER_TAG: NOBODY}).counted_only
