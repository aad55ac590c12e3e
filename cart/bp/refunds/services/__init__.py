"""Debts, and the refunds that settle them."""

from .automatic import refund_automatically
from .batch import Batch, Progress, RefundJob, debts_in_hand, find_batch, find_progress, run_refunds, start_batch
from .by_hand import settle_by_hand
from .debts import DebtRow, debts_of_request, find_debt, list_debts
from .give_back import Decision, give_back
from .refund import RefundUnderWay, refund_debt, settle_refund
from .refundable import RefundableLine, RefundableOrder, Share, Wish, find_refundable, shares_of

__all__ = [
    "Batch",
    "DebtRow",
    "Decision",
    "Progress",
    "RefundJob",
    "RefundUnderWay",
    "RefundableLine",
    "RefundableOrder",
    "Share",
    "Wish",
    "debts_in_hand",
    "debts_of_request",
    "find_batch",
    "find_debt",
    "find_progress",
    "find_refundable",
    "give_back",
    "list_debts",
    "refund_automatically",
    "refund_debt",
    "run_refunds",
    "settle_by_hand",
    "settle_refund",
    "shares_of",
    "start_batch",
]
