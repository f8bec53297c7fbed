"""Where the web server and the flask command find the application."""

import os
import sys

from app import create_app
from app.config import Settings, SettingsError

# gunicorn gives up, instead of starting the process over and over, when it ends with this code.
BOOT_FAILED = 3

try:
    app = create_app(Settings.from_env(os.environ))
except SettingsError as error:
    print(error, file=sys.stderr)  # noqa: T201 (there is no application yet that could log it)
    raise SystemExit(BOOT_FAILED) from None
