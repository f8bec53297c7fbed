"""Reading what Xendit answers: JSON, or one of the errors that say what may have happened."""

from collections.abc import Mapping
from typing import Any

import requests

from app.integrations.xendit_shapes import (
    XenditError,
    XenditRefused,
    XenditThrottled,
    XenditUnknown,
    XenditUnreachable,
)

THROTTLE_PAUSE = 10.0  # when a 429 does not say how long


def parse_answer(answer: requests.Response) -> Any:
    """Return the JSON body of a 2xx answer; never assumes JSON.

    Raises XenditThrottled, XenditRefused, or XenditUnknown: it may have been done.
    """
    try:
        body = answer.json()
    except ValueError:
        body = None
    if 200 <= answer.status_code < 300:
        if body is None:
            raise XenditUnknown(f"{answer.status_code} without JSON")
        return body
    if answer.status_code == 429:
        raise XenditThrottled(_pause(answer.headers.get("Rate-Limit-Reset")))
    code = body.get("error_code") if isinstance(body, dict) else None
    if answer.status_code in (400, 401, 403, 404) and isinstance(body, dict):
        raise XenditRefused(answer.status_code, str(code or "NO_CODE")[:64])
    raise XenditUnknown(f"{answer.status_code} {str(code or '')[:64]}".strip())


def _pause(reset: str | None) -> float:
    """Read Rate-Limit-Reset: seconds, perhaps fractional."""
    try:
        return max(0.1, min(float(reset or THROTTLE_PAUSE), 120.0))
    except ValueError:
        return THROTTLE_PAUSE


def parse_object(body: Any) -> Mapping[str, Any]:
    """Return a body that is an object. Raises XenditUnknown."""
    if not isinstance(body, dict):
        raise XenditUnknown("a JSON object was expected")
    return body


_NEVER_MADE = ("NewConnectionError", "NameResolutionError", "CERTIFICATE_VERIFY_FAILED")


def lost(error: requests.exceptions.ConnectionError) -> XenditError:
    """Tell a connection that was never made from one that broke under the request.

    TLS may break at any time: only a certificate that is refused comes before the request.
    """
    if any(sign in repr(error) for sign in _NEVER_MADE):
        return XenditUnreachable("no connection")
    return XenditUnknown("connection lost")
