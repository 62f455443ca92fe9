"""Keys, hashes, signatures and passwords."""

from __future__ import annotations

import re

import pytest
from argon2 import PasswordHasher as Argon2
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from app.domain.errors import SecretUnreadable
from integrations.security import Argon2Hasher, KeyVault

OLD, NEW = KeyVault(["the-old-key-0123456"]), KeyVault(["the-new-key-0123456", "the-old-key-0123456"])
ONLY_NEW = KeyVault(["the-new-key-0123456"])


def test_tokens_are_long_random_and_safe_in_addresses() -> None:
    """192 bits; no dot, which marks `org.slug`."""
    made = {OLD.new_token() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", token) for token in made)


@given(st.text())
def test_what_was_sealed_is_opened_by_any_key(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        return
    assert NEW.open(OLD.seal(text)) == text
    assert ONLY_NEW.open(NEW.seal(text)) == text


def test_a_seal_is_different_each_time_and_shows_nothing() -> None:
    assert OLD.seal("secret") != OLD.seal("secret")
    assert "secret" not in OLD.seal("secret")


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAA", OLD.marks[0], OLD.marks[0] + "gAAAAA"])
def test_what_is_not_ours_is_not_opened(sealed: str) -> None:
    with pytest.raises(SecretUnreadable):
        OLD.open(sealed)


def test_a_key_that_is_gone_opens_nothing_and_is_named() -> None:
    with pytest.raises(SecretUnreadable, match=f"the key {OLD.marks[0]}, which is not known.*HALFPAST_SECRET_KEYS"):
        ONLY_NEW.open(OLD.seal("secret"))


def test_what_a_key_made_bears_its_mark() -> None:
    """So that what rests on which key is counted without the keys."""
    assert NEW.marks == (*ONLY_NEW.marks, *OLD.marks)
    assert NEW.marks[0] != NEW.marks[1]
    for vault in (OLD, NEW):
        assert vault.seal("secret").startswith(vault.marks[0])
        assert vault.lookup("secret").startswith(vault.marks[0])


def test_a_token_is_found_under_every_key_and_kept_under_the_first() -> None:
    assert ONLY_NEW.lookups("token") == (ONLY_NEW.lookup("token"),)
    first, older, again = NEW.lookups("token")
    assert (first, older) == (ONLY_NEW.lookup("token"), OLD.lookup("token"))
    assert again == first, "it may have been moved between two looks"
    assert NEW.lookup("token") == ONLY_NEW.lookup("token")
    assert NEW.lookup("token") != NEW.lookup("tokem")
    assert re.fullmatch(r"[0-9a-f]{64}", NEW.lookup("token"))


def test_the_same_key_seals_signs_and_hashes_apart() -> None:
    """Who sees a lookup hash holds no key of anything else."""
    assert OLD.lookup("x") not in {OLD.seal("x"), OLD.sign("x", {})}


def test_a_signed_text_is_good_for_its_purpose_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now)
    signed = OLD.sign("password", {"user": "1"})
    assert NEW.unsign("password", signed, 60) == {"user": "1"}
    assert NEW.unsign("guest", signed, 60) is None
    assert ONLY_NEW.unsign("password", signed, 60) is None
    assert NEW.unsign("password", ("A" if signed[0] != "A" else "B") + signed[1:], 60) is None
    now += 61
    assert NEW.unsign("password", signed, 60) is None


def test_a_signed_text_does_not_look_like_a_hidden_file() -> None:
    """It stands in addresses, and many a proxy refuses paths with a part that begins with a dot. What was sent before,
    compressed, stays good."""
    payload = {"user": "0" * 200}
    signed = OLD.sign("password", payload)
    assert not signed.startswith(".")
    assert OLD.unsign("password", signed, 60) == payload
    before = URLSafeTimedSerializer(["old-key"], salt="halfpast.password").dumps(payload)
    assert str(before).startswith(".")
    assert KeyVault(["old-key"]).unsign("password", str(before), 60) == payload


@pytest.mark.anyio
async def test_passwords_are_argon2id() -> None:
    hasher = Argon2Hasher(Argon2(time_cost=1, memory_cost=64))
    kept = await hasher.hash("correct horse")
    assert kept.startswith("$argon2id$")
    assert await hasher.verify(kept, "correct horse")
    assert not await hasher.verify(kept, "correct house")
    assert not await hasher.verify(None, "correct horse")
    assert not await hasher.verify("not a hash", "correct horse")


@pytest.mark.anyio
async def test_nobodys_password_takes_the_same_work() -> None:
    """No user at this address: the hash of nobody is verified, with the parameters of everybody's."""
    hasher = Argon2Hasher()
    parameters = (await hasher.hash("x")).rpartition("$")[0].rpartition("$")[0]
    assert hasher._nobody.startswith(parameters)


def test_the_defaults_are_rfc_9106s() -> None:
    """64 MiB, three passes, four lanes (the low-memory profile)."""
    assert Argon2Hasher()._nobody.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
