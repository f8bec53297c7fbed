"""A thousand tries for two hundred seats by 32 clients: `python -m bench.sell_out`."""

from bench.figures import Sheet, at_most
from bench.order_load import leave_line, run_orders
from bench.stage import add_key, ask, put_on_sale, run_alone, running_service
from tests.harness.database import MariaDB

TRIES, SEATS, CLIENTS = 1000, 200, 32
NAME = f"{TRIES:,} tries for {SEATS} seats, {CLIENTS} clients"


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Return the seconds until all are answered. SystemExit unless each seat was sold once."""
    sheet, url = Sheet("sell-out"), server.fresh_database()
    with running_service(url) as service:
        service.standin.set_fault("latency", milliseconds=200.0)
        key = add_key(url, "orders:write")
        for number in range(rounds):
            ticket_id = put_on_sale(url, f"Last seats {number}", SEATS)
            found = run_orders(
                service, server.process.pid, key, ticket_id, connections=CLIENTS, requests=TRIES
            )
            leave_line(url)
            _check(url, ticket_id, found.accepted, found.load.statuses[409])
            sheet.note(NAME, "s in all", found.load.seconds, targets=[at_most(5)])
            sheet.note(NAME, "seats sold", found.accepted)
            sheet.note(NAME, "p50 ms", found.load.percentile(0.5))
            sheet.note(NAME, "p99 ms", found.load.percentile(0.99))
    return sheet


def _check(url: str, ticket_id: int, accepted: int, refused: int) -> None:
    [(held,)] = ask(url, "SELECT held FROM ticket_stock WHERE ticket_id = %s", ticket_id)
    if (accepted, refused, held) != (SEATS, TRIES - SEATS, SEATS):
        raise SystemExit(f"{accepted} accepted, {refused} refused, {held} held of {SEATS}")


if __name__ == "__main__":
    run_alone(measure)
