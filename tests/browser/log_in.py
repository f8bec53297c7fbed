"""Logging in to the office, as a person does in a browser."""

from collections.abc import Callable

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
