"""``python -m launcher``: the same as the ``maypole`` command."""

from .commands import app

if __name__ == "__main__":
    app(prog_name="maypole")
