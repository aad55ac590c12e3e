"""Typed clients of the apps' internal JSON API."""
