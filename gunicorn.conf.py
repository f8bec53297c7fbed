"""How gunicorn serves the application: `gunicorn wsgi:app` reads this file by itself.

Waiting for Xendit costs a thread, not a core, hence few processes with many threads.
How they are shared out is said in docs/overload.md.
"""

import os
from pathlib import Path

from gunicorn.workers.base import Worker

wsgi_app = "wsgi:app"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"

worker_class = "gunicorn_worker.PatientWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# WEB_THREADS of the shop may wait for Xendit and as many again for their turn; above them the
# payments' own, those for who looks and who comes too late (app/lanes.py), and a few for files and
# health. Those that wait cost no core.
threads = 2 * int(os.environ.get("WEB_THREADS", "64")) + 64 + 16 + 32 + 8
# Each process opens its own database connections; none may be shared across the fork.
preload_app = False

# For threaded workers this is the heartbeat of the process, not a limit on one request.
timeout = 30
# Long enough for an order that waits for Xendit to finish when the process is told to stop.
graceful_timeout = 30
# Reverse proxies keep connections open; closing them too soon costs a handshake a request.
keepalive = 15
# A heartbeat file on a slow disk can stop a healthy process.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

# Who may set X-Forwarded-* is decided in one place, the application's TRUSTED_PROXIES;
# gunicorn itself believes nobody.
forwarded_allow_ips = ""
# The application writes one line a request, with its request id.
accesslog = None
errorlog = "-"
loglevel = "warning"
# The control server would write a socket into the home directory; signals are enough.
control_socket_disable = True


def post_worker_init(worker: Worker) -> None:
    """Share out the processor evenly, and log gunicorn's words the application's way."""
    from app import interpreter  # here: the arbiter, which reads this file, loads no application

    interpreter.settle()
    worker.log.error_log.handlers.clear()
    worker.log.error_log.propagate = True
