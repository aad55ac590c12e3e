"""Debts, and the refunds that settle them."""

from .batch import Batch, Progress, RefundJob, find_batch, find_progress, run_refunds, start_batch
from .by_hand import settle_by_hand
from .debts import DebtRow, debts_of_request, find_debt, list_debts
from .refund import refund_debt, settle_refund

__all__ = [
    "Batch",
    "DebtRow",
    "Progress",
    "RefundJob",
    "debts_of_request",
    "find_batch",
    "find_debt",
    "find_progress",
    "list_debts",
    "refund_debt",
    "run_refunds",
    "settle_by_hand",
    "settle_refund",
    "start_batch",
]
