"""Amounts as people read them."""

import pytest

from app.formatting import rupiah


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "Rp\N{NO-BREAK SPACE}0"),
        (150_000, "Rp\N{NO-BREAK SPACE}150.000"),
        (-2_500, "\N{MINUS SIGN}Rp\N{NO-BREAK SPACE}2.500"),
    ],
)
def test_rupiah_have_points_and_a_minus_before_the_currency(amount: int, text: str) -> None:
    assert rupiah(amount) == text
