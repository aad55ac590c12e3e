"""The order of the property tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the first long one: of two processes each gets one half of the list, and the other long one is last."""
    items.sort(key=lambda item: not item.name.endswith("no_penny_is_lost[first]"))
