"""The proof of work on the waiting page, where it is switched on (FAIR_DOOR_PROOF_OF_WORK)."""

from datetime import datetime
from typing import TYPE_CHECKING

from flask import Flask, current_app, request

from app.services.waiting.line import read_newest
from app.services.waiting.look import Look

if TYPE_CHECKING:
    from app.services.waiting.proofs import Proof, Proofs

KEY = "fair_door_proofs"
FIELD = "altcha"


def init_app(app: Flask) -> None:
    """Make challenges from now on; the library behind them is only loaded here."""
    from app.services.waiting.proofs import Proofs

    app.extensions[KEY] = Proofs(app.extensions["settings"].secret_key)


def new_challenge(look: Look, now: datetime) -> str:
    """Return a challenge as JSON; empty when none is asked for: only the lot has a price.

    Raises Busy.
    """
    proofs = _proofs()
    return proofs.challenge(read_newest(), now) if proofs and not look.is_open else ""


def proof_sent() -> "Proof | None":
    """Return what the form of this request proves, if anything."""
    proofs = _proofs()
    return proofs.read(request.form.get(FIELD, "")) if proofs else None


def _proofs() -> "Proofs | None":
    found: Proofs | None = current_app.extensions.get(KEY)
    return found
