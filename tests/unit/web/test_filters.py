"""How money, times, codes and links are written."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from shared.browser.filters import mailto, money_filter, page_url_of, qr, tel
from shared.contracts.times import clock, day_text, until, when
from shared.settings import Settings


@pytest.mark.parametrize(
    ("moment", "zone", "text"),
    [
        (datetime(2026, 11, 28, 19, 30, tzinfo=UTC), "Europe/London", "Sat 28 Nov 2026, 19:30"),
        (datetime(2026, 7, 1, 18, 30, tzinfo=UTC), "Europe/London", "Wed 1 Jul 2026, 19:30"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "Europe/Berlin", "Fri 1 Jan 2027, 00:30"),
    ],
)
def test_a_time_is_shown_in_the_calendars_zone(moment: datetime, zone: str, text: str) -> None:
    assert when(moment, zone) == text


def test_an_hour_that_is_there_twice_is_told_apart_and_no_other() -> None:
    half_past = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in range(3)]

    assert [clock(each, "Europe/London") for each in half_past] == ["01:30 BST", "01:30 GMT", "02:30"]
    assert until(half_past[0], half_past[1], "Europe/London") == "Sun 25 Oct 2026, 01:30 BST to 01:30 GMT"
    assert until(half_past[1], half_past[2], "Europe/London") == "Sun 25 Oct 2026, 01:30 GMT to 02:30"


def test_a_span_names_its_second_day_only_where_it_is_another_one() -> None:
    start = datetime(2026, 11, 28, 19, 30, tzinfo=UTC)

    assert until(start, start.replace(hour=22, minute=0), "Europe/London") == "Sat 28 Nov 2026, 19:30 to 22:00"
    assert until(start, start.replace(day=29), "Europe/London") == "Sat 28 Nov 2026, 19:30 to Sun 29 Nov 2026, 19:30"
    assert day_text(start.date()) == "Sat 28 Nov 2026"


def test_money_has_its_symbol_and_none_is_nothing() -> None:
    money = money_filter("GBP")
    assert [money(Decimal("12.5")), money(Decimal(0)), money(None)] == ["£12.50", "£0.00", ""]


def test_a_code_is_a_labelled_picture_that_no_text_can_break_out_of() -> None:
    picture = ET.fromstring(qr('A"><script>1</script>&'))  # noqa: S314 - our own output
    assert (picture.tag, picture.get("role")) == ("svg", "img")
    assert picture.get("aria-label") == 'QR code A"><script>1</script>&'
    assert picture.get("style") is None  # the policy allows no inline style


def test_a_link_writes_to_an_address_and_nothing_of_it_becomes_a_subject() -> None:
    assert mailto("box.office+tickets@lantern.example") == "mailto:box.office+tickets@lantern.example"
    assert mailto("a?b&c%d@x.example") == "mailto:a%3Fb%26c%25d@x.example"


def test_a_link_rings_a_number() -> None:
    assert tel("+44 (0)1632 960123") == "tel:+441632960123"


def test_an_address_is_on_the_apps_public_origin() -> None:
    page_url = page_url_of(Settings(cart_url="http://cart.localhost/"))
    assert page_url("cart", "/orders/") == "http://cart.localhost/orders/"
    assert page_url("events") == "http://localhost:8003/"
