"""Walking the provider's record: foreign payments, and money that moved without us."""

from .walk import Walked, walk_history
from .walks import walk_due, walk_everything

__all__ = ["Walked", "walk_due", "walk_everything", "walk_history"]
