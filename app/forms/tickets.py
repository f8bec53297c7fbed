"""The form of a ticket, and of the quota that several tickets share."""

from collections.abc import Collection, Mapping
from datetime import tzinfo

from app.forms.typed import Reader, keep_seconds, typed_moment, typed_tick, typed_whole
from app.services.selling.wishes import QuotaWish, TicketWish, check_quota, check_ticket

TICKET_FIELDS = (
    "type",
    "description",
    "price",
    "amount",
    "quota_id",
    "min_per_order",
    "max_per_order",
    "valid_from",
    "valid_until",
    "admit_from",
    "admit_until",
    "is_hidden",
)
QUOTA_FIELDS = ("name", "amount")
NEW_TICKET = dict.fromkeys(TICKET_FIELDS, "") | {"min_per_order": "1", "max_per_order": "5"}
NEW_QUOTA = dict.fromkeys(QUOTA_FIELDS, "")


def ticket_as_typed(wish: TicketWish, zone: tzinfo) -> dict[str, str]:
    """Return a ticket as its form shows it; times in `zone`."""
    return {
        "type": wish.type,
        "description": wish.description,
        "price": typed_whole(wish.price),
        "amount": typed_whole(wish.amount),
        "quota_id": str(wish.quota_id or ""),
        "min_per_order": str(wish.min_per_order),
        "max_per_order": str(wish.max_per_order),
        "valid_from": typed_moment(wish.valid_from, zone),
        "valid_until": typed_moment(wish.valid_until, zone),
        "admit_from": typed_moment(wish.admit_from, zone),
        "admit_until": typed_moment(wish.admit_until, zone),
        "is_hidden": typed_tick(wish.is_hidden),
    }


def read_ticket(
    values: Mapping[str, str],
    zone: tzinfo,
    quotas: Collection[int],
    now: TicketWish | None = None,
) -> TicketWish:
    """Return what is wished of a ticket; `now` is what it is, if it exists.

    Raises ValidationFailed with everything that is wrong.
    """
    read = Reader(values)
    quota_ids = read.chosen("quota_id", quotas)
    wish = TicketWish(
        type=read.text("type"),
        description=read.text("description"),
        price=read.whole("price"),
        amount=read.whole("amount"),
        min_per_order=read.whole("min_per_order"),
        max_per_order=read.whole("max_per_order"),
        valid_from=read.moment("valid_from", zone),
        valid_until=read.moment("valid_until", zone),
        admit_from=read.moment_or_none("admit_from", zone),
        admit_until=read.moment_or_none("admit_until", zone),
        is_hidden=read.ticked("is_hidden"),
        quota_id=quota_ids[0] if quota_ids else None,
    )
    read.finish(lambda: check_ticket(wish))
    return keep_seconds(wish, now) if now else wish


def quota_as_typed(wish: QuotaWish) -> dict[str, str]:
    """Return a quota as its form shows it."""
    return {"name": wish.name, "amount": typed_whole(wish.amount)}


def read_quota(values: Mapping[str, str]) -> QuotaWish:
    """Return what is wished of a quota. Raises ValidationFailed."""
    read = Reader(values)
    wish = QuotaWish(read.text("name"), read.whole("amount"))
    read.finish(lambda: check_quota(wish))
    return wish
