"""A person at a browser: what they read and press, in the words of the pages. A changed page is one edit here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from playwright.async_api import Locator, Page, expect

from tests.browser.watch import Watch
from tests.support.site import Site, wait_until

SLACK_PX = 1
"""What browsers round."""


@dataclass(frozen=True, slots=True)
class Show:
    """An event that a test has put on sale."""

    id: int
    name: str
    page_slug: str
    calendar_id: int
    prices: dict[str, Decimal]

    @property
    def path(self) -> str:
        return f"/entries/{self.id}/"


class Shop:
    """The site as one person sees it, in a browser of their own."""

    def __init__(self, site: Site, page: Page, watch: Watch) -> None:
        self.site = site
        self.page = page
        self.watch = watch
        self._read: set[str] = set()

    # --- finding things ---

    def heading(self, text: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("heading", name=text)

    def button(self, text: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=text)

    def link(self, text: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("link", name=text)

    def quantity(self, kind: str) -> Locator:
        """The number field of a kind of ticket on an event's page; no kind: the event has one price."""
        return self.page.get_by_label(f"How many tickets: {kind}" if kind else "How many tickets", exact=True)

    def cart_quantity(self, show: Show, kind: str) -> Locator:
        return self.page.get_by_label(f"How many {kind} tickets for {show.name}", exact=True)

    @property
    def badge(self) -> Locator:
        """The cart in the header."""
        return self.page.locator("#cart-mini")

    @property
    def badge_number(self) -> Locator:
        return self.badge.locator(".cart-badge__count")

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    @property
    def qr_codes(self) -> Locator:
        return self.page.get_by_role("img", name=re.compile("^QR code "))

    async def codes(self) -> list[str]:
        """Return the codes of the tickets on this page."""
        return await self.page.locator(".ticket__code").all_inner_texts()

    # --- moving about ---

    async def open(self, app: str, path: str = "/") -> int:
        """Type an address; return the status of the answer."""
        answer = await self.page.goto(self.site.url(app, path))
        await self.fits()
        return 0 if answer is None else answer.status

    async def open_entry(self, show: Show) -> None:
        await self.open("events", show.path)
        await expect(self.heading(show.name)).to_be_visible()

    async def open_cart(self) -> None:
        """Follow the badge in the header."""
        await self.badge.click()
        await self.arrives("cart")
        await expect(self.page.get_by_role("heading", level=1)).to_contain_text("Your cart")

    async def arrives(self, app: str, path: str = "") -> None:
        """Wait until an address of this app is shown, and see that it fits on the screen."""
        await self.page.wait_for_url(re.compile("^" + re.escape(self.site.url(app, path or "/"))))
        await self.fits()

    async def fits(self) -> None:
        """See that nothing sticks out of the screen at the side."""
        wide, screen = await self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= screen + SLACK_PX, f"{self.page.url} is {wide}px wide on a screen of {screen}px"

    # --- signing in ---

    async def sign_in(self, email: str) -> None:
        """Sign in from the header of the blog's front page."""
        await self.open("blog", "/auth/sign-in")
        await self.sign_in_here(email)

    async def sign_in_here(self, email: str) -> None:
        """Fill in the sign-in form that is shown, and do as the mail says."""
        await self.page.get_by_label("E-mail address").fill(email)
        await self.button("Send me a link").click()
        await expect(self.heading("Check your mail")).to_be_visible()
        await self.fits()
        await self.open_mail(email, "Your link to sign in")
        await self.main.locator("a[href*='/auth/link/']").click()
        await expect(self.main).to_contain_text(email)
        await self.main.get_by_role("button", name="Sign in").click()
        await expect(self.link("Account")).to_be_visible()
        await self.fits()

    async def sign_out(self) -> None:
        await self.open("blog", "/account")
        await self.button("Sign out").first.click()
        await expect(self.link("Sign in").first).to_be_visible()

    async def open_mail(self, email: str, subject: str) -> None:
        """Open a mail to this address that was not read yet, and begins like this; it may still be on its way."""
        row = self.main.get_by_role("listitem").filter(has_text=f"To {email} ").get_by_role("link")
        wanted = row.filter(has_text=re.compile("^" + re.escape(subject), re.IGNORECASE)).first

        async def it_is_here() -> bool:
            await self.open("blog", "/outbox/")
            return await wanted.is_visible() and await wanted.get_attribute("href") not in self._read

        await wait_until(it_is_here, f"a mail {subject!r} to {email}")
        self._read.add(await wanted.get_attribute("href") or "")
        await wanted.click()
        await expect(self.heading("As text")).to_be_visible()

    # --- buying ---

    async def buy(self, show: Show, **quantities: int) -> None:
        """Put tickets into the cart: ``buy(show, Adult=2)``; without a kind, one of the first."""
        await self.open_entry(show)
        for kind, number in (quantities or {next(iter(show.prices)): 1}).items():
            await self.quantity(kind).fill(str(number))
        await self.button("Buy tickets").click()
        await expect(self.heading("Added to cart")).to_be_visible()
        await self.fits()

    async def take(self, path: str, kind: str, quantity: int = 1) -> None:
        """Put a product into the cart: its page, which kind of it, how many."""
        await self.open("market", path)
        await self.page.get_by_label(kind).check()
        await self.page.get_by_label("How many").fill(str(quantity))
        await self.button("Add to cart").first.click()
        await expect(self.heading("Added to cart")).to_be_visible()
        await self.fits()

    async def book(self, path: str, *times: str) -> None:
        """Put times of a day into the cart: the day's page, and when they begin."""
        await self.open("events", path)
        for time in times:
            await self.page.get_by_label(re.compile(f"^{time} to ")).check()
        await self.button("Add to cart").click()
        await expect(self.heading("Added to cart")).to_be_visible()
        await self.fits()

    async def check_out_page(self, title: str) -> None:
        """In the cart, check out what one page sells, and arrive at the payment page."""
        await self.group(title).get_by_role("button", name=f"Check out {title}").click()
        await self.arrives_at_payment()

    async def check_out_as_guest(self, what: str, email: str) -> None:
        """In the cart, type an e-mail address above the button that checks this out, and press it."""
        form = self.page.locator("form").filter(has=self.button(f"Check out {what}"))
        await form.get_by_label("Your e-mail address").fill(email)
        await form.get_by_role("button").click()

    def group(self, title: str) -> Locator:
        """What one page sells in the cart."""
        return self.page.get_by_role("region", name=title, exact=True)

    def line(self, title: str) -> Locator:
        """The line of one thing in the cart."""
        return self.page.locator("#cart-panel li").filter(has_text=title)

    async def press_check_out(self) -> None:
        """Go to the cart and press the button."""
        await self.open_cart()
        await self.button(re.compile("^Check out and pay £")).click()

    async def check_out(self) -> None:
        """Go to the cart, check out, and arrive at the payment page."""
        await self.press_check_out()
        await self.arrives_at_payment()

    async def arrives_at_payment(self) -> None:
        await self.arrives("sandbox", "/pay/")
        await expect(self.main).to_contain_text("Amount")

    @property
    def checkout_id(self) -> str:
        """The provider's name for the payment that is shown."""
        return self.page.url.rpartition("/")[2]

    async def press_pay(self) -> None:
        """Pay, and stay on the provider's page."""
        await self.button(re.compile("^(Pay|Try again: pay) £")).click()
        await expect(self.heading("Payment successful")).to_be_visible()

    async def pay(self) -> None:
        """Pay, and come back to the shop, which says so."""
        await self.press_pay()
        await self.link("Back to the shop").click()
        await self.arrives("cart", "/checkout/return/")
        await expect(self.heading("Paid. Thank you!")).to_be_visible()

    async def decline(self) -> None:
        """Let the payment be declined."""
        await self.button("Decline").click()
        await expect(self.heading("Payment declined")).to_be_visible()

    async def leave_payment(self) -> None:
        """Go back to the shop without having paid."""
        await self.link(re.compile("^(Leave without paying|Back to the shop)$")).click()
        await self.arrives("cart", "/checkout/return/")

    # --- with the keyboard ---

    async def tab_to(self, wanted: Locator, most: int = 60) -> None:
        """Press Tab until ``wanted`` has the focus, and see that this shows."""
        for _ in range(most):
            await self.page.keyboard.press("Tab")
            if await wanted.evaluate("element => element === document.activeElement"):
                shown = await wanted.evaluate(
                    "element => { const s = getComputedStyle(element);"
                    " return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; }"
                )
                assert shown, "the focus cannot be seen"
                return
        raise AssertionError(f"{most} times Tab never reach {wanted}")
