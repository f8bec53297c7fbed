"""The catalogue file: read whole, refused whole, every fault told with its line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.forms.catalogue_file import (
    LARGEST_FILE,
    CatalogueFileError,
    read_catalogue,
    read_catalogue_file,
)

GOOD = {
    "type": "Early Bird",
    "description": "Until the end of the year",
    "price": "150000",
    "amount": "100",
    "maxPerOrder": "5",
    "validFrom": "2026-11-01T00:00:00+07:00",
    "validUntil": "2027-01-01T00:00:00+07:00",
}
LINE_OF = {name: number for number, name in enumerate(GOOD, start=2)}


def ticket(**changes: str | None) -> str:
    """Return a ticket as YAML, one field a line (line 2 is its type); None leaves one out."""
    fields = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return "\n".join(
        f"{'  - ' if number == 0 else '    '}{name}: {value}"
        for number, (name, value) in enumerate(fields.items())
    )


def catalogue(*tickets: str) -> str:
    return "tickets:\n" + "\n".join(tickets) + "\n"


def problems_of(text: str) -> list[str]:
    with pytest.raises(CatalogueFileError) as refusal:
        read_catalogue(text)
    return refusal.value.problems


def test_a_good_file_is_read_as_written() -> None:
    [row] = read_catalogue(catalogue(ticket(type="  Early   Bird 王 🎉 "))).tickets

    assert (row.type, row.price, row.amount, row.max_per_order) == (
        "Early Bird 王 🎉",
        150_000,
        100,
        5,
    )
    assert row.valid_from == datetime(2026, 10, 31, 17, tzinfo=UTC)
    assert row.valid_until == datetime(2026, 12, 31, 17, tzinfo=UTC)
    assert row.line == 2


@pytest.mark.parametrize("written", ["150000", "150_000", '!!int "150000"'])
def test_ways_to_write_a_price(written: str) -> None:
    [row] = read_catalogue(catalogue(ticket(price=written))).tickets

    assert row.price == 150_000


WRONG: list[tuple[str, str]] = [
    ("type", '""'),
    ("type", "' '"),
    ("type", "x" * 101),
    ("type", "2027"),
    ("type", "yes"),
    ("type", "[a, b]"),
    ("type", "null"),
    ("description", ""),
    ("description", "x" * 501),
    ("price", "-1"),
    ("price", "150.000"),
    ("price", "150,000"),
    ("price", "Rp 150000"),
    ("price", "1000000001"),
    ("price", "9" * 5000),
    ("price", "1e5"),
    ("price", ".inf"),
    ("price", "true"),
    ("price", "0150000"),
    ("price", "0x10"),
    ("price", "1:30"),
    ("price", "'150000'"),
    ("price", "{a: 1}"),
    ("price", "!!python/object/apply:os.getcwd []"),
    ("price", '!!int "many"'),
    ("amount", "-1"),
    ("amount", "1000001"),
    ("maxPerOrder", "0"),
    ("maxPerOrder", "101"),
    ("maxPerOrder", "2.5"),
    ("validFrom", "2026-11-01T00:00:00"),
    ("validFrom", "2026-11-01"),
    ("validFrom", "tomorrow"),
    ("validFrom", "20261101"),
    ("validFrom", "0001-01-01T00:00:00+07:00"),
    ("validUntil", "9999-12-31T23:59:59-07:00"),
    ("validUntil", "2027-02-30T00:00:00+07:00"),
]


@pytest.mark.parametrize(("field", "written"), WRONG, ids=lambda value: str(value)[:20])
def test_a_wrong_value_is_told_with_line_field_and_what_it_should_hold(
    field: str, written: str
) -> None:
    [problem] = problems_of(catalogue(ticket(**{field: written})))

    assert problem.startswith(f"line {LINE_OF[field]}: {field} is ")
    assert "it should hold" in problem
    assert len(problem) < 250


@pytest.mark.parametrize("field", GOOD)
def test_a_missing_field_is_told_with_the_ticket_s_line(field: str) -> None:
    [problem] = problems_of(catalogue(ticket(), ticket(**({"type": "Regular"} | {field: None}))))

    assert problem.startswith(f"line 9: {field} is missing: it should hold")


def test_a_field_that_does_not_exist_is_told_with_those_that_do() -> None:
    [problem] = problems_of(catalogue(ticket() + "\n    colour: red"))

    assert problem.startswith("line 9: 'colour': there is no such field (known: type, description")


@pytest.mark.parametrize("key", ["[a, b]", "{a: b}", "? - a\n    "])
def test_a_field_whose_name_is_no_word_is_refused(key: str) -> None:
    [problem] = problems_of(catalogue(ticket() + f"\n    {key}: red"))

    assert "there is no such field" in problem


def test_a_field_that_comes_twice_is_refused() -> None:
    [problem] = problems_of(catalogue(ticket() + "\n    price: 1"))

    assert problem == "line 9: price is there already"


def test_a_sale_that_ends_before_it_begins_is_refused() -> None:
    same = GOOD["validFrom"]

    [problem] = problems_of(catalogue(ticket(validUntil=same)))

    assert problem == "line 2: validUntil should be later than validFrom"


def test_two_tickets_of_one_type_are_refused_by_the_name_they_end_up_with() -> None:
    [problem] = problems_of(catalogue(ticket(), ticket(type="' Early  Bird '")))

    assert problem == "line 9: type 'Early Bird' is on line 2 already"


def test_all_faults_are_told_at_once_and_in_the_same_order_each_time() -> None:
    text = catalogue(
        ticket(price="free", amount=None),
        ticket() + "\n    b: 1\n    a: 2",
        ticket(type="Regular"),
        "  - just words",
        ticket(type="Regular"),
    )

    problems = problems_of(text)

    assert [problem.split(":")[0] for problem in problems] == [
        "line 4",
        "line 2",
        "line 15",
        "line 16",
        "line 24",
        "line 25",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n# nothing\n",
        "just words",
        "- a\n- b",
        "42",
        "tickets:",
        "tickets: many",
        "tickets: {type: a}",
        "tickets: []",
        "Tickets: []",
        "[a]: b",
    ],
)
def test_a_file_without_a_list_of_tickets_is_refused(text: str) -> None:
    [problem] = problems_of(text)

    assert problem.startswith("line 1: ")


def test_more_than_two_hundred_tickets_are_refused() -> None:
    tickets = [ticket(type=f"T{number}") for number in range(201)]

    assert len(read_catalogue(catalogue(*tickets[:200])).tickets) == 200
    assert problems_of(catalogue(*tickets)) == ["line 2: list 1 to 200 tickets"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("tickets: [", 1),
        ("tickets:\n  - type: 'open", 2),
        ("tickets:\n\t- type: a", 2),
        ("tickets:\n  - type: a: b", 2),
        ("tickets: *nowhere", 1),
        ("a: 1\n---\nb: 2", 2),
        ("tickets:\n  - type: bell\x07", 2),
        ("tickets:\n  - type: \ud800", 2),
        ("tickets: !<!> [", 1),
    ],
)
def test_what_is_not_yaml_is_told_with_its_line(text: str, line: int) -> None:
    [problem] = problems_of(text)

    assert problem.startswith(f"line {line}: this ")
    assert problem.encode()


BOMB = "a: &a0 [x, x]\n" + "\n".join(f"b{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("field", ["price", "type", "validFrom"])
def test_aliases_of_aliases_of_aliases_do_not_blow_up(field: str) -> None:
    """Written out, the value has 2**40 members."""
    text = f"{BOMB}\n{catalogue(ticket(**{field: '*a39'}))}"

    [problem] = problems_of(text)

    assert f"{field} is a list: it should hold" in problem


@pytest.mark.timeout(600)
def test_a_list_that_contains_itself_is_refused() -> None:
    [problem] = problems_of(catalogue(ticket(price="&me [*me]")))

    assert problem.startswith("line 4: price is a list")
    assert "field: value" in problems_of("tickets: &me [*me]")[0]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_a_file_nested_without_end_is_refused(opening: str) -> None:
    text = f"tickets: {opening * 50_000}"

    [problem] = problems_of(text)

    assert problem == "line 1: this is nested too deeply"


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "event.yaml"
    file.write_text(catalogue(ticket()), encoding="utf-8-sig")

    assert [row.type for row in read_catalogue_file(file).tickets] == ["Early Bird"]


def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "event.yaml"
    file.write_bytes("tickets:\n  - type: Frühbucher".encode("latin-1"))

    with pytest.raises(CatalogueFileError, match="line 2: this is not UTF-8"):
        read_catalogue_file(file)


def test_a_file_of_any_size_is_read_only_up_to_a_limit(tmp_path: Path) -> None:
    file = tmp_path / "event.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(LARGEST_FILE * 1000)

    with pytest.raises(CatalogueFileError, match="larger than 2048 KiB"):
        read_catalogue_file(file)
