# The service and nothing else: no tests, no stand-ins, no compiler, no root.
# It shares its scripts and its list of system packages with every developer's machine.

FROM python:3.11-slim-bookworm AS builder
WORKDIR /srv/tickets
ENV VENV=/opt/venv
COPY requirements.txt ./
COPY scripts/setup scripts/
RUN scripts/setup --production
COPY app app
# The second time it only compiles the translations. Compiled modules save a read-only container
# from compiling them at every start.
RUN scripts/setup --production && /opt/venv/bin/python -m compileall -q app

FROM python:3.11-slim-bookworm
WORKDIR /srv/tickets
COPY scripts/install-packages scripts/packages-runtime.txt scripts/
RUN scripts/install-packages scripts/packages-runtime.txt && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home tickets \
    && install --directory --owner=tickets instance
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /srv/tickets/app app
COPY migrations migrations
COPY wsgi.py gunicorn.conf.py gunicorn_worker.py ./
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/tmp \
    HOST=0.0.0.0 \
    PORT=8000
USER tickets
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
CMD ["gunicorn", "wsgi:app"]
