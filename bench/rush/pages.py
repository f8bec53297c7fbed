"""Reading the service's pages as far as a buyer's next step needs it."""

import html
import re
from dataclasses import dataclass

_HIDDEN = re.compile(rb'<input type="hidden"[^>]* name="(\w+)" value="([^"]*)"')
_SITUATION = re.compile(rb'data-situation="(\w+)" data-pace="(\d*)')
_STATUS = re.compile(rb'class="status status--(\w+)"')
_POLL = re.compile(rb'hx-get="([^"]+)" hx-trigger="every (\d+)s')
_PAY = re.compile(rb'id="pay" href="([^"]+)"')
_WAITING = re.compile(rb'data-now="(\w+)" data-pause="(\d+)" data-opens-in="(\d+)"')
_GONE = re.compile(rb'class="sums__gone"|id="gone"')


@dataclass(frozen=True)
class OrderPage:
    """What an order page says: its view, how to ask for news, and where to pay."""

    view: str
    poll_url: str = ""
    poll_seconds: int = 0
    pay_url: str = ""


def read_situation(page: bytes) -> tuple[str, int]:
    """Return what the catalogue says of the sale, and after how many seconds it asks again."""
    found = _SITUATION.search(page)
    return (found[1].decode(), int(found[2] or 0)) if found else ("", 0)


def read_waiting_page(page: bytes) -> tuple[str, int, int]:
    """Return the state of a place, when to ask for news, and seconds to the opening."""
    found = _WAITING.search(page)
    return (found[1].decode(), int(found[2]), int(found[3])) if found else ("", 0, 0)


def read_hidden(page: bytes) -> dict[str, str]:
    """Return the hidden fields of the checkout form."""
    return {name.decode(): html.unescape(value.decode()) for name, value in _HIDDEN.findall(page)}


def says_gone(page: bytes) -> bool:
    """Tell whether the checkout's summary says that something chosen cannot be had."""
    return _GONE.search(page) is not None


def read_order_page(page: bytes) -> OrderPage:
    """Return what an order page or its fragment says."""
    view, poll, pay = _STATUS.search(page), _POLL.search(page), _PAY.search(page)
    return OrderPage(
        view[1].decode() if view else "",
        html.unescape(poll[1].decode()) if poll else "",
        int(poll[2]) if poll else 0,
        html.unescape(pay[1].decode()) if pay else "",
    )
