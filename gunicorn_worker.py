"""gunicorn's threaded worker, with nobody slow in its threads: requests are gathered before.

gunicorn gives a connection to a thread and reads the request there, without a limit in time: as
many clients as there are threads, each sending a byte a second, stop the whole process. Here the
one thread that watches all connections gathers what arrives, and a thread gets a request when the
whole of it is there. Written for gunicorn 27; its tests use real sockets.
"""

import re
import selectors
import socket
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.http.unreader import Unreader
from gunicorn.workers.gthread import TConn, ThreadWorker

# From the connection, or the first byte of a later request, to the last byte. A phone with a bad
# network needs two or three for a form.
REQUEST_SECONDS = 10.0
# For what a thread does with a client: taking an answer larger than the system's buffers.
SOCKET_SECONDS = 20.0
LINGER_SECONDS = 2.0
HEAD_MOST = 32 * 1024
# Above the application's own limit, which answers 413 without reading.
BODY_MOST = 80 * 1024
CHUNK = 64 * 1024

END_OF_HEAD = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*(?=\r\n)", re.IGNORECASE)
IN_CHUNKS = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
ASKS_FIRST = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
LAST_CHUNK = b"0\r\n\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


class Gathered(Unreader):  # type: ignore[misc]
    """What came of a request, as the parser reads it: behind it nothing is waited for."""

    def chunk(self, _size_hint: int | None = None) -> bytes:
        """Say that this was all."""
        return b""


class Conn(TConn):  # type: ignore[misc]
    """A connection, and what came of its next request so far."""

    def __init__(self, worker: "PatientWorker", *args: Any) -> None:
        super().__init__(*args)
        self.worker = worker
        self.received = bytearray()
        self.was_asked_for_more = False
        self.is_cut_off = False

    def close(self, graceful: bool = False) -> None:
        """Close; gracefully means that the client first sees the end, and that nobody waits."""
        if graceful:
            self.worker.linger(self.sock)
        else:
            util.close(self.sock)


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """A threaded worker whose threads never wait for a request to arrive.

    All methods but `handle_request` run in the one thread that watches the connections.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lingering: deque[tuple[float, socket.socket]] = deque()

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self.enqueue_req(Conn(self, self.cfg, client, address, listener.getsockname()))

    def enqueue_req(self, conn: Conn) -> None:
        """Give a connection to a thread when its request is there, else watch it until then."""
        if conn.initialized:
            conn.received += conn.parser.unreader.take_buffered()  # sent without waiting for us
        conn.was_asked_for_more = False
        is_over = self._receive(conn)
        if is_over or is_whole(conn.received):
            self._decide(conn, is_over=is_over)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + REQUEST_SECONDS
        self.pending_conns.append(conn)
        watch = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, watch)

    def on_pending_socket_readable(self, conn: Conn, client: socket.socket) -> None:
        """Take what came; a connection keeps its deadline until all is there."""
        is_over = self._receive(conn)
        if is_over or is_whole(conn.received):
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            self._decide(conn, is_over=is_over)

    def _receive(self, conn: Conn) -> bool:
        """Take what is there, without waiting; tell whether the client has gone."""
        conn.sock.setblocking(False)
        try:
            data = conn.sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True
        conn.received += data
        if not conn.was_asked_for_more and asks_first(conn.received):
            conn.was_asked_for_more = True
            util.write_nonblock(conn.sock, GO_ON)
        return not data

    def _decide(self, conn: Conn, *, is_over: bool) -> None:
        if is_over and not is_whole(conn.received):
            self.nr_conns -= 1
            conn.close()
            return
        if not conn.initialized:
            conn.init()
            conn.parser.unreader = Gathered()
        conn.data_ready = True
        conn.is_cut_off = is_too_large(conn.received)
        conn.parser.unreader.unread(bytes(conn.received))
        conn.received.clear()
        super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: Conn) -> bool:
        """Answer a request in a thread, which a client that does not read holds for a while only.

        After a body that was too large to gather, the connection is of no use any more.
        """
        conn.sock.settimeout(SOCKET_SECONDS)
        try:
            keeps = super().handle_request(req, conn)
        except TimeoutError:
            self.log.debug("a client was too slow to take its answer")
            return False
        return bool(keeps) and not conn.is_cut_off

    def linger(self, client: socket.socket) -> None:
        """Say that nothing follows, and close when the client has closed or after a moment.

        Closed at once, unread bytes would take the answer away from it. gunicorn waits here, and
        all other connections with it.
        """
        try:
            client.shutdown(socket.SHUT_WR)
            client.setblocking(False)
            self.poller.register(client, selectors.EVENT_READ, self._drain)
        except (OSError, ValueError, KeyError):
            util.close(client)
            return
        self._lingering.append((time.monotonic() + LINGER_SECONDS, client))

    def _drain(self, client: socket.socket) -> None:
        try:
            if client.recv(CHUNK):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end(client)

    def _end(self, client: socket.socket) -> None:
        self.poller.unregister(client)
        util.close(client)

    def murder_pending(self) -> None:
        """Close what did not arrive in time, and what lingered long enough."""
        super().murder_pending()
        now = time.monotonic()
        while self._lingering and self._lingering[0][0] <= now:
            _, client = self._lingering.popleft()
            if client.fileno() >= 0:
                self._end(client)


def is_whole(data: bytearray) -> bool:
    """Tell whether a thread can take it from here: it is complete, or will be refused anyway.

    In chunks, the last one is known by its end; a body that merely looks like it is refused.
    """
    head = data.find(END_OF_HEAD)
    if head < 0:
        return len(data) > HEAD_MOST
    body = len(data) - head - len(END_OF_HEAD)
    if match := LENGTH.search(data, 0, head + 2):
        return body >= int(match.group(1)) or is_too_large(data)
    if IN_CHUNKS.search(data, 0, head + 2):
        return data.endswith(LAST_CHUNK) or is_too_large(data)
    return True


def is_too_large(data: bytearray) -> bool:
    """Tell whether a body says or shows that it is more than is gathered."""
    head = data.find(END_OF_HEAD)
    if match := LENGTH.search(data, 0, head + 2):
        return int(match.group(1)) > BODY_MOST
    return len(data) - head - len(END_OF_HEAD) > BODY_MOST and not data.endswith(LAST_CHUNK)


def asks_first(data: bytearray) -> bool:
    """Tell whether the client waits to be told to send the body, which it then has not sent."""
    head = data.find(END_OF_HEAD)
    return head == len(data) - len(END_OF_HEAD) and bool(ASKS_FIRST.search(data, 0, head + 2))
