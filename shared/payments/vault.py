"""The pages' provider keys at rest: encrypted with keys from the settings, which may be rotated.

Fernet (AES-128-CBC with HMAC-SHA256, of the ``cryptography`` package) is authenticated, so a changed row is refused
rather than used. The first key encrypts, all of them decrypt; ``maypole reseal`` writes every row anew under the first.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from shared.settings import DEV_CREDENTIALS_KEY, Settings


class Unreadable(Exception):
    """A secret was encrypted with a key that the settings do not have (any more), or was changed."""


class Vault:
    """Encrypts and decrypts secrets. Nothing of it ever shows one: not ``repr``, not an error's text."""

    def __init__(self, keys: Iterable[SecretStr]) -> None:
        """Take the keys, the newest first. Raises ValueError for one that is no key."""
        self._fernet = MultiFernet([Fernet(key.get_secret_value()) for key in keys])

    def seal(self, secret: SecretStr) -> str:
        """Return a secret in the form in which it is stored."""
        return self._fernet.encrypt(secret.get_secret_value().encode()).decode()

    def open(self, sealed: str) -> SecretStr:
        """Return a stored secret. Raises Unreadable."""
        try:
            return SecretStr(self._fernet.decrypt(sealed.encode()).decode())
        except InvalidToken:
            raise Unreadable("CREDENTIALS_KEYS has no key that opens this") from None


def vault_of(settings: Settings) -> Vault:
    """Return the vault of an installation.

    Raises RuntimeError on what is no key, and in production on the key that everybody knows.
    """
    keys = settings.credentials_keys
    # The development key is in the source: who has a copy of the database could read every page's key with it.
    known_to_all = DEV_CREDENTIALS_KEY in {key.get_secret_value() for key in keys}
    if settings.environment == "production" and (known_to_all or not keys):
        raise RuntimeError("set CREDENTIALS_KEYS to a key of your own in production: maypole new-key prints one")
    try:
        return Vault(keys)
    except ValueError:
        raise RuntimeError("CREDENTIALS_KEYS must be one key or more: maypole new-key prints one") from None


def new_key() -> str:
    """Return a new key for CREDENTIALS_KEYS."""
    return Fernet.generate_key().decode()
