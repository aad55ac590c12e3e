"""Debts, and the refunds that settle them."""

from .debts import DebtRow, list_debts
from .refund import refund_debt, settle_refund

__all__ = ["DebtRow", "list_debts", "refund_debt", "settle_refund"]
