"""Commands of finance: what they print, what they do, and what a refusal tells to do next."""

import re
from collections.abc import Callable

import pytest
from click.testing import Result

from app.models import CaseKind
from app.services.money.bank_details import give_bank_details
from app.services.money.payments import CONFIRM
from app.services.money.refunds import SEND_REFUND
from app.services.selling.ordering import PlacedOrder
from tests.money.refunded import (
    STAFF,
    end_at_xendit,
    envelope,
    paid_order,
    refund_callback,
    refund_of,
    refunds_of,
    sent_refund,
    state,
)
from tests.money.world import PRICE, World

Run = Callable[..., Result]
BY = ("--by", STAFF)


@pytest.fixture
def run(world: World) -> Run:
    """Run a command and return its result."""

    def invoke(*arguments: str) -> Result:
        return world.app.test_cli_runner().invoke(args=list(arguments))

    return invoke


def words(result: Result) -> str:
    """Return what a command that worked printed, with plain spaces."""
    assert result.exit_code == 0, result.output
    return result.output.replace("\N{NO-BREAK SPACE}", " ")


def assert_refused(result: Result, *sentence: str) -> None:
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), "a sentence, not a traceback"
    for part in sentence:
        assert part in result.output


def reference_of(world: World, placed: PlacedOrder) -> str:
    return refund_of(world, placed).reference_id


def case_id(run: Run, kind: CaseKind) -> str:
    """Return the id of the only open case of this kind, as the list prints it."""
    (found,) = re.findall(rf"^(\d+) +{kind.value} ", run("cases", "list").output, re.MULTILINE)
    return str(found)


def test_lists_say_so_when_there_is_nothing_to_do(run: Run) -> None:
    assert words(run("refunds", "list")) == "no refund is open\n"
    assert words(run("cases", "list")) == "no case is open\n"


def test_refunds_are_listed_with_what_to_do_next(world: World, run: Run) -> None:
    by_xendit, by_hand = sent_refund(world), sent_refund(world, "BCA")
    first, second = reference_of(world, by_xendit), reference_of(world, by_hand)

    assert words(run("refunds", "list")).splitlines() == [
        "REFERENCE                      STATUS  WAY      AMOUNT      NEXT",
        f"{first}  sent    xendit   Rp 150.000  nothing: Xendit has it",
        f"{second}  due     by_hand  Rp 150.000  wait for the bank account",
    ]


def test_a_refund_by_hand_from_the_account_to_done(world: World, run: Run) -> None:
    placed = sent_refund(world, "ALFAMART")
    reference = reference_of(world, placed)
    with world.app.app_context():
        give_bank_details(reference, placed.token, "Bank Senja", "123-456-7890", "Sari Dewi")

    shown = words(run("refunds", "show", reference))
    assert re.search(r"^Bank +Bank Senja$", shown, re.MULTILINE)
    assert re.search(r"^Account +1234567890$", shown, re.MULTILINE)
    assert re.search(r"^Next +transfer; then done$", shown, re.MULTILINE)
    assert "the bank account is erased" in words(
        run("refunds", "done", reference, *BY, "--note", "BCA 4711")
    )

    shown = words(run("refunds", "show", reference))
    assert "1234567890" not in shown
    assert re.search(rf"^Done by +{STAFF}$", shown, re.MULTILINE)
    assert re.search(r"^Note +BCA 4711$", shown, re.MULTILINE)
    assert reference not in words(run("refunds", "list"))
    assert reference in words(run("refunds", "list", "--all"))


def test_refunds_that_cannot_be_done_or_retried_say_why(world: World, run: Run) -> None:
    sent, by_hand = sent_refund(world), sent_refund(world, "BCA")
    with_xendit, reference = reference_of(world, sent), reference_of(world, by_hand)
    done = ("--note", "x", *BY)

    assert_refused(run("refunds", "done", with_xendit, *done), "Xendit has this refund")
    assert_refused(run("refunds", "retry", with_xendit), "Xendit has this refund")
    assert_refused(run("refunds", "retry", reference), "`refunds done`")
    assert_refused(run("refunds", "show", "TX-nothing"), "refunds list --all")
    assert_refused(run("refunds", "done", reference, "--note", "x", "--by", "dewi"), "e-mail")
    assert run("refunds", "done", reference, *done).exit_code == 0
    assert_refused(run("refunds", "done", reference, *done), "do not transfer again")


def test_a_failed_refund_is_retried(world: World, run: Run) -> None:
    placed = sent_refund(world)
    end_at_xendit(world, placed, fails="INSUFFICIENT_BALANCE")
    refund_callback(world, envelope(refund_of(world, placed).xendit_refund_id or ""))
    world.work("confirm_refund")
    assert state(world, placed) == ("failed", "by_hand")
    reference = reference_of(world, placed)

    assert "is sent to Xendit again" in words(run("refunds", "retry", reference))
    world.advance_ours(minutes=1)
    world.work(SEND_REFUND)

    assert state(world, placed)[0] in ("sent", "succeeded")


@pytest.mark.parametrize(
    ("flag", "order", "refunded"), [("--accept", "PAID", 0), ("--refund", "CANCELLED", PRICE - 1)]
)
def test_a_case_is_listed_and_decided(
    world: World, run: Run, flag: str, order: str, refunded: int
) -> None:
    placed = paid_order(world, amount=PRICE - 1)
    listed = words(run("cases", "list"))
    assert placed.code in listed
    assert "Rp 149.999" in listed
    number = case_id(run, CaseKind.UNDERPAID)

    assert words(run("cases", "decide", number, flag, *BY)).endswith(f"by {STAFF}\n")

    assert world.standing(placed).order == order
    assert sum(refund.amount for refund in refunds_of(world, placed)) == refunded
    assert_refused(run("cases", "decide", number, flag, *BY), "was decided before")
    assert words(run("cases", "list")) == "no case is open\n"


def test_a_case_needs_a_decision_a_name_and_xendit(world: World, run: Run) -> None:
    placed = paid_order(world, amount=PRICE - 1)
    number = case_id(run, CaseKind.UNDERPAID)

    assert_refused(run("cases", "decide", number, *BY), "--accept or --refund")
    assert_refused(run("cases", "decide", number, "--accept"), "--by")
    assert_refused(run("cases", "decide", "4711", "--accept", *BY), "cases list")
    world.standin.set_fault("html_502", times=1)
    assert_refused(run("cases", "decide", number, "--accept", *BY), "nothing was decided")
    assert world.standing(placed).order == "PENDING"


def test_an_unpaid_order_is_cancelled(world: World, run: Run) -> None:
    placed = world.order(world.add_ticket())

    assert words(run("orders", "cancel", placed.code, *BY)) == f"{placed.code}: now CANCELLED\n"

    assert world.payable(placed) == []
    assert_refused(run("orders", "cancel", placed.code, *BY), "ended already", "orders show")
    assert_refused(run("orders", "cancel", "TXNOBODY", *BY), "no order TXNOBODY")


def test_an_order_is_not_called_cancelled_before_its_invoice_is_closed(
    world: World, run: Run
) -> None:
    placed = world.order(world.add_ticket())
    world.standin.set_fault("html_502", times=1)

    assert "not yet" in words(run("orders", "cancel", placed.code, *BY))

    assert world.standing(placed).order == "PENDING"


def test_a_paid_order_is_cancelled_and_its_story_told_in_order(world: World, run: Run) -> None:
    placed = paid_order(world, "QRIS")
    assert "money goes back" in words(run("orders", "cancel", placed.code, *BY))
    world.work(SEND_REFUND)
    end_at_xendit(world, placed)
    refund_callback(world, envelope(refund_of(world, placed).xendit_refund_id or ""))
    world.work("confirm_refund", CONFIRM)

    story = words(run("orders", "show", placed.code))

    reference = reference_of(world, placed)
    invoice = world.invoice_id(placed)
    steps = [
        f"Order    {placed.code} CANCELLED",
        "Paid     Rp 150.000",
        "Order placed: 1 × Reguler QRIS, Rp 150.000",
        f"Rp 150.000 paid by QRIS, invoice {invoice}",
        f"Webhook PAID about {invoice}",
        "Order paid, 1 e-ticket made",
        "1 e-ticket revoked",
        f"Refund {reference} due: Rp 150.000",
        f"Refund {reference} sent to Xendit",
        "Webhook refund.succeeded about rfd-",
        f"Refund {reference} arrived, by xendit",
    ]
    places = [story.find(step) for step in steps]
    assert -1 not in places, story
    assert sorted(story.find(step) for step in steps[4:]) == places[4:], story
    assert_refused(run("orders", "show", "TXNOBODY"), "no order TXNOBODY")
