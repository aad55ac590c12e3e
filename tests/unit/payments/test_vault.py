"""The pages' provider keys at rest: sealed, opened again by the right keys alone, and never shown."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from launcher import app as maypole
from shared.payments.vault import Unreadable, Vault, new_key, vault_of
from shared.settings import DEV_CREDENTIALS_KEY, Settings

SECRET = "sup_sk_of_the_farm"


def a_key() -> SecretStr:
    return SecretStr(new_key())


def sealed_with(key: SecretStr) -> str:
    return Vault([key]).seal(SecretStr(SECRET))


def test_what_is_sealed_opens_again() -> None:
    key = a_key()
    assert Vault([key]).open(sealed_with(key)).get_secret_value() == SECRET


def test_nobody_can_tell_that_two_sealed_keys_are_the_same() -> None:
    key = a_key()
    first, second = sealed_with(key), sealed_with(key)
    assert first != second
    assert SECRET not in first


def test_all_keys_open_and_the_first_one_seals() -> None:
    old, new = a_key(), a_key()
    both = Vault([new, old])
    assert both.open(sealed_with(old)).get_secret_value() == SECRET
    assert Vault([new]).open(both.seal(SecretStr(SECRET))).get_secret_value() == SECRET


def test_a_key_that_was_dropped_opens_nothing_any_more() -> None:
    old, new = a_key(), a_key()
    with pytest.raises(Unreadable):
        Vault([new]).open(sealed_with(old))


@pytest.mark.parametrize("place", [0, 20, -1])
def test_a_text_that_was_changed_is_refused(place: int) -> None:
    key = a_key()
    letters = list(sealed_with(key).rstrip("="))
    letters[place] = "A" if letters[place] != "A" else "B"
    with pytest.raises(Unreadable):
        Vault([key]).open("".join(letters))


@pytest.mark.parametrize("text", ["", SECRET, "é", "\0"])
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        Vault([a_key()]).open(text)


def test_nothing_of_a_vault_shows_a_secret() -> None:
    key, other = a_key(), a_key()
    vault, sealed = Vault([key]), sealed_with(other)
    with pytest.raises(Unreadable) as caught:
        vault.open(sealed)
    shown = f"{vault!r} {vault} {vars(vault)} {vault.open(sealed_with(key))!r} {caught.value!r} {caught.value}"
    for secret in (key.get_secret_value(), other.get_secret_value(), sealed, SECRET):
        assert secret not in shown


def test_what_is_no_key_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match="Fernet key") as caught:
        Vault([SecretStr("bm90IGEga2V5")])
    assert "bm90IGEga2V5" not in str(caught.value)


# --- the settings ---


def test_the_development_key_serves_everywhere_but_in_production() -> None:
    key = DEV_CREDENTIALS_KEY
    assert vault_of(Settings()).open(sealed_with(SecretStr(key))).get_secret_value() == SECRET
    for keys in ((), (SecretStr(key),), (a_key(), SecretStr(key))):
        settings = Settings().model_copy(update={"environment": "production", "credentials_keys": keys})
        with pytest.raises(RuntimeError, match="CREDENTIALS_KEYS"):
            vault_of(settings)


def test_a_production_with_keys_of_its_own_has_a_vault() -> None:
    keys = (a_key(), a_key())
    settings = Settings().model_copy(update={"environment": "production", "credentials_keys": keys})
    assert vault_of(settings).open(sealed_with(keys[1])).get_secret_value() == SECRET


@pytest.mark.parametrize("keys", ["bm90IGEga2V5", "no key", "schl\N{LATIN SMALL LETTER U WITH DIAERESIS}ssel"])
def test_what_is_no_key_is_named_by_its_setting_and_not_shown(keys: str) -> None:
    with pytest.raises(RuntimeError, match="CREDENTIALS_KEYS") as caught:
        vault_of(Settings.model_validate({"credentials_keys": keys}))
    assert keys not in f"{caught.value} {caught.value.__cause__}"


def test_new_key_prints_a_key_that_the_settings_take() -> None:
    printed = [CliRunner().invoke(maypole, ["new-key"]).stdout.strip() for _ in range(2)]
    assert printed[0] != printed[1]
    vault = vault_of(Settings.model_validate({"credentials_keys": ",".join(printed)}))
    assert vault.open(sealed_with(SecretStr(printed[1]))).get_secret_value() == SECRET
