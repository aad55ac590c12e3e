"""``maypole reseal``: the pages' provider keys, encrypted anew after CREDENTIALS_KEYS has got a new first key."""

from __future__ import annotations

from sqlalchemy import select

from shared.db.engine import Database
from shared.db.locks import locking
from shared.db.uow import unit_of_work
from shared.models import PaymentAccount
from shared.payments.vault import Unreadable, vault_of
from shared.settings import Settings

from .failures import CommandError


async def reseal_keys(settings: Settings, database_url: str) -> str:
    """Encrypt every stored key anew, all of them or none, and say how many that were. Safe to repeat.

    Raises CommandError for a key that none of CREDENTIALS_KEYS opens, and where those are no keys.
    """
    try:
        vault = vault_of(settings)
    except RuntimeError as error:
        raise CommandError(str(error)) from error
    database = Database(database_url, pool_size=1, settings=settings)
    try:
        async with unit_of_work(database) as uow:
            # Locked: an admin who changes a key meanwhile must not have it overwritten by the old one.
            accounts = list(await uow.session.scalars(locking(select(PaymentAccount))))
            for account in accounts:
                try:
                    account.api_key_encrypted = vault.seal(vault.open(account.api_key_encrypted))
                except Unreadable as error:
                    # All or none: after a half nobody could tell which of the old keys is still needed.
                    raise CommandError(f"the key of account {account.merchant_code} cannot be read: {error}") from error
            await uow.session.flush()
            await uow.commit()
    finally:
        await database.dispose()
    return f"{len(accounts)} keys are encrypted with the first of CREDENTIALS_KEYS."
