"""Single fields as people type them: phones, names and addresses."""

import pytest

from app.forms.fields import (
    FieldProblem,
    parse_email,
    parse_full_name,
    parse_phone,
    show_phone,
)

SARIS = "+6281234567890"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("081234567890", SARIS),
        ("0812 3456 7890", SARIS),
        ("0812-3456-7890", SARIS),
        ("0812.3456.7890", SARIS),
        ("(0812) 3456 7890", SARIS),
        ("6281234567890", SARIS),
        ("006281234567890", SARIS),
        ("00 62 812-3456-7890", SARIS),
        ("62 812-3456-7890", SARIS),
        ("+6281234567890", SARIS),
        ("+62 812-3456-7890", SARIS),
        ("+62 (0)812 3456 7890", SARIS),
        ("+62081234567890", SARIS),
        ("81234567890", SARIS),
        ("  0812 3456\u00a07890\t", SARIS),
        ("０８１２３４５６７８９０", SARIS),  # full width
        ("٠٨١٢٣٤٥٦٧٨٩٠", SARIS),  # Arabic-Indic digits
        ("(021) 555-1234", "+62215551234"),
        ("021 5551234", "+62215551234"),
        ("+1 650 253 0000", "+16502530000"),
        ("+44 20 7946 0018", "+442079460018"),
        ("+65 6123 4567", "+6561234567"),
    ],
)
def test_a_phone_number_is_understood_as_indonesians_write_it(typed: str, stored: str) -> None:
    assert parse_phone(typed) == stored
    assert parse_phone(stored) == stored


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (SARIS, "0812-3456-7890"),
        ("+62215551234", "(021) 5551234"),
        ("+6561234567", "+65 6123 4567"),
        ("+16502530000", "+1 650-253-0000"),
        ("no number", "no number"),
        ("", ""),
    ],
)
def test_a_phone_number_is_shown_as_its_owner_writes_it(stored: str, shown: str) -> None:
    assert show_phone(stored) == shown
    if stored.startswith("+"):
        assert parse_phone(shown) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "-",
        "+",
        "0812",
        "+62",
        "08123456789012345678",
        "no phone",
        "+999 1234567890",
        "sari@example.com",
        "0812\x003456",
        "1" * 33,
        "0812 3456 7890" + " " * 30 + "0813 1111 2222",
        "9" * 60_000,
        "<b>0812</b>",
    ],
    ids=lambda typed: repr(typed)[:20],
)
def test_what_no_phone_has_is_refused(typed: str) -> None:
    with pytest.raises(FieldProblem):
        parse_phone(typed)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Sari Dewi", "Sari Dewi"),
        ("  Sari \t Dewi\r\n", "Sari Dewi"),
        ("Sari\u00a0Dewi\u2003X", "Sari Dewi X"),
        ("Suharto", "Suharto"),
        ("I Gusti Ngurah Rai, S.T.", "I Gusti Ngurah Rai, S.T."),
        ("Ma'ruf O’Neil-Åström", "Ma'ruf O’Neil-Åström"),
        ("Jose\u0301", "José"),
        ("김민준", "김민준"),
        ("王小明", "王小明"),
        ("محمد", "محمد"),
        ("ᮞᮥᮔ᮪ᮓ", "ᮞᮥᮔ᮪ᮓ"),
        ("ꦱꦫꦶ", "ꦱꦫꦶ"),
        ("क्\u200dष", "क्\u200dष"),  # the joiner belongs to the spelling
        ("Sari 👩\u200d💻", "Sari 👩\u200d💻"),
        ("x" * 100, "x" * 100),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_a_name_is_whatever_its_owner_writes(typed: str, stored: str) -> None:
    assert parse_full_name(typed) == stored
    assert parse_full_name(stored) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " \t\n ",
        "Sari\x00Dewi",
        "Sari\x1b[31m",
        "Sari\x7f",
        "\ud800",
        "\ue000",
        "x" * 101,
        "é" * 60_000,
        "\u200b",
        " \u2060 \u200d ",
        "\u0301",
    ],
    ids=lambda typed: ascii(typed)[:20],
)
def test_a_name_nobody_could_read_is_refused(typed: str) -> None:
    with pytest.raises(FieldProblem):
        parse_full_name(typed)


LONGEST_LOCAL = "l" * 64
LONGEST_DOMAIN = ".".join(["d" * 60] * 3) + ".com.id"  # 64 + 1 + 189 = 254


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("sari@example.com", "sari@example.com"),
        (" sari@example.com\n", "sari@example.com"),
        ("Sari.Dewi+tedx@Example.COM", "Sari.Dewi+tedx@example.com"),
        ("o'neil_sari-1@sub.example.co.id", "o'neil_sari-1@sub.example.co.id"),
        ("sari@bücher.example", "sari@bücher.example"),
        ("sari@xn--bcher-kva.example", "sari@bücher.example"),
        ("a@b.co", "a@b.co"),
        (f"{LONGEST_LOCAL}@{LONGEST_DOMAIN}", f"{LONGEST_LOCAL}@{LONGEST_DOMAIN}"),
    ],
)
def test_an_address_is_kept_in_its_normal_form(typed: str, stored: str) -> None:
    assert parse_email(typed) == stored
    assert parse_email(stored) == stored
    assert len(stored) <= 254


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "sari",
        "sari@",
        "@example.com",
        "sari@example",
        "sari@@example.com",
        "sari dewi@example.com",
        "sari@exa mple.com",
        "sari@example.com, budi@example.com",
        "Sari <sari@example.com>",
        "sari@example.com\r\nBcc: all@example.com",
        "sari..dewi@example.com",
        ".sari@example.com",
        "sari@-example.com",
        "sari@[127.0.0.1]",
        "sari@localhost",
        "jürgen@example.com",
        "a" * 65 + "@example.com",
        '"sari dewi"@example.com',
        "sari\x00@example.com",
        f"{LONGEST_LOCAL}@d{LONGEST_DOMAIN}",
        "a" * 60_000 + "@example.com",
    ],
    ids=lambda typed: ascii(typed)[:20],
)
def test_an_address_no_mail_reaches_is_refused(typed: str) -> None:
    with pytest.raises(FieldProblem):
        parse_email(typed)
