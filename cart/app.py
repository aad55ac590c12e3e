"""The cart app: the one cart, checkout, orders, the provider's notices, and what admins do about money."""

from __future__ import annotations

from quart import Quart

from cart.admin_nav import install_admin_nav
from cart.bp.accounts.routes import bp as accounts
from cart.bp.admin_orders.order_routes import bp as admin_order
from cart.bp.admin_orders.routes import bp as admin_orders
from cart.bp.bookings.routes import bp as bookings
from cart.bp.cart.api import bp as cart_api
from cart.bp.cart.global_routes import bp as cart
from cart.bp.cart.page_routes import bp as page_cart
from cart.bp.orders.guest_routes import bp as guest_orders
from cart.bp.orders.routes import bp as orders
from cart.bp.payments.routes import bp as payments
from cart.bp.refunds.order_routes import bp as order_refunds
from cart.bp.refunds.routes import bp as refunds
from cart.bp.reviews.routes import bp as reviews
from cart.bp.security.routes import bp as security
from cart.bp.unpaid.routes import bp as unpaid_orders
from cart.wiring import KINDS, Kinds, install_payment_context, refuse_stubs
from shared.contracts.protocols import Gateways, PaymentGateway
from shared.payments.accounts import OneGateway
from shared.services.registry import Services
from shared.services.wiring import sql_services
from shared.settings import Settings, get_settings
from shared.web.factory import make_app
from shared.web.state import utc_now

BLUEPRINTS = (
    cart,
    page_cart,
    cart_api,
    orders,
    guest_orders,
    unpaid_orders,
    payments,
    admin_orders,
    admin_order,
    refunds,
    order_refunds,
    reviews,
    security,
    bookings,
    accounts,
)


def create_app(
    settings: Settings | None = None,
    services: Services | None = None,
    gateway: PaymentGateway | None = None,
    gateways: Gateways | None = None,
    kinds: Kinds = KINDS,
) -> Quart:
    """Return the cart app; what is not handed in is built from the environment's settings.

    It is paid through ``gateways``, or through ``gateway`` alone, and sells ``kinds``, which are in the order of locks.

    Raises RuntimeError on a calendar or market that does nothing: money would be taken for what nobody gets.
    """
    settings = settings or get_settings()
    services = services or sql_services(settings, utc_now)
    refuse_stubs(services)
    app = make_app("cart", settings, services, template_folder="templates")
    install_payment_context(app, gateways if gateway is None else OneGateway(gateway), kinds)
    install_admin_nav(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app
