"""TLS to Xendit: what breaks before the request and what breaks under it are different things."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from app.integrations.xendit import XenditClient, XenditUnknown, XenditUnreachable
from tests.integrations.smtp import certificate

KEY = "xnd_development_only_in_this_test"


@contextmanager
def breaking_under_the_request(context: ssl.SSLContext) -> Iterator[tuple[int, list[bytes]]]:
    """Serve TLS, read a request, then answer with bytes that are no TLS."""
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        plain, _ = listener.accept()
        with suppress(ssl.SSLError), plain:
            shaken = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=True)
            heard.append(shaken.recv(65536))
            raw = shaken.detach()
            with socket.socket(fileno=raw) as torn:
                torn.sendall(b"this is no TLS record at all" * 20)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1], heard
        thread.join(timeout=60)


def test_tls_that_breaks_under_the_request_may_have_done_it(tmp_path: Path) -> None:
    public, context = certificate(tmp_path)

    with breaking_under_the_request(context) as (port, heard):
        client = XenditClient(f"https://127.0.0.1:{port}", KEY)
        client._session.verify = str(public)
        with pytest.raises(XenditUnknown):
            client.read_invoice("650c3f0a")
        client._session.close()

    assert heard[0].startswith(b"GET /v2/invoices/650c3f0a")


def test_a_certificate_nobody_vouches_for_never_sees_the_key(tmp_path: Path) -> None:
    _public, context = certificate(tmp_path)

    with breaking_under_the_request(context) as (port, heard):
        client = XenditClient(f"https://127.0.0.1:{port}", KEY)
        with pytest.raises(XenditUnreachable):
            client.read_invoice("650c3f0a")
        client._session.close()

    assert heard == []
