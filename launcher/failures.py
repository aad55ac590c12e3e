"""What a command says when it cannot do its work: one line, and an exit code that is not 0."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from pydantic import ValidationError

from launcher.postgres.account import EmbeddedPostgresError
from shared.settings import APPS

NOT_EVERYWHERE = (*APPS, "demo", "sandbox")
"""The packages that an app's image or its own tree may lack."""


class CommandError(Exception):
    """A command cannot go on; the message is for the person who typed it."""


@contextmanager
def plain_failures() -> Iterator[None]:
    """Turn the expected failures into one line on standard error and exit code 1."""
    try:
        yield
    except (CommandError, EmbeddedPostgresError) as failure:
        fail(str(failure))
    except ModuleNotFoundError as failure:
        room = (failure.name or "").partition(".")[0]
        # A library that is missing is a fault of the installation: its trace says more than any line of ours.
        if room not in NOT_EVERYWHERE:
            raise
        fail(f"this installation has no {room}: run the command where the whole source is")
    except ValidationError as failure:
        # Each line once: a setting that is read as a list reports the same for each of its parts.
        for line in dict.fromkeys(_line(wrong["loc"], wrong["msg"]) for wrong in failure.errors()):
            print(f"maypole: {line}", file=sys.stderr)
        sys.exit(1)


def _line(place: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{str(place[0]).upper()}: {text}" if place else text


def fail(message: str) -> NoReturn:
    """Say one line on standard error and end with exit code 1."""
    print(f"maypole: {message}", file=sys.stderr)
    sys.exit(1)
