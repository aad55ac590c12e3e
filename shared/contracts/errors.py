"""The one tree of refusals. Each class has a code for programs, a status, and a text fit for a buyer.

Expected refusals are not crashes: ``shared/web/errors.py`` renders them as a page, a partial or JSON.
"""

from __future__ import annotations

from .lines import LineKey
from .sale import Sale


class ShopError(Exception):
    """An expected refusal. ``str()`` of it is shown to people, so it never holds anything private."""

    code = "refused"
    status = 400
    text = "That did not work. Please try again."

    def __init__(self, text: str | None = None, *, field: str | None = None) -> None:
        """Take a text that is better than the class's own, and the form field that it is about."""
        super().__init__(text or self.text)
        self.field = field


class BadInput(ShopError):
    """A form or a request body has a value that cannot be used."""

    code = "bad_input"
    status = 422
    text = "Please check what you entered."


# A 403 would tell a stranger that the order or ticket exists.
class NotFound(ShopError):
    """There is no such thing, or it is not this person's: the two look alike on purpose."""

    code = "not_found"
    status = 404
    text = "We could not find that."


class Forbidden(ShopError):
    """The signed-in person may not do this."""

    code = "forbidden"
    status = 403
    text = "Your account is not allowed to do that."


class SignInRequired(ShopError):
    """Only a signed-in person can do this."""

    code = "sign_in_required"
    status = 401
    text = "Please sign in first."


class SignInAgain(SignInRequired):
    """What is asked for moves money, and it is a while since this person signed in."""

    code = "sign_in_again"
    text = (
        "It is a while since you signed in, so nothing was done. Sign in once more, then go back to the form:"
        " most browsers still have there what you entered, but no secret keys."
    )


class Conflict(ShopError):
    """The thing has moved on since the page was shown."""

    code = "conflict"
    status = 409
    text = "Something has changed in the meantime. Please look again."


class TooMany(ShopError):
    """A limit on the rate of requests was reached."""

    code = "too_many_requests"
    status = 429
    text = "That was a little too often. Please wait a moment and try again."


class Unavailable(ShopError):
    """Something that we depend on does not answer now; nothing was changed."""

    code = "unavailable"
    status = 503
    text = "This is not available right now. Please try again in a moment."


# --- Tickets and checkout ---


class NotOnSale(BadInput):
    """The entry or type is not for sale: over, not yet open, closed, or it has no price."""

    code = "not_on_sale"


class TooManyTickets(BadInput):
    """More tickets than one person may have in the cart for this entry."""

    code = "too_many_tickets"


class UnknownTicketType(BadInput):
    """The ticket type does not exist, or belongs to another entry."""

    code = "unknown_ticket_type"


class CartEmpty(Conflict):
    """There is nothing in the cart to check out."""

    code = "cart_empty"
    text = "There is nothing in your cart to check out."


# A refusal, never a correction: nobody is charged another sum than they agreed to (docs/money.md, promise 4).
class TotalChanged(Conflict):
    """The total that the shopper saw is not the total of what is in the cart; nothing was kept."""

    code = "total_changed"
    text = "The total of your cart has changed. Please check it before you pay."


class SoldOut(Conflict):
    """Some line cannot be had in the number asked for; nothing was kept or charged."""

    code = "sold_out"
    text = "Something in your cart is no longer available."

    # None where the database's own guard refused: it names its constraint, and no line.
    def __init__(self, problems: tuple[LineProblem, ...] = (), text: str | None = None) -> None:
        """Take one problem for each line that failed."""
        super().__init__(text)
        self.problems = problems


class LineProblem:
    """One line of a cart that cannot be had: which one, how many were wanted, and how it stands in the sale."""

    __slots__ = ("key", "sale", "wanted")

    def __init__(self, key: LineKey, *, wanted: int, sale: Sale) -> None:
        """Name the line by its key."""
        self.key = key
        self.wanted = wanted
        self.sale = sale

    @property
    def left(self) -> int:
        """How many are left."""
        return self.sale.left or 0


class NotOffered(BadInput):
    """A slot is not offered: no rule has it, the day is closed, or it is too late or too early to book it."""

    code = "not_offered"


class TooManyProducts(BadInput):
    """More of a product than one cart may hold, or than there are."""

    code = "too_many_products"


# A checkout at the provider pays one account, so one order can't be paid to two.
class SeveralAccounts(Conflict):
    """The cart holds things of pages that are paid to different accounts: each group is paid by itself."""

    code = "several_accounts"
    text = "These pages are paid separately. Please check out each group by itself."


# --- Payment gateway (docs/sumup.md § 10) ---


# No ShopError: what a provider says is for the log and for admins, and a route must choose its own words for a buyer.
class GatewayError(Exception):
    """The provider refused, or could not be understood. Never shown to a buyer as it is."""


class Rejected(GatewayError):
    """The provider refused the request; nothing happened there. Safe to repeat once mended."""

    def __init__(self, code: str, params: tuple[str, ...] = (), *, status: int = 400) -> None:
        """Take the provider's ``error_code`` and the parameters that it names."""
        super().__init__(f"{status} {code} {','.join(params)}".strip())
        self.code = code
        self.params = params
        self.status = status


class AuthFailed(GatewayError):
    """The key is not accepted."""


# Of this tree all the same: whoever handles a provider that does not answer handles this alike.
class AccountMissing(GatewayError):
    """We have no key for this account; nothing was sent."""


class NotAllowed(GatewayError):
    """The account may not do this (for example, online payments are not enabled)."""


class GatewayNotFound(GatewayError):
    """The provider does not know the id."""


class GatewayConflict(GatewayError):
    """The thing is in a state that does not allow the request (``code`` says which)."""

    # Decisions rest on the code, never on the message, which may be worded anew any day (docs/sumup.md § 8).
    def __init__(self, code: str) -> None:
        """Take the provider's ``error_code``."""
        super().__init__(code)
        self.code = code


# Reads wait for up to ten seconds by themselves: the worker, not a buyer, has the patience for more.
class RateLimited(GatewayError):
    """Too many requests; nothing happened there."""

    def __init__(self, retry_after: float | None = None) -> None:
        """Take the number of seconds that the provider asks us to wait, if it says."""
        super().__init__(f"retry after {retry_after}")
        self.retry_after = retry_after


# The next two must never be mixed up: after the first the call may be repeated; after the second that could pay twice.
class GatewayUnavailable(GatewayError):
    """Nothing was sent, or a read failed: nothing changed at the provider. Safe to repeat."""


class GatewayUnknown(GatewayError):
    """The request was sent and its answer lost: it may or may not have taken effect.

    Look it up; repeat nothing but ``create``, of which the provider keeps one a reference.
    """
