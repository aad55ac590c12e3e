"""The stylesheet's promises that a program can check, and the macros of the design system."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from selectolax.lexbor import LexborHTMLParser

from shared.browser.filters import money_filter, qr
from shared.contracts.dtos import CartSummaryDTO, TicketDTO
from shared.contracts.states import TicketState
from shared.contracts.times import when
from shared.labels import OWN_TAGS

BROWSER = Path(__file__).resolve().parents[2] / "shared" / "browser"
CSS = (BROWSER / "static" / "maypole.css").read_text()
TEXT = 4.5
CONTROL = 3.0
"""WCAG 2.2, 1.4.3 and 1.4.11."""

GROUNDS = ("paper", "surface", "sunken")
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "ink-soft", "accent", "accent-strong") for ground in GROUNDS),
    *((word, f"{word}-soft", TEXT) for word in ("good", "warn", "bad", "info")),
    *((word, ground, TEXT) for word in ("bad", "good") for ground in ("paper", "surface")),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    *(("edge", ground, CONTROL) for ground in ("paper", "surface")),
    *(("sky", ground, CONTROL) for ground in GROUNDS),  # the ring around what has the focus
]


def tokens(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\n\s*\}", CSS.split("@layer base {")[0], re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", light))
    return found if scheme == "light" else found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", dark))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_ink_stands_out_from_its_ground(scheme: str, ink: str, ground: str, least: float) -> None:
    colours = tokens(scheme)
    lighter, darker = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)

    assert (lighter + 0.05) / (darker + 0.05) >= least


def test_every_colour_has_a_dark_sister() -> None:
    light, dark = tokens("light"), tokens("dark")

    assert [name for name in light if light[name] == dark[name]] == []


def test_nothing_comes_from_elsewhere() -> None:
    scripts = (BROWSER / "static" / "maypole.js").read_text()

    assert not re.search(r"@import|url\(|https?:", CSS)
    assert "http" not in scripts


def test_every_documented_class_exists() -> None:
    documented = set(re.findall(r'class="([^"{]+)"', (BROWSER.parents[1] / "docs" / "design.md").read_text()))
    names = {name for classes in documented for name in classes.split()}

    assert {name for name in names if f".{name}" not in CSS} == set()


# --- macros ---


@pytest.fixture(scope="module")
def environment() -> Environment:
    """Give the templates as the apps have them, as far as macros need it."""
    made = Environment(
        loader=FileSystemLoader(BROWSER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"money": money_filter("GBP"), "qr": qr, "when": when}
    made.globals |= {"own_tags": OWN_TAGS, "page_url": lambda app, path: f"http://{app}.example{path}"}
    return made


def render(environment: Environment, source: str, **values: Any) -> LexborHTMLParser:
    imports = (
        '{% from "_types/_macros/ui.html" import notice, price, date_block, ticket_card, empty %}'
        '{% from "_types/_macros/forms.html" import field, quantity, error_summary %}'
    )
    return LexborHTMLParser(environment.from_string(imports + source).render(**values))


def ticket(**changes: Any) -> TicketDTO:
    values: dict[str, Any] = {
        "id": 1,
        "code": "ABCD1234",
        "state": TicketState.CONFIRMED,
        "entry_id": 1,
        "entry_name": "Earnest",
        "entry_start_at": datetime(2026, 7, 4, 18, 30, tzinfo=UTC),
        "entry_end_at": datetime(2026, 7, 4, 20, 30, tzinfo=UTC),
        "ticket_type_id": 1,
        "ticket_type_name": "Adult",
        "cost": Decimal("14.00"),
        "calendar_name": "At the Lantern",
        "calendar_slug": "lantern",
        "time_zone": "Europe/London",
        "place": "Bridge Street",
        "calendar_container_id": 1,
        "calendar_container_type": "page",
    }
    return TicketDTO(**values | changes)


@pytest.mark.parametrize(
    ("amount", "shown"), [(Decimal("12.50"), "£12.50"), (Decimal("0.00"), "Free"), (None, "")], ids=str
)
def test_a_price_of_nothing_is_free_and_no_price_is_nothing(
    environment: Environment, amount: Decimal | None, shown: str
) -> None:
    assert render(environment, "<p>{{ price(amount) }}</p>", amount=amount).css_first("p").text().strip() == shown


@pytest.mark.parametrize(("kind", "role"), [("bad", "alert"), ("good", "status"), ("info", "status")])
def test_a_notice_is_announced_as_loudly_as_it_matters(environment: Environment, kind: str, role: str) -> None:
    page = render(environment, "{% call notice(kind, '<b>') %}<p>x</p>{% endcall %}", kind=kind)

    assert page.css_first(".notice").attributes["role"] == role
    assert page.css_first(".notice__title").text() == "<b>"


def test_the_day_is_the_one_at_the_place(environment: Environment) -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)

    page = render(environment, "{{ date_block(late, 'Europe/London') }}", late=late)

    assert page.css_first(".date-block").text().split() == ["Wed", "1", "Jul"]


def test_an_error_belongs_to_its_field(environment: Environment) -> None:
    page = render(environment, "{{ field('email', 'E-mail', '\"<x', hint='H', error='Wrong') }}")
    control = page.css_first("input")

    assert control.attributes["value"] == '"<x'
    assert control.attributes["aria-describedby"] == "f-email-hint f-email-error"
    assert control.attributes["aria-invalid"] == "true"
    assert page.css_first("label").attributes["for"] == control.id == "f-email"


@pytest.mark.parametrize(
    ("typed", "kind"), [(2, "number"), ("-1", "number"), ("1e9", "text"), ("two", "text"), ("", "text")]
)
def test_a_number_field_keeps_what_was_typed(environment: Environment, typed: object, kind: str) -> None:
    control = render(environment, "{{ quantity('q', 'How many', typed) }}", typed=typed).css_first("input")

    assert (control.attributes["type"], control.attributes["value"]) == (kind, str(typed))


def test_the_summary_of_errors_leads_to_the_fields(environment: Environment) -> None:
    page = render(environment, "{{ error_summary([('f-a', 'Enter a'), ('', 'Sold out')]) }}")

    assert [a.attributes["href"] for a in page.css("a")] == ["#f-a"]
    assert page.css_first(".error-summary").attributes["role"] == "alert"
    assert render(environment, "{{ error_summary([]) }}").css_first(".error-summary") is None


def test_a_confirmed_ticket_shows_its_code_as_text_and_picture(environment: Environment) -> None:
    page = render(environment, "{{ ticket_card(t) }}", t=ticket())

    assert page.css_first(".ticket__code").text() == "ABCD1234"
    assert page.css_first(".ticket__qr svg") is not None
    assert "Sat 4 Jul 2026, 19:30" in page.css_first(".ticket").text()


@pytest.mark.parametrize("state", [TicketState.REFUNDED, TicketState.CANCELLED, TicketState.OVERSOLD])
def test_a_ticket_that_does_not_count_any_more_shows_no_code(environment: Environment, state: TicketState) -> None:
    page = render(environment, "{{ ticket_card(t) }}", t=ticket(state=state))

    assert page.css_first(".ticket__stub") is None


@pytest.mark.parametrize("state", TicketState)
def test_every_ticket_that_was_bought_says_its_state(environment: Environment, state: TicketState) -> None:
    tags = render(environment, "{{ ticket_card(t) }}", t=ticket(state=state, code=None)).css(".tag")

    assert len(tags) == (0 if state is TicketState.PENDING else 1)


# --- the badge ---


def badge(environment: Environment, summary: CartSummaryDTO | None) -> LexborHTMLParser:
    return LexborHTMLParser(environment.get_template("_types/cart/_mini.html").render(badge=summary))


def test_the_badge_counts_products_bookings_and_tickets(environment: Environment) -> None:
    page = badge(environment, CartSummaryDTO(count=1, calendar_count=2, ticket_count=4))

    assert page.css_first(".cart-badge__count").text() == "7"
    assert page.css_first(".visually-hidden").text().split() == [":", "1", "product", "2", "bookings", "4", "tickets"]


@pytest.mark.parametrize("summary", [None, CartSummaryDTO()], ids=["unknown", "empty"])
def test_the_badge_has_no_number_when_it_is_not_known_or_nothing(
    environment: Environment, summary: CartSummaryDTO | None
) -> None:
    page = badge(environment, summary)

    assert page.css_first(".cart-badge__count") is None
    assert page.css_first("a").attributes["href"] == "http://cart.example/"


def test_the_badge_says_that_an_order_waits_for_its_payment(environment: Environment) -> None:
    page = badge(environment, CartSummaryDTO(open_orders=1))

    assert page.css_first(".cart-badge__open") is not None
    assert "an order waits for its payment" in page.css_first("a").text()
