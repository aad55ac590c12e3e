"""A server on a real socket that answers as no server of ours would: late, in drops, cut short, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

DROP_EVERY_S = 0.02


def http_answer(body: bytes, *, status: str = "200 OK", length: int | None = None, more: str = "") -> bytes:
    """Return the bytes of an answer; ``length`` is what it says that its body has."""
    said = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {said}\r\n{more}\r\n"
    return head.encode() + body


@asynccontextmanager
async def answering(raw: bytes, *, in_drops: bool = False, then_wait: bool = False) -> AsyncIterator[str]:
    """Serve these bytes to everybody, and give the origin; the connection is then closed, or left open."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            for drop in [raw[i : i + 1] for i in range(len(raw))] if in_drops else [raw]:
                writer.write(drop)
                await writer.drain()
                if in_drops and not over.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(over.wait(), DROP_EVERY_S)
            if then_wait:
                await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        over.set()
        server.close()
        await server.wait_closed()
