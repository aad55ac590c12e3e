"""The accounts that pages are paid to."""

from .change import keep_page_account, pay_page_to, pay_page_to_default, refund_page_automatically
from .overview import PageAccount, find_page_account, list_page_accounts

__all__ = [
    "PageAccount",
    "find_page_account",
    "keep_page_account",
    "list_page_accounts",
    "pay_page_to",
    "pay_page_to_default",
    "refund_page_automatically",
]
