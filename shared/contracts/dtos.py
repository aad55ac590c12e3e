"""What the domains hand to one another: plain frozen data. Each is defined with its domain, and imported from here."""

from .blog import PageDTO, PostDTO
from .calendar import AgendaDTO, BookingTermsDTO, CalendarDTO, ClosureDTO, EntryDTO, SlotDTO, TicketDTO, TicketTypeDTO
from .cart import CartItemDTO, CartNoticeDTO, CartSummaryDTO, KindCount, StaleLine
from .gateway import (
    Account,
    CancelOutcome,
    Checkout,
    CheckoutRequest,
    CheckoutStatus,
    HistoryItem,
    HistoryPage,
    Movement,
    MovementStatus,
    RefundAnswer,
    RefundOutcome,
    Transaction,
)
from .market import AllocationDTO, ProductDTO, VariantDTO
from .money import ZERO
from .orders import OrderDTO, OrderLineDTO, PaymentDTO, SellerDTO
from .users import UserDTO

__all__ = [
    "ZERO",
    "Account",
    "AgendaDTO",
    "AllocationDTO",
    "BookingTermsDTO",
    "CalendarDTO",
    "CancelOutcome",
    "CartItemDTO",
    "CartNoticeDTO",
    "CartSummaryDTO",
    "Checkout",
    "CheckoutRequest",
    "CheckoutStatus",
    "ClosureDTO",
    "EntryDTO",
    "HistoryItem",
    "HistoryPage",
    "KindCount",
    "Movement",
    "MovementStatus",
    "OrderDTO",
    "OrderLineDTO",
    "PageDTO",
    "PaymentDTO",
    "PostDTO",
    "ProductDTO",
    "RefundAnswer",
    "RefundOutcome",
    "SellerDTO",
    "SlotDTO",
    "StaleLine",
    "TicketDTO",
    "TicketTypeDTO",
    "Transaction",
    "UserDTO",
    "VariantDTO",
]
