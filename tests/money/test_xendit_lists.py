"""XenditClient's lists of a stretch of time, against servers that keep less than they promise."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.integrations.xendit import XenditClient, XenditThrottled, XenditUnknown
from tests.money.recorded import PENDING, Recorded, answering

FROM = datetime(2026, 11, 22, 17, tzinfo=UTC)
UNTIL = datetime(2026, 11, 23, 17, tzinfo=UTC)


@pytest.fixture
def xendit() -> Iterator[Recorded]:
    with answering() as recorded:
        yield recorded


@pytest.fixture
def client(xendit: Recorded) -> Iterator[XenditClient]:
    made = XenditClient(xendit.url, "xnd_development_only_in_this_test")
    yield made
    made._session.close()


def invoice(number: int, created: str = "2026-11-23T03:00:00.000Z", **more: Any) -> dict[str, Any]:
    return {**PENDING, "id": f"{number:024x}", "created": created, **more}


def ids(client: XenditClient) -> list[int]:
    pages = client.list_invoices_between(FROM, UNTIL)
    return [int(found.id, 16) for page in pages for found in page]


def test_pages_are_asked_for_by_the_last_invoice(xendit: Recorded, client: XenditClient) -> None:
    xendit.answer(200, [invoice(n) for n in range(1, 101)])
    xendit.answer(200, [invoice(101)])

    assert ids(client) == list(range(1, 102))

    first, second = (parse_qs(urlsplit(sent.path).query) for sent in xendit.requests)
    assert first == {
        "limit": ["100"],
        "created_after": ["2026-11-22T17:00:00+00:00"],
        "created_before": ["2026-11-23T17:00:00+00:00"],
    }
    assert second == {**first, "last_invoice": [f"{100:024x}"]}


@pytest.mark.parametrize(
    "last", [[], {"error_code": "INVOICE_NOT_FOUND_ERROR"}], ids=["empty", "404"]
)
def test_a_full_page_may_be_the_last(xendit: Recorded, client: XenditClient, last: Any) -> None:
    xendit.answer(200, [invoice(n) for n in range(100)])
    xendit.answer(404 if last else 200, last)

    assert ids(client) == list(range(100))


def test_what_was_created_outside_is_left_out_here_too(
    xendit: Recorded, client: XenditClient
) -> None:
    moments = [
        "2026-11-22T16:59:59.999Z",
        "2026-11-22T17:00:00.000Z",
        "2026-11-23T23:59:59.999+07:00",
        "2026-11-24T00:00:00.000+07:00",
        "",
    ]
    xendit.answer(200, [invoice(n, created) for n, created in enumerate(moments)])

    assert ids(client) == [1, 2, 4], "with no moment the server's word counts"


def test_an_invoice_listed_twice_counts_once(xendit: Recorded, client: XenditClient) -> None:
    xendit.answer(200, [invoice(n) for n in range(100)])
    xendit.answer(200, [invoice(99), invoice(100)])

    assert ids(client) == list(range(101))


def test_a_server_that_does_not_page_is_not_asked_for_ever(
    xendit: Recorded, client: XenditClient
) -> None:
    for _ in range(2):
        xendit.answer(200, [invoice(n) for n in range(100)])

    with pytest.raises(XenditUnknown, match="does not come to its end"):
        ids(client)
    assert len(xendit.requests) == 2


def test_an_odd_invoice_of_another_system_hides_no_other(
    xendit: Recorded, client: XenditClient, caplog: pytest.LogCaptureFixture
) -> None:
    xendit.answer(200, [invoice(1), invoice(2, amount=None), invoice(3), "what is this"])

    assert ids(client) == [1, 3]
    assert "cannot be read" in caplog.text


def test_no_list_is_no_empty_list(xendit: Recorded, client: XenditClient) -> None:
    xendit.answer(200, {"data": []})

    with pytest.raises(XenditUnknown):
        ids(client)


# --- the meter -----------------------------------------------------------------------------------


class Counting:
    """A meter that lets everything through and remembers what it was told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.told: list[tuple[str, int]] = []

    def before(self, endpoint: str) -> None:
        self.asked.append(endpoint)

    def after(self, endpoint: str, allowed: int) -> None:
        self.told.append((endpoint, allowed))


def test_only_readings_are_metered_and_only_by_the_metered_client(
    xendit: Recorded, client: XenditClient
) -> None:
    meter = Counting()
    limit = {"Rate-Limit-Limit": "600"}
    xendit.answer(200, PENDING, **limit)
    xendit.answer(200, [PENDING], **limit)
    xendit.answer(200, PENDING, **limit)
    xendit.answer(200, PENDING, **limit)

    metered = client.metered(meter)
    metered.read_invoice("a")
    metered.list_invoices("TX7K2M9QPA")
    metered.expire_invoice("a")
    client.read_invoice("a")

    assert meter.asked == ["read", "list"]
    assert meter.told == [("read", 600), ("list", 600)]


@pytest.mark.parametrize("limit", ["", "many", "-1", "1.5"])
def test_a_limit_that_is_no_number_is_not_learned(
    xendit: Recorded, client: XenditClient, limit: str
) -> None:
    meter = Counting()
    xendit.answer(200, PENDING, **{"Rate-Limit-Limit": limit})

    client.metered(meter).read_invoice("a")

    assert meter.told == []


def test_a_refusal_tells_the_limit_too(xendit: Recorded, client: XenditClient) -> None:
    meter = Counting()
    xendit.answer(429, {"error_code": "RATE_LIMIT_EXCEEDED"}, **{"Rate-Limit-Limit": "30"})

    with pytest.raises(XenditThrottled):
        client.metered(meter).read_invoice("a")

    assert meter.told == [("read", 30)]
