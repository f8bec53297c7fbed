"""What drawing e-tickets costs, warm: `python -m bench.tickets [ROUNDS]`.

CPU milliseconds of this process, so that other work on the machine counts less. Worth comparing
only with another run on the same machine.
"""

import base64
import statistics
import sys
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Flask
from flask_babel import Babel

from app.integrations.pdf import Seat, TicketDocument, TicketRenderer

NAMES = ("Sari Dewi", "Muhammad Rizky Pratama", "Nguyễn Thị Ánh Tuyết")
SIGNED_BYTES = 76  # what an e-ticket's QR code holds
FEW, MANY = 1, 10


def document(seats: int) -> TicketDocument:
    """Return an order of so many seats, each with a code of the real length."""
    return TicketDocument(
        order_code="TX7K2M9QPA",
        locale="id",
        event_name="TEDxSenja Jakarta",
        starts_at=datetime(2027, 1, 23, 2, 0, tzinfo=UTC),
        timezone=ZoneInfo("Asia/Jakarta"),
        venue="Gedung Kesenian Senja, Jl. Matahari Terbenam 17, Jakarta Pusat",
        contact_email="halo@tedxsenja.example",
        seats=tuple(
            Seat(NAMES[n % 3], "Early Bird", f"7K2M-9QP{n % 8 + 2}", _code(n), n + 1, "B")
            for n in range(seats)
        ),
    )


def measure(rounds: int) -> dict[int, float]:
    """Return the median CPU milliseconds of drawing FEW and MANY seats, taken in turn."""
    renderer = TicketRenderer()
    spent: dict[int, list[float]] = {FEW: [], MANY: []}
    with _app().app_context():
        renderer.render(document(MANY))
        for _ in range(rounds):
            for seats, times in spent.items():
                start = time.process_time()
                renderer.render(document(seats))
                times.append((time.process_time() - start) * 1000)
    return {seats: statistics.median(times) for seats, times in spent.items()}


def main() -> None:
    """Print the cost of the first and of each further seat."""
    found = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
    print(f"one seat          {found[FEW]:6.1f} ms")
    print(f"each further seat {(found[MANY] - found[FEW]) / (MANY - FEW):6.1f} ms")


def _app() -> Flask:
    app = Flask("app")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = f"{app.root_path}/translations"
    Babel(app)
    return app


def _code(number: int) -> str:
    signed = bytes((number + step) % 256 for step in range(SIGNED_BYTES))
    return base64.b32encode(signed).decode().rstrip("=")


if __name__ == "__main__":
    main()
