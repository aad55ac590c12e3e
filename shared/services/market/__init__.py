"""The market domain's parts, behind SqlMarketService."""
