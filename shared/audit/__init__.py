"""The checks behind ``maypole audit``."""
