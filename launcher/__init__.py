"""The ``maypole`` command; ``./run`` is ``maypole up``, and ``./run COMMAND`` any other of its commands."""

from .commands import app

__all__ = ["app"]
