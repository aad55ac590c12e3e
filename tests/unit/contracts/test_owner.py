"""A cart's owner: one of two, or nobody."""

from __future__ import annotations

from uuid import UUID

import pytest

from shared.contracts.owner import NOBODY, CartOwner

SESSION = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")


def test_a_cart_does_not_belong_to_a_user_and_to_a_session() -> None:
    with pytest.raises(ValueError, match="not to both"):
        CartOwner(7, SESSION)


@pytest.mark.parametrize(
    ("user_id", "session_id", "owner"),
    [
        (7, SESSION, CartOwner.of_user(7)),
        (7, None, CartOwner.of_user(7)),
        (None, SESSION, CartOwner.of_session(SESSION)),
        (None, None, NOBODY),
    ],
)
def test_a_user_comes_before_a_session(user_id: int | None, session_id: UUID | None, owner: CartOwner) -> None:
    assert CartOwner.first_of(user_id, session_id) == owner
