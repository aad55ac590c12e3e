"""Payments: opened, settled, fulfilled and fenced."""
