"""Logging in to the office, as a person does in a browser, or with somebody's session."""

from collections.abc import Callable

from flask.testing import FlaskClient
from playwright.sync_api import Page

from tests.staff.office import PASSWORD


def log_in(page: Page, address: str, email: str, code: Callable[[], str]) -> None:
    """Open an address of the office and give the password and the code that it asks for first.

    `code` is called when the password was taken: codes change every thirty seconds.
    """
    page.goto(address)
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.fill("#code", code())
    page.press("#code", "Enter")


def bring_session(client: FlaskClient, page: Page, address: str) -> None:
    """Let a browser be logged in as this client is."""
    for name in ("session", "language"):
        if cookie := client.get_cookie(name):
            page.context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
