"""Nobody stands in line to be told that all is gone."""

from tests.pages.html import Page
from tests.waiting.hall import Hall


def test_who_wants_what_is_gone_is_told_so_at_once(hall: Hall) -> None:
    gone, left = hall.add_ticket("Presale", amount=0), hall.add_ticket("Reguler")
    hall.set_door(is_paused=True)

    told = Page(hall.client.get(f"/checkout?t{gone}=1"))

    assert told.status == 200
    assert told.has_id("gone")
    for query in (f"t{left}=1", f"t{gone}=1&t{left}=1", ""):
        assert hall.client.get(f"/checkout?{query}").status_code == 303, query
