"""Refunds: how a debt is paid through the provider, or by hand."""
