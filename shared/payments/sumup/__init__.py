"""The adapter to SumUp."""
