"""Debts: money that is owed to a buyer, and how it is settled."""
