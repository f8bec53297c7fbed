"""Have an open page ask for news at once, where its own pace is not what is tested."""

from playwright.sync_api import Page

TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
ASK_NOW = "document.dispatchEvent(new Event('visibilitychange'))"


def ask_now(page: Page) -> None:
    """Let the page ask as it does when it is looked at again, and show what it was told."""
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
        page.evaluate(ASK_NOW)
    page.evaluate(TWO_FRAMES)


def settle(page: Page) -> None:
    """Wait until the typefaces are there, and what they moved has been told."""
    page.evaluate("document.fonts.ready.then(() => {})")
    page.evaluate(TWO_FRAMES)
