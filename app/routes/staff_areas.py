"""The areas of the staff's pages: what the navigation and the first page list, in this order."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from flask_babel import lazy_gettext as _l

from app.errors import Words


class Group(enum.Enum):
    """What the pages of staff are about, in the order of the navigation."""

    ORDERS = "orders"
    CATALOGUE = "catalogue"
    MONEY = "money"
    DOOR = "door"
    OFFICE = "office"


GROUP_NAMES = {
    Group.ORDERS: _l("Orders"),
    Group.CATALOGUE: _l("Catalogue"),
    Group.MONEY: _l("Money"),
    Group.DOOR: _l("Door"),
    Group.OFFICE: _l("Office"),
}


@dataclass(frozen=True)
class Area:
    """A page staff may start from; who may is said at its view. Areas of a group stand together."""

    endpoint: str
    name: Words
    words: Words
    group: Group


AREAS = (
    # orders
    Area(
        "staff_orders.show_all",
        _l("Orders"),
        _l("Find an order, see all that happened to it, act on it."),
        Group.ORDERS,
    ),
    Area(
        "staff_free_tickets.ask",
        _l("Free tickets"),
        _l("Give seats away, for a reason."),
        Group.ORDERS,
    ),
    Area(
        "staff_cases.show_all",
        _l("Cases"),
        _l("What waits for a person: money, refunds, mails, differences."),
        Group.ORDERS,
    ),
    Area(
        "staff_messages.show_all",
        _l("Messages"),
        _l("Write to everybody who holds a ticket."),
        Group.ORDERS,
    ),
    # catalogue
    Area(
        "staff_tickets.show_all",
        _l("Tickets"),
        _l("What is sold, at which price, how many, when."),
        Group.CATALOGUE,
    ),
    Area(
        "staff_quotas.show_all",
        _l("Shared quotas"),
        _l("Seats that several tickets draw on together."),
        Group.CATALOGUE,
    ),
    Area(
        "staff_vouchers.show_all",
        _l("Vouchers"),
        _l("Codes that lower prices or open hidden tickets."),
        Group.CATALOGUE,
    ),
    Area(
        "staff_fair_door.show",
        _l("Fair door"),
        _l("The waiting room in front of the checkout."),
        Group.CATALOGUE,
    ),
    # money
    Area(
        "staff_finance.show",
        _l("Finance"),
        _l("What was sold, and where the money is."),
        Group.MONEY,
    ),
    Area(
        "staff_days.show_all",
        _l("Days"),
        _l("What each day brought, and closing it."),
        Group.MONEY,
    ),
    Area(
        "staff_balance.show",
        _l("Balance at Xendit"),
        _l("What was settled, paid out, and what is left."),
        Group.MONEY,
    ),
    Area(
        "staff_finance.show_ledger",
        _l("Ledger"),
        _l("Every movement of money, line by line."),
        Group.MONEY,
    ),
    Area(
        "staff_charts.show",
        _l("Charts"),
        _l("How sales went, who paid how, when people came."),
        Group.MONEY,
    ),
    Area(
        "staff_exports.show_all",
        _l("Exports"),
        _l("Figures as files for Excel and others."),
        Group.MONEY,
    ),
    # door
    Area("staff_door.live", _l("Live numbers"), _l("Who has come in, where and when."), Group.DOOR),
    Area(
        "staff_door.this_phone",
        _l("This phone"),
        _l("Scan with the phone in your hand."),
        Group.DOOR,
    ),
    Area(
        "staff_devices.show_all",
        _l("Phones"),
        _l("Pair phones, move them, cut them off."),
        Group.DOOR,
    ),
    Area(
        "staff_gates.show_all",
        _l("Gates"),
        _l("Where people enter, with which tickets."),
        Group.DOOR,
    ),
    Area(
        "staff_gates.show_lanes",
        _l("Lanes"),
        _l("Nobody enters twice, even without a network."),
        Group.DOOR,
    ),
    Area(
        "staff_conflicts.show_all",
        _l("Double entries"),
        _l("Tickets that came in twice."),
        Group.DOOR,
    ),
    # office
    Area(
        "staff_people.show_all",
        _l("People"),
        _l("Who may log in, and what they may do."),
        Group.OFFICE,
    ),
    Area("staff_audit.show", _l("Changes"), _l("Who changed what, and when."), Group.OFFICE),
)


def group_areas(areas: Sequence[Area]) -> list[tuple[Group, Words, list[Area]]]:
    """Return areas by group, with the group's name; groups without any are left out."""
    groups = groupby(areas, key=lambda area: area.group)
    return [(group, GROUP_NAMES[group], list(members)) for group, members in groups]
