"""Which e-mail addresses and telephone numbers are any, in which form they are kept, and what is dialled."""

from __future__ import annotations

import pytest

from shared.contracts.contact import dialled, email_of, inbox_of, network_of, phone_of, shortened_address


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Shop@Hollin-Bank.example ", "shop@hollin-bank.example"),
        ("a+b&c?d@x.example", "a+b&c?d@x.example"),
        ("ada@B\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example", "ada@xn--bcher-kva.example"),
        ("\N{LATIN SMALL LETTER A WITH DIAERESIS}da@x.example", None),
        ("Ada <ada@x.example>", None),
        ("ada@[192.0.2.1]", None),
        ('"a b"@x.example', None),
        (f"{'a' * 65}@x.example", None),
        ("", None),
        ("shop", None),
        ("shop@localhost", None),
        ("a..b@x.example", None),
        ("two@x.example, three@x.example", None),
        ("a@x.example\r\nBcc: eve@evil.example", None),
        ("<script>@x.example", None),
        (f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example.org", None),
    ],
)
def test_an_address_is_kept_in_one_form_or_not_at_all(typed: str, kept: str | None) -> None:
    assert email_of(typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  01632   960123 ", "01632 960123"),
        ("+44 (0)1632 960123", "+44 (0)1632 960123"),
        ("030/901820-0", "030/901820-0"),
        ("", None),
        ("1632", None),
        ("1234567890123456", None),
        ("0800 FLOWERS", None),
        ("01632 960123;ext=5", None),
        ("\N{ARABIC-INDIC DIGIT ONE}1632 960123", None),
        ("01632 960123 +44", None),
        (f"01632{' -' * 20}960123", None),
    ],
)
def test_a_number_is_kept_as_it_was_written_or_not_at_all(typed: str, kept: str | None) -> None:
    assert phone_of(typed) == kept


@pytest.mark.parametrize(
    ("phone", "digits"),
    [
        ("01632 960123", "01632960123"),
        ("(01632) 960-123", "01632960123"),
        ("+44 1632 960123", "+441632960123"),
        ("+44 (0)1632 960123", "+441632960123"),
    ],
)
def test_what_is_dialled_is_digits_and_the_plus_of_a_country(phone: str, digits: str) -> None:
    assert dialled(phone) == digits


@pytest.mark.parametrize(
    ("email", "inbox"),
    [
        ("ada@x.test", "ada@x.test"),
        ("ada+a@x.test", "ada@x.test"),
        ("ada+a+b@x.test", "ada@x.test"),
        ("+a@x.test", "+a@x.test"),
        ("a.d.a@x.test", "a.d.a@x.test"),
        ("a.d.a+x@gmail.com", "ada@gmail.com"),
        ("ada@googlemail.com", "ada@gmail.com"),
    ],
)
def test_addresses_of_one_inbox_are_counted_together(email: str, inbox: str) -> None:
    assert inbox_of(email) == inbox


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("", ""),
        (None, ""),
        ("<local>", ""),
    ],
)
def test_a_home_of_many_addresses_is_one_network(address: str | None, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::9", "2001:db8:1::/48"),
        ("", ""),
        (None, ""),
        ("nowhere", ""),
    ],
)
def test_a_clients_address_is_kept_without_its_last_part(address: str | None, kept: str) -> None:
    assert shortened_address(address) == kept
