"""Buying tickets, and the tickets that somebody has."""
