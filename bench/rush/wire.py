"""Plain HTTP/1.1 over kept connections, cheap enough to share two cores with the server.

The connections are shared by all buyers, as a reverse proxy in front of the service shares its
own: who comes is told apart by X-Forwarded-For.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

IDLE_SECONDS = 5.0  # below the server's keep-alive: a kept connection is never one just closed
PATIENCE_SECONDS = 60.0  # a browser has more of it, a person less
NO_ANSWER = 0


class Reply(NamedTuple):
    """An answer; status NO_ANSWER when the connection broke or nobody answered in time."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float


class Wire:
    """Sends requests; connections are opened as needed and kept for the next one."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._idle: dict[tuple[str, int], list[_Line]] = defaultdict(list)
        self.opened = 0

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Send one request and read its whole answer."""
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        data = "\r\n".join([*lines, "", ""]).encode() + body
        address = (parts.hostname or "", parts.port or 80)
        try:
            async with asyncio.timeout(self._patience):
                return await self._exchange(address, data)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            return Reply(NO_ANSWER, {}, b"")

    async def _exchange(self, address: tuple[str, int], data: bytes) -> Reply:
        line = await self._line(address)
        is_reusable = False
        try:
            line.writer.write(data)
            reply = await _read(line.reader)
            is_reusable = reply.headers.get("connection", "").lower() != "close"
            return reply
        finally:
            if is_reusable:
                line.idle_since = time.monotonic()
                self._idle[address].append(line)
            else:
                line.writer.close()

    async def _line(self, address: tuple[str, int]) -> _Line:
        idle = self._idle[address]
        while idle:
            line = idle.pop()  # the one used last: the others grow old and are let go
            if time.monotonic() - line.idle_since < IDLE_SECONDS and not line.reader.at_eof():
                return line
            line.writer.close()
        self.opened += 1
        return _Line(*await asyncio.open_connection(*address), time.monotonic())

    def close(self) -> None:
        """Close the connections that nobody uses."""
        for idle in self._idle.values():
            for line in idle:
                line.writer.close()
        self._idle.clear()


async def _read(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    headers: dict[str, str] = {}
    for line in head[1:-2]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        # Cookies alone come several times; no two of ours may become one.
        headers[name] = f"{headers[name]}\n{value}" if name in headers else value
    length = 0 if status in (204, 304) else int(headers.get("content-length", 0))
    return Reply(status, headers, await reader.readexactly(length) if length else b"")
