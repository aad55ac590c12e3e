"""Payments in review and findings: what waits, and the decisions on them."""

from .decide import accept_payment, refund_payment, settle_payment_elsewhere
from .waiting import (
    FindingRow,
    PaymentTerms,
    ReviewRow,
    close_finding,
    find_finding,
    find_review,
    list_findings,
    list_reviews,
)

__all__ = [
    "FindingRow",
    "PaymentTerms",
    "ReviewRow",
    "accept_payment",
    "close_finding",
    "find_finding",
    "find_review",
    "list_findings",
    "list_reviews",
    "refund_payment",
    "settle_payment_elsewhere",
]
