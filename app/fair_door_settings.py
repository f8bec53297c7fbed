"""Settings of the fair door, the waiting room in front of the checkout."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.environment import Reader, parse_moment

A_MOMENT = "a time with its offset, such as 2027-01-23T10:00:00+07:00"


@dataclass(frozen=True)
class FairDoorSettings:
    """How the fair door works; what staff switch while it is at work stands in the database.

    `opens_at` None: no lot is drawn, whoever comes first is served first. `turn` is how long an
    admitted visitor has to order, `seats_per_person` what one address or phone number may take in
    a sale. `has_proof_of_work`: a place in the lot costs the browser some work.
    """

    opens_at: datetime | None
    per_minute: int
    turn: timedelta
    seats_per_person: int
    has_proof_of_work: bool = False


def read_fair_door(reader: Reader, *, is_key_required: bool) -> FairDoorSettings | None:
    """Read the settings; None while the fair door is off, which costs nothing.

    Without keys on the API anybody could order there and walk around the door.
    """
    is_on = reader.flag("FAIR_DOOR", False)
    opens_at = reader.chosen("FAIR_DOOR_OPENS_AT", A_MOMENT, parse_moment)
    per_minute = _number(reader, "FAIR_DOOR_PER_MINUTE", "visitors a minute", 600, 1, 60_000)
    seconds = _number(reader, "FAIR_DOOR_TURN_SECONDS", "seconds", 600, 60, 3600)
    seats = _number(reader, "FAIR_DOOR_SEATS_PER_PERSON", "seats", 8, 1, 1000)
    has_proof = reader.flag("FAIR_DOOR_PROOF_OF_WORK", False)
    if not is_on:
        return None
    if not is_key_required:
        reader.problems.append(
            "FAIR_DOOR needs API_KEY_REQUIRED=true: orders without a key would walk around it"
        )
    return FairDoorSettings(opens_at, per_minute, timedelta(seconds=seconds), seats, has_proof)


def _number(reader: Reader, name: str, unit: str, default: int, least: int, most: int) -> int:
    return reader.number(name, f"{unit}, {least} to {most}", default, least=least, most=most)
