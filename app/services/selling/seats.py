"""The seats of one order: its stock, its quotas and the use of its voucher move together."""

from sqlalchemy.orm import Session

from app.models import Order
from app.services.selling import inventory, vouchers
from app.services.selling.voucher_refusals import VoucherUsedUp


def sell(session: Session, order: Order) -> None:
    """Turn its held seats into sold ones. Raises StockMismatch."""
    inventory.sell(session, order.quantities)


def release(session: Session, order: Order) -> None:
    """Give its held seats back, and its vouchers' use. Raises StockMismatch, UseMismatch."""
    inventory.release(session, order.quantities)
    vouchers.give_back(session, order.voucher_seats)


def take_back(session: Session, order: Order) -> None:
    """Make its sold seats available again, and its vouchers. Raises StockMismatch, UseMismatch."""
    inventory.take_back(session, order.quantities)
    vouchers.give_back(session, order.voucher_seats)


def sell_again(session: Session, order: Order) -> bool:
    """Hold and sell the seats it had given back, all or nothing.

    False when too few are left, or when others used its voucher up meanwhile.
    """
    if not order.voucher_seats:
        return inventory.sell_again(session, order.quantities)
    savepoint = session.begin_nested()
    try:
        if not inventory.sell_again(session, order.quantities):
            savepoint.rollback()
            return False
        vouchers.use(session, order.voucher_seats)
    except VoucherUsedUp:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True
