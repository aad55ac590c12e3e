"""The worker: takes jobs from the queue, and sweeps on a schedule for what no job brought.

Both survive a database that goes away: the loop starts over until it is told to stop.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.models import Job

from shared.db.engine import driver_url
from shared.settings import QUEUE_CONNECTIONS

Handler = Callable[[dict[str, object]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Work that is done again and again, with a pause of so many seconds between."""

    name: str
    work: Callable[[], Awaitable[None]]
    pause_s: float


_log = structlog.get_logger("maypole.worker")


def _guarded(name: str, handler: Handler) -> Callable[[Job], Awaitable[None]]:
    """Wrap a job so that its failure is logged; the sweep tries again what is still undone."""

    async def run(job: Job) -> None:
        structlog.contextvars.bind_contextvars(job=name, job_id=int(job.id))
        try:
            await handler(json.loads(job.payload or b"{}"))
        except Exception:  # noqa: BLE001 - the edge: a job that fails must not end the worker
            _log.exception("job_failed")
        finally:
            structlog.contextvars.clear_contextvars()

    return run


async def _run_queue(url: str, handlers: Mapping[str, Handler], stop: asyncio.Event) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=QUEUE_CONNECTIONS) as pool:
        queue = PgQueuer.from_asyncpg_pool(pool)
        for name, handler in handlers.items():
            queue.entrypoint(name)(_guarded(name, handler))
        running = asyncio.create_task(queue.qm.run(shutdown_on_listener_failure=True))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        # The queue takes no more jobs, and finishes those that it has begun.
        queue.shutdown.set()
        stopping.cancel()
        # Raises what ended the queue, a lost connection above all: ``_keep_running`` then starts it over.
        await running


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _keep_running(repeated: Repeated, stop: asyncio.Event) -> None:
    """Do the work again and again until told to stop; a failure is logged and waited out."""
    while not stop.is_set():
        try:
            await repeated.work()
        except Exception:  # noqa: BLE001 - the edge: a database that is away comes back
            _log.exception("worker_part_failed", part=repeated.name)
        await _pause(stop, repeated.pause_s)


async def run_worker(
    url: str, handlers: Mapping[str, Handler], repeated: Sequence[Repeated], stop: asyncio.Event
) -> None:
    """Run the queue of the database at ``url``, and everything that is repeated, until ``stop`` is set."""
    queue = Repeated("queue", lambda: _run_queue(driver_url(url), handlers, stop), 1.0)
    await asyncio.gather(*(_keep_running(one, stop) for one in (queue, *repeated)))


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
