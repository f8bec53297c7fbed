"""What Xendit's list of transactions does not reach, read one by one."""

import logging
from collections.abc import Iterator, Sequence
from typing import TypeVar

from app.integrations.xendit import XenditClient, XenditRefused
from app.integrations.xendit_transactions import XenditTransaction, XenditWithdrawal

log = logging.getLogger(__name__)

Kind = TypeVar("Kind", XenditTransaction, XenditWithdrawal)


def read_each(
    gateway: XenditClient, ids: Sequence[str], kind: type[Kind], *, untold: str
) -> Iterator[tuple[str, Kind | None]]:
    """Yield each id with what Xendit tells of it; None where that is nothing, or no such kind.

    What Xendit refuses is logged with the words `untold`. Raises XenditError of any other kind.
    """
    for xendit_id in ids:
        found = None
        try:
            found = gateway.read_transaction(xendit_id)
        except XenditRefused as error:
            log.warning(untold, extra={"why": str(error)})
        yield xendit_id, found if isinstance(found, kind) else None
